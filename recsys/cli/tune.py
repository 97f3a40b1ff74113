"""``recsys tune``: many trials of a configuration's options, the best chosen on validation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys.cli.output import WIDE, print_json, print_table
from recsys.cli.runs import RUNS, Again, AsJson, RunsFolder, resumable
from recsys.cli.screen import Screen

if TYPE_CHECKING:
    from recsys.tuning.memory import Trial

ENDED = {
    "trials": "as many trials as asked for",
    "minutes": "the minutes are over; more of them go on from here",
    "tried all": "every combination was tried",
}


class _Told:
    """A screen that sees trials as well as stages."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.starting, self.finished = screen.starting, screen.finished

    def proposed(self, number: int, total: int, chosen: Mapping[str, str]) -> None:
        """See :class:`recsys.tuning.running.StudyObserver`."""
        told = ", ".join(f"{key} {value}" for key, value in chosen.items())
        self._screen.say(f"trial {number}/{total}: {told}")

    def ended(self, trial: Trial, total: int, best: Trial | None) -> None:
        """See :class:`recsys.tuning.running.StudyObserver`."""
        self._screen.clear()
        told = trial.state if trial.figure is None else f"{trial.state}, {trial.figure:.4f}"
        if trial.reason:
            told += f" ({trial.reason})"
        so_far = "" if best is None else f"; best so far {best.figure:.4f}, trial {best.number}"
        self._screen.say(f"trial {trial.number}/{total}: {told} in {trial.seconds:.1f} s{so_far}")


def tune(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The study's TOML file.")],
    runs: RunsFolder = RUNS,
    trials: Annotated[
        int | None, typer.Option(min=1, help="How many, over all calls; else the file's number.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.0, help="Of training, over all calls; else the file's.")
    ] = None,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    """Try options of a run's configuration and choose on validation; the test is never scored.

    What was begun is gone on with. A trial that fails is kept with its reason and the others go
    on; the exit code is 1 where none succeeded.
    """
    from recsys.tuning.running import open_study
    from recsys.tuning.running import tune as run_study
    from recsys.tuning.table import columns_of, lines_of

    with Screen() as screen:
        study = open_study(config, runs=runs, progress=screen)
        with resumable(screen, study.folder):
            content = run_study(
                study,
                command=f"recsys tune {config}",
                observer=_Told(screen),
                trials=trials,
                minutes=minutes,
                begin="anew" if again else "resume",
            )
    if as_json:
        print_json(content)
    else:
        print_table(columns_of(content), lines_of(content), width=WIDE)
        typer.echo(f"Ended: {ENDED[content['ended']]}.")
        typer.echo(f"Best: {study.folder / 'best.toml'}" if content["best"] else "Best: none")
        typer.echo(f"Pages: {study.folder / 'trials.html'}, .png, .json")
    for trial in content["trials"]:
        if trial["state"] == "failed":
            typer.echo(f"failed: trial {trial['number']}: {trial['reason']}", err=True)
    if content["best"] is None:
        raise typer.Exit(1)
