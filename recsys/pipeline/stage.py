"""Stages and their runner: results that are up to date are reused, others are recomputed.

A stage writes into a working folder that takes the stage's name only when it is complete, so that a
run killed at any moment resumes after the last complete stage.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

import recsys
from recsys.errors import ConfigError
from recsys.files import read_json, replace_folder, sha256_json, write_json
from recsys.pipeline.fingerprints import fingerprint_paths

RECORD = "stage.json"
FORMAT = 1
JobT = TypeVar("JobT")


class Observer(Protocol):
    """Observer of a run."""

    def starting(self, stage: str, reason: str) -> None:
        """A stage starts; ``reason`` says why it is not reused."""
        return

    def finished(self, result: StageResult) -> None:
        """A stage is up to date, computed or reused."""
        return


class SilentObserver(Observer):
    """An observer that ignores everything."""


SILENT = SilentObserver()


@dataclass(frozen=True)
class StageResult:
    """Result of a stage that is up to date.

    Attributes:
        stage: Name of the stage.
        seconds: Duration when it last ran, since its last start.
        reused: Whether an earlier result was taken.
        figures: Figures by name.
        notes: Further JSON values.
        fingerprint: Fingerprint of everything that the result depends on.
    """

    stage: str
    seconds: float
    reused: bool
    figures: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""


@dataclass(frozen=True)
class StageOutput:
    """Return value of a stage's function; its files are in the stage's folder."""

    figures: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage(Generic[JobT]):
    """One step from files to files.

    Attributes:
        name: Name of the stage and of its folder.
        needs: Stages whose results it reads.
        version: Version of its code; raised when equal settings give other files.
        settings: The part of the configuration that it depends on, as JSON values.
        run: Function that does the work in the given folder.
        inputs: External files that it reads, by a stable name.
        restart: Whether the working folder of a killed run is deleted or resumed.
        intact: Whether results outside its folder still exist.
    """

    name: str
    needs: tuple[str, ...]
    version: int
    settings: Callable[[JobT], Mapping[str, Any]]
    run: Callable[[JobT, Path], StageOutput]
    inputs: Callable[[JobT], Mapping[str, Path]] = lambda job: {}
    restart: Literal["clean", "resume"] = "clean"
    intact: Callable[[JobT, StageResult], bool] = lambda job, result: True


@dataclass(frozen=True)
class _Parts:
    """Fingerprints that make up a stage's fingerprint, stored to report which one changed."""

    code: str
    settings: str
    inputs: Mapping[str, str]
    needs: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        return sha256_json(asdict(self))


def run_stages(
    stages: Sequence[Stage[JobT]],
    job: JobT,
    folder: Path,
    *,
    until: str,
    observer: Observer = SILENT,
    again: Sequence[str] = (),
    finished: dict[str, StageResult] | None = None,
) -> list[StageResult]:
    """Bring ``until`` and the stages that it needs up to date, in the order of ``stages``.

    Args:
        stages: All stages, each after those that it needs.
        job: Argument of the stages' functions.
        folder: Parent of the stages' folders.
        until: Name of the last stage.
        observer: Observer of the stages.
        again: Stages to recompute even if they are up to date.
        finished: Results of earlier calls, which are not checked again; extended by this call.

    Raises:
        ConfigError: There is no stage ``until``.
    """
    wanted = _needed(stages, until)
    finished = {} if finished is None else finished
    for stage in stages:
        if stage.name in wanted and (stage.name in again or stage.name not in finished):
            parts = _parts(stage, job, finished)
            result = _run_stage(stage, job, folder, parts, observer, again=stage.name in again)
            observer.finished(result)
            finished[stage.name] = result
    return [finished[stage.name] for stage in stages if stage.name in wanted]


def _needed(stages: Sequence[Stage[JobT]], until: str) -> set[str]:
    needs = {stage.name: stage.needs for stage in stages}
    if until not in needs:
        raise ConfigError(f"there is no stage '{until}'; there are: {', '.join(needs)}")
    needed, queue = set(), [until]
    while queue:
        name = queue.pop()
        needed.add(name)
        queue.extend(needs[name])
    return needed


def _parts(stage: Stage[JobT], job: JobT, finished: Mapping[str, StageResult]) -> _Parts:
    return _Parts(
        code=f"{recsys.__version__}/{stage.name}/{stage.version}",
        settings=sha256_json(stage.settings(job)),
        inputs=fingerprint_paths(stage.inputs(job)),
        needs={name: finished[name].fingerprint for name in stage.needs},
    )


def _run_stage(
    stage: Stage[JobT], job: JobT, folder: Path, parts: _Parts, observer: Observer, *, again: bool
) -> StageResult:
    final = folder / stage.name
    work = folder / ".work" / f"{stage.name}-{parts.fingerprint[:16]}"
    if again:
        shutil.rmtree(work, ignore_errors=True)
    elif (result := _read(work, parts)) is not None:
        _finish(work, final)  # killed between writing the last file and renaming the folder
        return result
    reason = "requested" if again else _outdated(final, parts)
    if not reason:
        result = _read(final, parts)
        if result is not None and stage.intact(job, result):
            return result
        reason = "its result no longer exists"
    observer.starting(stage.name, reason)
    if stage.restart == "clean" or load_record(work) is not None:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    output = stage.run(job, work)
    seconds = round(time.monotonic() - began, 3)
    content: dict[str, Any] = {
        "format": FORMAT,
        "stage": stage.name,
        "fingerprint": parts.fingerprint,
        "parts": asdict(parts),
        "seconds": seconds,
        "figures": dict(output.figures),
        "notes": dict(output.notes),
    }
    write_json(work / RECORD, content)  # the last file: if it exists, so do all the others
    _finish(work, final)
    return StageResult(
        stage.name,
        seconds,
        reused=False,
        figures=content["figures"],
        notes=content["notes"],
        fingerprint=parts.fingerprint,
    )


def _outdated(final: Path, parts: _Parts) -> str:
    """Why the result in ``final`` cannot be reused; "" if it can."""
    record = load_record(final)
    if record is None:
        return "not done yet"
    old = record.get("parts", {})
    if old.get("code") != parts.code:
        return "the engine changed"
    if old.get("settings") != parts.settings:
        return "its settings changed"
    for kind, key, new in (("input", "inputs", parts.inputs), ("stage", "needs", parts.needs)):
        before = old.get(key, {})
        changed = sorted(k for k in new.keys() | before.keys() if new.get(k) != before.get(k))
        if changed:
            return f"{kind} '{changed[0]}' changed"
    return ""


def load_record(folder: Path) -> dict[str, Any] | None:
    """Content of ``stage.json``; None if it is missing or damaged."""
    try:
        content = read_json(folder / RECORD)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None


def _read(folder: Path, parts: _Parts) -> StageResult | None:
    content = load_record(folder)
    if content is None or content.get("fingerprint") != parts.fingerprint:
        return None
    names = ("stage", "seconds", "figures", "notes", "fingerprint")
    return StageResult(reused=True, **{name: content[name] for name in names})


def _finish(work: Path, final: Path) -> None:
    """Rename the complete working folder to the stage's name and remove older ones."""
    replace_folder(work, final)
    for old in work.parent.glob(f"{final.name}-*"):
        shutil.rmtree(old, ignore_errors=True)
