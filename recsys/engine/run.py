"""The run behind an engine: its stages, brought up to date as ``recsys run`` does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from recsys.errors import DataError
from recsys.pipeline import Job, StageResult, run_job
from recsys.pipeline.running import CONFIG
from recsys.pipeline.stage import SILENT, Observer, load_record
from recsys.screen import Screen, quiet_libraries

LOG = "libraries.log"
"""File of the messages of native libraries, in the run's folder."""


@dataclass(frozen=True, eq=False)
class EngineRun:
    """A run whose towers and spaces an engine holds in memory.

    Attributes:
        job: The run.
        fitted: Results of the stages that the engine answers from, by name.
        progress: Whether work on the run is shown on stderr.
    """

    job: Job
    fitted: Mapping[str, StageResult]
    progress: bool

    @classmethod
    def of(cls, job: Job, *, progress: bool, lines: Sequence[str] = ()) -> EngineRun:
        """Bring the stages up to the index up to date; ``lines`` are shown first."""
        with _shown(job, progress, lines) as (watched, observer):
            results = run_job(watched, until="index", observer=observer)
        return cls(job, {each.stage: each for each in results}, progress)

    @property
    def command(self) -> str:
        """Command that repeats the run; for records, which hold no path of a machine."""
        folder, current = self.job.folder, Path.cwd()
        shown = folder.relative_to(current) if folder.is_relative_to(current) else folder.name
        return f"recsys run {(Path(shown) / CONFIG).as_posix()}"

    @contextmanager
    def evaluated(self) -> Iterator[tuple[Job, list[StageResult]]]:
        """Bring the evaluation up to date; the run and the results of all its stages.

        Raises:
            DataError: Another call has since fitted other data or settings in the same folder.
        """
        for stage, result in self.fitted.items():
            record = load_record(self.job.folder / stage) or {}
            if record.get("fingerprint") != result.fingerprint:
                raise DataError(
                    f"another fit has since replaced the stage '{stage}' of this engine in "
                    f"{self.job.folder}; fit again, with a name= or folder= of its own"
                )
        with _shown(self.job, self.progress) as (job, observer):
            work = observer if observer is SILENT else WorkObserver(observer)
            results = run_job(job, until="evaluate", observer=work)
            stages = dict(self.fitted) | {each.stage: each for each in results}
            yield job, list(stages.values())


@dataclass(frozen=True, eq=False)
class WorkObserver(Observer):
    """Reports stages that are computed to another observer, and none that are reused."""

    other: Observer

    def starting(self, stage: str, reason: str) -> None:
        """See :class:`recsys.pipeline.stage.Observer`."""
        self.other.starting(stage, reason)

    def finished(self, result: StageResult) -> None:
        """See :class:`recsys.pipeline.stage.Observer`."""
        if not result.reused:
            self.other.finished(result)


@contextmanager
def _shown(job: Job, progress: bool, lines: Sequence[str] = ()) -> Iterator[tuple[Job, Observer]]:
    """The run with its progress on a screen; native libraries write into the run's folder."""
    quiet_libraries()
    if not progress:
        yield job, SILENT
        return
    with Screen() as screen, screen.libraries_write_to(job.folder / LOG):
        for line in lines:
            screen.say(line)
        yield replace(job, progress=screen), screen
