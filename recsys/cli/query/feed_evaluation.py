"""The command ``recsys evaluate-feed``: a feed on the held-out queries of its run."""

from __future__ import annotations

from typing import Annotated

import typer

from recsys.cli.output import AsJson, print_json, print_table
from recsys.cli.query.feed import PipelineName, Size
from recsys.cli.runs import RUNS, ConfigPath, RunsFolder, up_to
from recsys.screen import Screen

Most = Annotated[int, typer.Option("--queries", help="Largest number of test queries; a sample.")]
Attribute = Annotated[
    str, typer.Option(help="Column whose distribution in feeds and histories is compared.")
]


def evaluate_feed(
    config: ConfigPath,
    runs: RunsFolder = RUNS,
    pipeline: PipelineName = "",
    k: Size = 50,
    queries: Most = 1000,
    attribute: Attribute = "",
    as_json: AsJson = False,
) -> None:
    """Evaluate the feed of a run on its test queries, after every stage of the pipeline.

    Writes feeds.html, with feeds as a person sees them, and feeds.json into the run's folder, and
    the stages into its report. Earlier stages of the run are brought up to date.
    """
    from recsys.bundle import open_bundle
    from recsys.feed import evaluation
    from recsys.pipeline import write_run_report

    with Screen() as screen:
        job, results = up_to(config, runs, "publish", screen, [])
        feed = open_bundle(job.bundles).feed
        found = evaluation.evaluate_feed(
            feed,
            job.split.test,
            pipeline=pipeline,
            k=k,
            attribute=attribute,
            most=queries,
            progress=screen,
        )
    evaluation.write_feed_page(job.folder, found, job.ingested.catalogue)
    write_run_report(job, results, command=f"recsys run {config}")
    if as_json:
        print_json(found.as_json())
        return
    names = ["items", "found", *(f"{name}@{at}" for at in found.ks for name in ("recall", "ndcg"))]
    print_table(
        ["stage", *names],
        [[each.name, *(f"{each.figures[name]:.4g}" for name in names)] for each in found.stages],
    )
    print_table(["figure", "value"], [[n, f"{v:.4g}"] for n, (v, _) in found.variety.items()])
    typer.echo(f"Feeds: {job.folder / evaluation.PAGE}")
