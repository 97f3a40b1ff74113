"""``recsys tune``: trials or variants of a run's configuration, compared on validation data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from recsys.cli.output import MAX_WIDTH, AsJson, print_json, print_table
from recsys.cli.runs import RUNS, Again, RunsFolder, resumable
from recsys.screen import Screen

if TYPE_CHECKING:
    from recsys.tuning.trial_store import Trial

ENDED = {
    "trials": "all trials were run",
    "minutes": "the time is over; call again with more minutes to continue",
    "tried all": "all combinations were tried",
}


class TrialScreen:
    """Screen that displays trials as well as stages."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.starting, self.finished = screen.starting, screen.finished
        self.chosen = screen.chosen

    def proposed(self, number: int, total: int, chosen: Mapping[str, str]) -> None:
        """See :class:`recsys.tuning.study.StudyObserver`."""
        values = ", ".join(f"{key} {value}" for key, value in chosen.items())
        self._screen.say(f"trial {number}/{total}: {values}")

    def ended(self, trial: Trial, total: int, best: Trial | None) -> None:
        """See :class:`recsys.tuning.study.StudyObserver`."""
        self._screen.clear()
        outcome = trial.state if trial.figure is None else f"{trial.state}, {trial.figure:.4f}"
        if trial.reason:
            outcome += f" ({trial.reason})"
        so_far = "" if best is None else f"; best so far {best.figure:.4f}, trial {best.number}"
        seconds = f"{trial.seconds:.1f} s"
        self._screen.say(f"trial {trial.number}/{total}: {outcome} in {seconds}{so_far}")


def tune(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The study's TOML file.")],
    runs: RunsFolder = RUNS,
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="Number of trials over all calls; default: the file's."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.0, help="Training time over all calls; default: the file's."),
    ] = None,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    """Try options of a run's configuration and choose on validation; the test is never scored.

    A study that was interrupted continues. A trial that fails is reported with its reason and the
    others continue; the exit code is 1 where none succeeded.
    """
    from recsys.errors import ConfigError
    from recsys.tuning.running import tune as run_study
    from recsys.tuning.study import VariantStudy, open_study
    from recsys.tuning.variants import compare_variants

    command = f"recsys tune {config}"
    begin: Literal["again", "resume"] = "again" if again else "resume"
    with Screen() as screen:
        study, observer = open_study(config, runs=runs, progress=screen), TrialScreen(screen)
        with resumable(screen, study.folder):
            content: dict[str, Any]
            if isinstance(study, VariantStudy):
                if trials is not None or minutes is not None:
                    raise ConfigError(
                        "--trials and --minutes are for studies with a space; the number of trials"
                        " of a list of variants is that of its variants and seeds"
                    )
                content = compare_variants(study, command=command, observer=observer, begin=begin)
            else:
                content = run_study(
                    study,
                    command=command,
                    observer=observer,
                    trials=trials,
                    minutes=minutes,
                    begin=begin,
                )
    if as_json:
        print_json(content)
    elif isinstance(study, VariantStudy):
        _print_variants(content, study)
    else:
        _print_trials(content, study.folder)
    failures = content.get("failures") or {
        f"trial {trial['number']}": trial["reason"]
        for trial in content.get("trials", ())
        if trial["state"] == "failed"
    }
    for name, reason in failures.items():
        typer.echo(f"failed: {name}: {reason}", err=True)
    if not content.get("variants") and content.get("best") is None:
        raise typer.Exit(1)


def _print_trials(content: Mapping[str, Any], folder: Path) -> None:
    from recsys.tuning.table import trial_columns, trial_lines

    print_table(trial_columns(content), trial_lines(content), width=MAX_WIDTH)
    typer.echo(f"Ended: {ENDED[content['ended']]}.")
    typer.echo(f"Best: {folder / 'best.toml'}" if content["best"] else "Best: none")
    typer.echo(f"Pages: {folder / 'trials.html'}, .png, .json")


def _print_variants(content: Mapping[str, Any], study: Any) -> None:
    from recsys.tuning.table import variant_columns, variant_lines

    metrics, reference = content["metrics"], study.reference.name
    lines = variant_lines(content["variants"], metrics, reference=reference)
    print_table(variant_columns(metrics), lines, width=MAX_WIDTH)
    typer.echo(f"Record: {study.folder / 'variants.json'}")
