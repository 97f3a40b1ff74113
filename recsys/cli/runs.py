"""``recsys run`` and the commands of its stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys.cli.output import AsJson, print_json, print_table
from recsys.screen import Screen

if TYPE_CHECKING:
    from recsys.pipeline import Job
    from recsys.pipeline.stage import StageResult

TABLES = (".csv", ".tsv", ".parquet")


def _not_a_table(config: Path) -> Path:
    if config.suffix.lower() in TABLES:
        raise typer.BadParameter(
            f"{config} is a table; 'recsys init {config} > {config.stem}.toml' writes a "
            "configuration for it"
        )
    return config


ConfigPath = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="TOML file of the run.", callback=_not_a_table)
]
RunsFolder = Annotated[Path, typer.Option("--runs", help="Folder of all runs.")]
Again = Annotated[
    bool, typer.Option("--again", help="Recompute results even if they are up to date.")
]
RUNS = Path("runs")

HELP = {
    "ingest": "Read, check and store the log and the catalogue.",
    "encode": "Encode texts, pictures and attributes as feature blocks.",
    "train": "Train the two towers, from the last checkpoint if there is one.",
    "evaluate": "Evaluate the towers and the baselines on the test queries; write the report.",
    "index": "Build the index of every space and compare it with exact search.",
    "rank": "Train the ranker of the run's section [ranker].",
    "publish": "Publish a bundle: towers, features, indexes, catalogue.",
}


def add_to(app: typer.Typer) -> None:
    """Add ``run`` and one command per stage."""
    app.command()(run)
    for name, text in HELP.items():
        app.command(name, help=f"{text} Earlier stages are brought up to date.")(_command(name))


def run(
    config: ConfigPath,
    runs: RunsFolder = RUNS,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    """Run all stages: ingest, encode, train, evaluate, index, publish, serve and one query.

    Results of an earlier run that are up to date are reused.
    """
    from recsys.cli.trial import try_out
    from recsys.pipeline import STAGE_NAMES, data_lines, write_run_report

    with Screen() as screen:
        job, results = up_to(config, runs, "publish", screen, list(STAGE_NAMES) * again)
        with resumable(screen):
            screen.starting("serve", "requested")
            trial = try_out(job)
            screen.finished(trial)
    results = [*results, trial]
    report = write_run_report(job, results, command=f"recsys run {config}")
    if as_json:
        print_json(report)
        return
    _print_stages(results)
    typer.echo("\n".join(data_lines(results)))
    _print_figures(report["figures"], job)
    found = ", ".join(candidate["item_id"] for candidate in trial.notes["candidates"][:5])
    typer.echo(f"Query over gRPC, answered by bundle {trial.notes['bundle_version']}: {found}, ...")
    for write in trial.notes["writes"]:
        typer.echo(f"{write}.")
    typer.echo(f"Report: {job.folder / 'report.html'}  Figures: {job.folder / 'report.json'}")


def _command(stage: str) -> Callable[..., None]:
    def command(
        config: ConfigPath,
        runs: RunsFolder = RUNS,
        again: Again = False,
        as_json: AsJson = False,
    ) -> None:
        from recsys.pipeline import data_lines, write_run_report

        with Screen() as screen:
            job, results = up_to(config, runs, stage, screen, [stage] * again)
        result = results[-1]
        if stage == "evaluate":
            write_run_report(job, results, command=f"recsys evaluate {config}")
        if as_json:
            print_json(
                {
                    "stage": result.stage,
                    "folder": str(job.folder / result.stage),
                    "seconds": result.seconds,
                    "reused": result.reused,
                    "figures": dict(result.figures),
                    **result.notes,
                }
            )
            return
        _print_stages(results)
        if stage in ("ingest", "encode", "evaluate"):
            typer.echo("\n".join(data_lines(results)))
        if stage == "evaluate":
            _print_figures(result.figures, job)
        elif stage == "publish":
            typer.echo(f"Bundle {result.notes['version']}: recsys serve --bundles {job.bundles}")
        else:
            print_table(["figure", "value"], [[n, f"{v:g}"] for n, v in result.figures.items()])
        if stage == "encode":
            _print_coverage(result.notes["words"])
            _print_entries(result.notes.get("word_vector_file", {}))

    return command


def up_to(
    config: Path, runs: Path, stage: str, screen: Screen, again: list[str]
) -> tuple[Job, list[StageResult]]:
    """The run of a configuration, brought up to date up to ``stage``."""
    from recsys.pipeline import open_job, run_job

    job = open_job(config, runs=runs, progress=screen)
    with resumable(screen, job.folder):
        return job, run_job(job, until=stage, observer=screen, again=again)


@contextmanager
def resumable(screen: Screen, folder: Path | None = None) -> Iterator[None]:
    """Exit with 130 and a hint on an interrupt; libraries write into ``folder / libraries.log``."""
    logged = (
        nullcontext() if folder is None else screen.libraries_write_to(folder / "libraries.log")
    )
    try:
        with logged:
            yield
        screen.check_interrupted()
    except KeyboardInterrupt:
        screen.say("interrupted; complete results are kept: the same command resumes from here")
        raise typer.Exit(130) from None


def _print_stages(results: list[StageResult]) -> None:
    lines = [[r.stage, f"{r.seconds:.1f}", "reused" if r.reused else "done"] for r in results]
    print_table(["stage", "seconds", ""], lines)


def _print_coverage(words: Mapping[str, Mapping[str, object]]) -> None:
    from recsys.evaluation.rendering import (
        COVERAGE_COLUMNS,
        SCRIPT_COLUMNS,
        coverage_rows,
        script_rows,
    )

    if words:
        print_table(COVERAGE_COLUMNS, coverage_rows(words))
        print_table(SCRIPT_COLUMNS, script_rows(words))


def _print_entries(entries: Mapping[str, int]) -> None:
    """The number of entries of the word-vector file, and of those that gave no word."""
    if entries:
        lines = [[name.replace("_", " "), f"{count:,}"] for name, count in entries.items()]
        print_table(["word-vector file", "number"], lines)


def _print_figures(figures: Mapping[str, float], job: Job) -> None:
    """One line per model and one column per metric; the same for the index of each space."""
    k = job.config.evaluation.ks[0]
    metrics = [f"recall@{k}", f"hr@{k}", f"ndcg@{k}", f"mrr@{k}", f"cold_recall@{k}"]
    models = list(dict.fromkeys(name.split(".")[0] for name in figures if "." in name))
    lines = []
    for model in models:
        values = [figures.get(f"{model}.{metric}") for metric in metrics]
        if any(value is not None for value in values):
            lines.append([model, *("" if value is None else f"{value:.4f}" for value in values)])
    print_table(["model", *metrics], lines)
    _print_index_recall(figures)
    if "seconds" in figures:
        typer.echo(f"  seconds: {figures['seconds']:g}")
    for note in job.split.notes:
        typer.echo(note)


def _print_index_recall(figures: Mapping[str, float]) -> None:
    """One line per space and one column per k: the recall of the worst kind of query."""
    found: dict[str, dict[str, str]] = {}
    for name, value in figures.items():
        parts = name.split(".")
        if parts[0] == "index" and len(parts) == 3:
            found.setdefault(parts[1], {})[parts[2]] = f"{value:.4f}"
    columns = list(dict.fromkeys(name for values in found.values() for name in values))
    if found:
        lines = [
            [space, *(values.get(name, "") for name in columns)] for space, values in found.items()
        ]
        print_table(["index of the space", *columns], lines)
