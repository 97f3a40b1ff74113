"""Stages and their runner: results that are up to date and undamaged are reused, others are
recomputed.

A stage writes into a working folder that takes the stage's name only when it is complete, so that a
run killed at any moment resumes after the last complete stage.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

from recsys.errors import ConfigError
from recsys.files import read_json, replace_folder, sha256_file, sha256_json, write_json
from recsys.pipeline.fingerprints import fingerprint_paths
from recsys.version import __version__

RECORD = "stage.json"
FORMAT = 1
JobT = TypeVar("JobT")
Parts = Mapping[str, Any]


class Observer(Protocol):
    """Observer of a run."""

    def starting(self, stage: str, reason: str) -> None:
        """A stage starts; ``reason`` says why it is not reused."""
        return

    def chosen(self, choice: object) -> None:
        """A section was chosen from the data; its text is one line."""
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
        fault: Reason why results outside its folder cannot be reused, or "".
    """

    name: str
    needs: tuple[str, ...]
    version: int
    settings: Callable[[JobT], Mapping[str, Any]]
    run: Callable[[JobT, Path], StageOutput]
    inputs: Callable[[JobT], Mapping[str, Path]] = lambda job: {}
    restart: Literal["clean", "resume"] = "clean"
    fault: Callable[[JobT, StageResult], str] = lambda job, result: ""


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

    Stages in ``again`` are recomputed even if they are up to date; results in ``finished`` are not
    checked again, and this call extends it.

    Raises:
        ConfigError: There is no stage ``until``.
    """
    names = [stage.name for stage in stages]
    if until not in names:
        raise ConfigError(f"there is no stage '{until}'; there are: {', '.join(names)}")
    needed = {until}
    for stage in reversed(stages):
        if stage.name in needed:
            needed.update(stage.needs)
    finished = {} if finished is None else finished
    for stage in stages:
        if stage.name in needed and (stage.name in again or stage.name not in finished):
            # The fingerprints of all that the result depends on, stored to report changes.
            parts = {
                "code": f"{__version__}/{stage.name}/{stage.version}",
                "settings": sha256_json(stage.settings(job)),
                "inputs": fingerprint_paths(stage.inputs(job)),
                "needs": {name: finished[name].fingerprint for name in stage.needs},
            }
            result = _run_stage(stage, job, folder, parts, observer, again=stage.name in again)
            observer.finished(result)
            finished[stage.name] = result
    return [finished[name] for name in names if name in needed]


def _run_stage(
    stage: Stage[JobT], job: JobT, folder: Path, parts: Parts, observer: Observer, *, again: bool
) -> StageResult:
    fingerprint = sha256_json(parts)
    final, work = folder / stage.name, folder / ".work" / f"{stage.name}-{fingerprint[:16]}"
    if again:
        shutil.rmtree(work, ignore_errors=True)
    elif (result := _read(work, fingerprint)) is not None:
        _finish(work, final)  # killed between writing the last file and renaming the folder
        return result
    reason = "requested" if again else _outdated(final, parts)
    if not reason:
        result = _read(final, fingerprint)
        reason = _damage(final)
        if result is not None and not reason:
            reason = stage.fault(job, result)
            if not reason:
                return result
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
        "fingerprint": fingerprint,
        "parts": parts,
        "seconds": seconds,
        "figures": dict(output.figures),
        "notes": dict(output.notes),
        "files": _digests(work),
    }
    write_json(work / RECORD, content)  # the last file: if it exists, so do all the others
    _finish(work, final)
    return _result(content, reused=False)


def _outdated(final: Path, parts: Parts) -> str:
    """Why the result in ``final`` cannot be reused; "" if it can."""
    record = load_record(final)
    if record is None:
        return "not done yet"
    old = record.get("parts", {})
    for key, name in (("code", "the engine"), ("settings", "its settings")):
        if old.get(key) != parts[key]:
            return f"{name} changed"
    for key, kind in (("inputs", "input"), ("needs", "stage")):
        before, new = old.get(key, {}), parts[key]
        changed = sorted(k for k in new.keys() | before.keys() if new.get(k) != before.get(k))
        if changed:
            return f"{kind} '{changed[0]}' changed"
    return ""


def _damage(folder: Path) -> str:
    """Why the files of a stage are not those that it wrote; "" if they are."""
    written = (load_record(folder) or {}).get("files")
    if not isinstance(written, dict):
        return "its files have no digests"
    try:
        found = _digests(folder)
    except OSError as error:
        return f"its files cannot be read: {error.strerror}"
    for name, digest in written.items():
        if name not in found:
            return f"its file '{name}' is missing"
        if found[name] != digest:
            return f"its file '{name}' is damaged"
    return ""


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below ``folder`` but the record, by path with '/'."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    digests = {path.relative_to(folder).as_posix(): sha256_file(path) for path in paths}
    digests.pop(RECORD, None)
    return digests


def load_record(folder: Path) -> dict[str, Any] | None:
    """Content of ``stage.json``; None if it is missing or damaged."""
    try:
        content = read_json(folder / RECORD)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None


def _read(folder: Path, fingerprint: str) -> StageResult | None:
    content = load_record(folder)
    if content is None or content.get("fingerprint") != fingerprint:
        return None
    return _result(content, reused=True)


def _result(content: Mapping[str, Any], *, reused: bool) -> StageResult:
    names = ("stage", "seconds", "figures", "notes", "fingerprint")
    return StageResult(reused=reused, **{name: content[name] for name in names})


def _finish(work: Path, final: Path) -> None:
    """Rename the complete working folder to the stage's name and remove older ones."""
    replace_folder(work, final)
    for old in work.parent.glob(f"{final.name}-*"):
        shutil.rmtree(old, ignore_errors=True)
