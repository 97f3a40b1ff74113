"""``recsys compare``: evaluated runs side by side, with paired differences."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from recsys.cli.output import MAX_WIDTH, AsJson, print_json, print_table
from recsys.cli.runs import RUNS, RunsFolder
from recsys.screen import Screen


def compare_runs(
    compared: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Two or more runs: names, folders or configuration files; RUN:MODEL compares"
            " another model of a run, such as a baseline.",
        ),
    ],
    runs: RunsFolder = RUNS,
    model: Annotated[
        str, typer.Option(help="Model to compare: two_tower, or a baseline such as item_knn.")
    ] = "two_tower",
    k: Annotated[
        list[int] | None,
        typer.Option("--k", help="Only metrics at this k; may be repeated. Default: every k."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    resamples: Annotated[int, typer.Option(min=1, help="Number of bootstrap resamples.")] = 1000,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Also write a page with plots.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare evaluated runs with the first one: metrics, paired differences, settings, seconds.

    Runs whose test queries or candidates differ are refused. Example: recsys compare beauty
    beauty-gru beauty:item_knn --report runs.html
    """
    if len(compared) < 2:
        raise typer.BadParameter("name at least two runs", param_hint="RUN")
    if report is not None and report.suffix.lower() != ".html":
        raise typer.BadParameter("the name must end in .html", param_hint="--report")
    from recsys.run_comparison import compare_runs as compare
    from recsys.run_comparison import open_evaluated_run

    opened = [open_evaluated_run(each, runs=runs, model=model) for each in compared]
    with Screen() as screen:
        content = compare(opened, ks=k or (), seed=seed, resamples=resamples, progress=screen)
    if report is not None:
        from recsys.run_comparison.pages import write_run_page

        write_run_page(report, content, command=f"recsys compare {shlex.join(compared)}")
    if as_json:
        print_json(content)
    else:
        _print(content)
        if report is not None:
            typer.echo(f"Page: {report}")
    for run, given in zip(opened, compared):
        if run.outdated:
            typer.echo(
                f"note: {given} was changed since it was evaluated ({', '.join(run.outdated)}); "
                f"'recsys evaluate {given}' evaluates again",
                err=True,
            )


def _print(content: Mapping[str, Any]) -> None:
    from recsys.run_comparison.tables import metric_lines, second_lines, setting_lines

    labels = [run["label"] for run in content["runs"]]
    columns = ["metric", *labels]
    for label in labels[1:]:
        columns += [f"{label} - {labels[0]}" if len(labels) > 2 else "difference"]
        columns += ["95% interval", ""]
    lines = [
        [
            line.metric,
            *line.figures,
            *(text for gap in line.gaps for text in (gap.difference, gap.interval, gap.verdict)),
        ]
        for line in metric_lines(content)
    ]
    print_table(columns, lines, width=MAX_WIDTH)
    settings = setting_lines(content)
    if settings:
        print_table(["setting", *labels], settings, width=MAX_WIDTH)
    else:
        typer.echo("The runs have the same settings and the same input files.\n")
    print_table(["seconds", *labels], second_lines(content))
    typer.echo(f"{content['queries']:,} test queries, {content['candidates']:,} candidates.")
    for note in content["notes"]:
        typer.echo(note)
