"""``recsys run`` and its stages by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.cli.output import print_json, print_table
from recsys.cli.screen import Screen

if TYPE_CHECKING:
    from recsys.pipeline import Job
    from recsys.pipeline.stage import StageResult

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The run's TOML file.")]
RunsFolder = Annotated[Path, typer.Option("--runs", help="The folder that runs are kept in.")]
Again = Annotated[
    bool, typer.Option("--again", help="Do the work anew even where its result still stands.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
RUNS = Path("runs")

HELP = {
    "ingest": "Read the log and the catalogue; check, count and keep them.",
    "encode": "Turn words, pictures and attributes into feature blocks.",
    "train": "Train the two towers, from the last checkpoint where there is one.",
    "evaluate": "Judge the towers and the baselines on the test queries; write the report.",
    "index": "Build the index of every space and measure what it loses against exact search.",
    "publish": "Publish a bundle: towers, features, indexes, catalogue.",
}


def add_to(app: typer.Typer) -> None:
    """Add ``run`` and a command for each stage."""
    app.command()(run)
    for name, text in HELP.items():
        app.command(name, help=f"{text} What it needs from before is brought up to date.")(
            _command(name)
        )


def run(
    config: ConfigPath,
    runs: RunsFolder = RUNS,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    """Do the whole job: ingest, encode, train, evaluate, index, publish, serve, one call.

    What still stands from an earlier run is reused.
    """
    from recsys.cli.trial import try_out
    from recsys.pipeline import STAGE_NAMES, write_run_report

    with Screen() as screen:
        job, done = up_to(config, runs, "publish", screen, list(STAGE_NAMES) * again)
        with resumable(screen):
            screen.starting("serve", "asked for")
            tried = try_out(job)
            screen.finished(tried)
    report = write_run_report(job, [*done, tried], command=f"recsys run {config}")
    if as_json:
        print_json(report)
        return
    _print_stages([*done, tried])
    _print_figures(report["figures"], job)
    found = ", ".join(candidate["item_id"] for candidate in tried.notes["candidates"][:5])
    typer.echo(f"Asked over gRPC, bundle {tried.notes['bundle_version']} answered: {found}, ...")
    typer.echo(f"Report: {job.folder / 'report.html'}  Figures: {job.folder / 'report.json'}")


def _command(stage: str) -> Callable[..., None]:
    def command(
        config: ConfigPath,
        runs: RunsFolder = RUNS,
        again: Again = False,
        as_json: AsJson = False,
    ) -> None:
        from recsys.pipeline import write_run_report

        with Screen() as screen:
            job, done = up_to(config, runs, stage, screen, [stage] * again)
        if stage == "evaluate":
            write_run_report(job, done, command=f"recsys evaluate {config}")
        if as_json:
            print_json(_described(done[-1], job))
            return
        _print_stages(done)
        if stage == "evaluate":
            _print_figures(done[-1].figures, job)
        else:
            print_table(["figure", "value"], [[n, f"{v:g}"] for n, v in done[-1].figures.items()])
        if stage == "encode":
            _print_words(done[-1].notes["words"])

    return command


def up_to(
    config: Path, runs: Path, stage: str, screen: Screen, again: list[str]
) -> tuple[Job, list[StageResult]]:
    """The run of a configuration, brought up to date up to ``stage``."""
    from recsys.pipeline import open_job, run_job

    job = open_job(config, runs=runs, progress=screen)
    with resumable(screen), screen.libraries_write_to(job.folder / "libraries.log"):
        return job, run_job(job, until=stage, observer=screen, again=again)


@contextmanager
def resumable(screen: Screen) -> Iterator[None]:
    """Says that an interrupted run can go on, and leaves with 130."""
    try:
        yield
    except KeyboardInterrupt:
        screen.say("interrupted; nothing whole is lost: the same command goes on from here")
        raise typer.Exit(130) from None


def _described(done: StageResult, job: Job) -> dict[str, Any]:
    return {
        "stage": done.stage,
        "folder": str(job.folder / done.stage),
        "seconds": done.seconds,
        "reused": done.reused,
        "figures": dict(done.figures),
        **done.notes,
    }


def _print_stages(done: list[StageResult]) -> None:
    lines = [[d.stage, f"{d.seconds:.1f}", "reused" if d.reused else "done"] for d in done]
    print_table(["stage", "seconds", ""], lines)


def _print_words(words: Mapping[str, Mapping[str, Any]]) -> None:
    """Which words the encoder does not know."""
    from recsys.evaluation.rendering import COVERAGE_COLUMNS, coverage_rows

    if words:
        print_table(COVERAGE_COLUMNS, coverage_rows(words))


def _print_figures(figures: Mapping[str, float], job: Job) -> None:
    """One line a model, one column a figure of the table; then what stands alone."""
    k = job.config.evaluation.ks[0]
    columns = [f"recall@{k}", f"hr@{k}", f"ndcg@{k}", f"mrr@{k}", f"cold_recall@{k}"]
    models = list(dict.fromkeys(name.split(".")[0] for name in figures if "." in name))
    lines = []
    for model in models:
        line = [figures.get(f"{model}.{column}") for column in columns]
        if any(value is not None for value in line):
            lines.append([model, *("" if value is None else f"{value:.4f}" for value in line)])
    print_table(["model", *columns], lines)
    for name, value in figures.items():
        if name.startswith("index.") or name == "seconds":
            typer.echo(f"  {name}: {value:g}")
