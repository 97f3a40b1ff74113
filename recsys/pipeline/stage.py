"""Stages and the one way they are run: what still stands is reused, what does not is done anew.

A stage writes into a working folder that takes the stage's name only when all of it is there, so
that a run killed at any moment starts again from the last whole stage. This module knows no
stage in particular.
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
    """Sees how a run goes; the command line draws it."""

    def starting(self, stage: str, reason: str) -> None:
        """A stage begins; ``reason`` says why it is not reused."""

    def finished(self, done: StageResult) -> None:
        """A stage stands, done or reused."""


@dataclass(frozen=True)
class StageResult:
    """A stage that stands.

    Attributes:
        stage: Its name.
        seconds: How long it took when it was last done, from its (last) start to its end.
        reused: Whether its earlier result was taken.
        figures: Its figures, by name.
        notes: Further JSON values worth keeping.
    """

    stage: str
    seconds: float
    reused: bool
    figures: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StageOutput:
    """What a stage's function hands back; its files are in its folder."""

    figures: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage(Generic[JobT]):
    """One step from files to files.

    Attributes:
        name: Also the name of its folder.
        needs: The stages whose results it reads.
        version: Raised whenever the same settings would make other files.
        settings: The part of the configuration that it depends on, as JSON values.
        inputs: The outside files that it reads, by a name that does not change.
        run: Does the work, into the folder given.
        restart: What a working folder left by a killed run is for: nothing, or to go on from.
        intact: Whether what the stage made outside of its folder still stands.
    """

    name: str
    needs: tuple[str, ...]
    version: int
    settings: Callable[[JobT], Mapping[str, Any]]
    inputs: Callable[[JobT], Mapping[str, Path]]
    run: Callable[[JobT, Path], StageOutput]
    restart: Literal["clean", "resume"] = "clean"
    intact: Callable[[JobT, StageResult], bool] = lambda job, done: True


@dataclass(frozen=True)
class _Parts:
    """The fingerprints that a stage's own is made of, kept to say which of them changed."""

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
    observer: Observer,
    again: Sequence[str] = (),
) -> list[StageResult]:
    """Bring ``until`` and all that it needs up to date, in the order of ``stages``.

    Args:
        stages: Every stage, each after those it needs.
        job: Handed to the stages' functions.
        folder: Where each stage has a folder.
        until: The last stage wanted.
        observer: Told of every stage.
        again: Stages to do anew even where they still stand.

    Raises:
        ConfigError: There is no stage ``until``.
    """
    wanted = _wanted(stages, until)
    fingerprints: dict[str, str] = {}
    results = []
    for stage in stages:
        if stage.name not in wanted:
            continue
        parts = _parts(stage, job, fingerprints)
        done = _run_stage(stage, job, folder, parts, observer, anew=stage.name in again)
        fingerprints[stage.name] = parts.fingerprint
        observer.finished(done)
        results.append(done)
    return results


def _wanted(stages: Sequence[Stage[JobT]], until: str) -> set[str]:
    needs = {stage.name: stage.needs for stage in stages}
    if until not in needs:
        raise ConfigError(f"there is no stage '{until}'; there are: {', '.join(needs)}")
    wanted, queue = set(), [until]
    while queue:
        name = queue.pop()
        wanted.add(name)
        queue.extend(needs[name])
    return wanted


def _parts(stage: Stage[JobT], job: JobT, fingerprints: Mapping[str, str]) -> _Parts:
    return _Parts(
        code=f"{recsys.__version__}/{stage.name}/{stage.version}",
        settings=sha256_json(stage.settings(job)),
        inputs=fingerprint_paths(stage.inputs(job)),
        needs={name: fingerprints[name] for name in stage.needs},
    )


def _run_stage(
    stage: Stage[JobT], job: JobT, folder: Path, parts: _Parts, observer: Observer, *, anew: bool
) -> StageResult:
    final = folder / stage.name
    work = folder / ".work" / f"{stage.name}-{parts.fingerprint[:16]}"
    if anew:
        shutil.rmtree(work, ignore_errors=True)
    elif (done := _read(work, parts)) is not None:
        # Killed after the last file was written and before the folder took its name.
        _settle(work, final)
        return done
    reason = "asked for" if anew else _stale(stage.name, final, parts)
    if not reason:
        done = _read(final, parts)
        if done is not None and stage.intact(job, done):
            return done
        reason = "what it made is no longer there"
    observer.starting(stage.name, reason)
    if stage.restart == "clean" or load_record(work) is not None:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    outcome = stage.run(job, work)
    seconds = round(time.monotonic() - began, 3)
    done = StageResult(stage.name, seconds, False, dict(outcome.figures), dict(outcome.notes))
    _write(work, parts, done)
    _settle(work, final)
    return done


def _stale(name: str, final: Path, parts: _Parts) -> str:
    """Why the result in ``final`` cannot be reused; "" where it can."""
    record = load_record(final)
    if record is None:
        return "not done yet"
    old = record.get("parts", {})
    if old.get("code") != parts.code:
        return "the engine changed"
    if old.get("settings") != parts.settings:
        return "its settings changed"
    for what, new in (("input", parts.inputs), ("stage", parts.needs)):
        was = old.get("inputs" if what == "input" else "needs", {})
        changed = sorted(key for key in new.keys() | was.keys() if new.get(key) != was.get(key))
        if changed:
            return f"{what} '{changed[0]}' changed"
    return ""


def load_record(folder: Path) -> dict[str, Any] | None:
    """What ``stage.json`` holds; None where there is none that can be read."""
    try:
        content = read_json(folder / RECORD)
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return None
    return content


def _read(folder: Path, parts: _Parts) -> StageResult | None:
    content = load_record(folder)
    if content is None or content.get("fingerprint") != parts.fingerprint:
        return None
    return StageResult(
        content["stage"], content["seconds"], True, content["figures"], content["notes"]
    )


def _write(folder: Path, parts: _Parts, done: StageResult) -> None:
    """The record is the last file of a stage: where it is, all the others are."""
    content = {
        "format": FORMAT,
        "stage": done.stage,
        "fingerprint": parts.fingerprint,
        "parts": asdict(parts),
        "seconds": done.seconds,
        "figures": dict(done.figures),
        "notes": dict(done.notes),
    }
    write_json(folder / RECORD, content)


def _settle(work: Path, final: Path) -> None:
    """Give the whole working folder the stage's name, and forget what came before it."""
    replace_folder(work, final)
    for left in work.parent.glob(f"{final.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
