"""A peer on a data set: every setting judged on validation, the best one scored on the test.

Each setting is a process of its own and a part that is kept. Where the data set's split asks to
refit, the best is trained once more, on training and validation together, up to its best epoch;
elsewhere its lists for the test were written beside those for validation, and are read only now.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.quality.asking import Tell
from benchmarks.quality.datasets import DataSet
from benchmarks.quality.export import Exported
from benchmarks.quality.grids import TUTORIAL, Setting
from benchmarks.quality.judging import judge
from benchmarks.quality.kept import Made, keep
from benchmarks.quality.peer_models.files import Lists
from benchmarks.quality.peer_models.running import TOLD, lists_file
from benchmarks.quality.processes import Failed, run
from benchmarks.quality.scorer import ListScorer
from recsys.files import read_json
from recsys.pipeline.fingerprints import fingerprint_path
from recsys.splits import Split

K, SEED = 100, 1
HERE = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class World:
    """What the peers of one data set share.

    Attributes:
        data: The data set.
        parts: Its split.
        files: The split as files.
        by: The validation figure that chooses.
        refit: Whether the best setting is trained once more for the test ("none" or the parts).
        folder: Where what was made is kept.
        python: From nothing to the interpreter of the peers' environment; asked when it is needed.
        tell: Told of every part in a line.
    """

    data: DataSet
    parts: Split
    files: Exported
    by: str
    refit: str
    folder: Path
    python: Callable[[], Path]
    tell: Tell = field(repr=False)


@dataclass(frozen=True)
class PeerResult:
    """A peer's figures on the test, and how it came to its setting."""

    figures: Mapping[str, float]
    seconds: float
    peak_gib: float
    chosen: Setting
    tried: Sequence[Made]
    made: Made


def run_peer(world: World, peer: str, grid: Sequence[Setting]) -> PeerResult:
    """Try every setting, choose, score the test.

    Raises:
        Failed: No setting came to an end.
    """
    tried, failures = [], []
    for setting in grid:
        try:
            tried.append(_tried(world, peer, setting))
        except Failed as failure:
            failures.append(str(failure))
            world.tell(f"{world.data.name}: {peer} {_shown(setting)} failed: {failure}")
    if not tried:
        raise Failed(f"{peer} failed with every setting, last so: {failures[-1]}")
    best = max(tried, key=lambda each: _best(each)["figure"])
    chosen = dict(best["setting"])
    if "checkpoints" in chosen:
        chosen["checkpoints"] = [_best(best)["epochs"]]
    tested = _tested(world, peer, best, chosen)
    told = [{key: each[key] for key in ("setting", "checkpoints", "peak_gib")} for each in tried]
    told += [{"failed": failure.splitlines()[0]} for failure in failures]
    return PeerResult(
        tested["figures"], tested["seconds"], tested["peak_gib"], chosen, told, tested
    )


def _tried(world: World, peer: str, setting: Setting) -> Made:
    """One setting: its validation figure at each checkpoint; its lists stay in its folder."""
    parts = ("validation", "test") if world.refit == "none" else ("validation",)

    def make(folder: Path) -> Made:
        world.tell(f"{world.data.name}: {peer} {_shown(setting)} begins")
        told = _answered(world, peer, setting, folder, log="train", parts=parts)
        checkpoints = []
        for each in told["checkpoints"]:
            file = folder / lists_file("validation", epochs=each["epochs"])
            figure = _judged(world, peer, file, "validation", [world.by])[world.by]
            checkpoints.append({**each, "figure": figure})
            file.unlink()
        made = {"setting": dict(setting), "checkpoints": checkpoints, "peak_gib": told["peak_gib"]}
        best = _best(made)
        world.tell(
            f"{world.data.name}: {peer} {_shown(setting)} has validation {world.by}"
            f" {best['figure']:.4f} after {best['seconds']:.0f} s"
        )
        return {**made, "folder": folder.name}

    rests_on = _rests_on(world, peer, setting, log="train", parts=parts)
    return keep(world.folder, name=peer, rests_on=rests_on, make=make)


def _tested(world: World, peer: str, best: Made, chosen: Setting) -> Made:
    """The test's figures of the setting that was chosen."""

    def make(folder: Path) -> Made:
        epochs = chosen["checkpoints"][0] if "checkpoints" in chosen else None
        name = lists_file("test", epochs=epochs)
        if world.refit == "none":
            file = world.folder / best["folder"] / name
            seconds, peak = _best(best)["seconds"], best["peak_gib"]
        else:
            told = _answered(world, peer, chosen, folder, log="final", parts=("test",))
            file = folder / name
            seconds, peak = told["checkpoints"][-1]["seconds"], told["peak_gib"]
        figures = _judged(world, peer, file, "test", world.data.metrics)
        return {"figures": figures, "seconds": seconds, "peak_gib": peak}

    rests_on = _rests_on(world, peer, chosen, log="final", parts=("test",))
    rests_on |= {"metrics": list(world.data.metrics), "refit": world.refit}
    return keep(world.folder, name=f"{peer}-tested", rests_on=rests_on, make=make)


def _answered(
    world: World, peer: str, setting: Setting, folder: Path, *, log: str, parts: Sequence[str]
) -> Made:
    request = {
        "model": peer,
        "setting": dict(setting),
        "seed": SEED,
        "k": K,
        "log": str(world.files.logs[log]),
        "queries": {part: str(world.files.queries[part]) for part in parts},
        "out": str(folder),
    }
    own = peer == TUTORIAL
    python = Path(sys.executable) if own else world.python()
    module = "benchmarks.quality.tutorial" if own else "benchmarks.quality.peer_models"
    run((str(python), "-m", module), request, folder)
    told: Made = read_json(folder / TOLD)
    return told


def _judged(
    world: World, peer: str, file: Path, part: Any, metrics: Sequence[str]
) -> dict[str, float]:
    scorer = ListScorer(peer, Lists.load(file), items=len(world.parts.candidates))
    return judge(scorer, world.parts, part, metrics)


def _rests_on(
    world: World, peer: str, setting: Setting, *, log: str, parts: Sequence[str]
) -> dict[str, Any]:
    code = HERE / ("tutorial.py" if peer == TUTORIAL else f"peer_models/{peer}.py")
    return {
        "peer": peer,
        "setting": dict(setting),
        "seed": SEED,
        "by": world.by,
        "data": {name: world.files.marks[name] for name in (log, *parts)},
        "code": fingerprint_path(code),
        "requirements": fingerprint_path(HERE / "requirements.txt"),
    }


def _best(tried: Made) -> Made:
    """The checkpoint with the best validation figure, the earliest of equals."""
    found: Made = max(tried["checkpoints"], key=lambda each: each["figure"])
    return found


def _shown(setting: Setting) -> str:
    return ", ".join(f"{name} {value}" for name, value in setting.items() if name != "checkpoints")
