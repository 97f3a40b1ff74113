"""Other models on a data set: every setting scored on validation, the best one on the test.

Each setting is a cached result, computed in a process of its own. Where the split asks to refit,
the best setting is trained once more on training and validation data together, for its best number
of epochs; elsewhere its lists for the test were written together with those for validation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.processes import ProcessFailed, run_process
from benchmarks.quality.datasets import DataSet
from benchmarks.quality.grids import TUTORIAL, Setting
from benchmarks.quality.peer_models.answering import lists_file
from benchmarks.quality.peer_models.files import RankedLists
from benchmarks.quality.scoring import ListScorer
from recsys.pipeline.fingerprints import fingerprint_path
from recsys.splits import Split
from recsys.tuning.cached import Result, cached_result
from recsys.tuning.variants import evaluate_part

K, SEED = 100, 1
FOLDER = Path(__file__).parent
Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class PeerData:
    """Data that the peers of one data set share."""

    data: DataSet
    parts: Split
    files: Mapping[str, Path]
    choose_by: str
    refit: str
    folder: Path
    python: Callable[[], Path]
    say: Say = field(repr=False)


def run_peer(data: PeerData, peer: str, grid: Sequence[Setting]) -> Result:
    """Try every setting, choose the best, score the test.

    Returns:
        ``figures`` of the test, ``seconds``, ``peak_gib``, the ``chosen`` setting, all ``tried``.

    Raises:
        ProcessFailed: All settings failed.
    """
    tried, failures = [], []
    for setting in grid:
        try:
            tried.append(_validate(data, peer, setting))
        except ProcessFailed as failure:
            failures.append(str(failure))
            data.say(f"{data.data.name}: {peer} {_text(setting)} failed: {failure}")
    if not tried:
        raise ProcessFailed(f"{peer} failed with every setting; the last failure: {failures[-1]}")
    best = max(tried, key=lambda each: _best(each)["figure"])
    chosen = dict(best["setting"])
    if "checkpoints" in chosen:
        chosen["checkpoints"] = [_best(best)["epochs"]]
    tested = _test(data, peer, best, chosen)
    all_tried = [
        {key: each[key] for key in ("setting", "checkpoints", "peak_gib")} for each in tried
    ]
    all_tried += [{"failed": failure.splitlines()[0]} for failure in failures]
    return {**tested, "chosen": chosen, "tried": all_tried}


def _validate(data: PeerData, peer: str, setting: Setting) -> Result:
    """Validation figure of a setting at each checkpoint; its lists stay in its folder."""
    parts = ("validation", "test") if data.refit == "none" else ("validation",)

    def compute(folder: Path) -> Result:
        data.say(f"{data.data.name}: {peer} {_text(setting)} starts")
        answer = _run(data, peer, setting, folder, log="train", parts=parts)
        checkpoints = []
        for each in answer["checkpoints"]:
            file = folder / lists_file("validation", epochs=each["epochs"])
            figure = _score(data, peer, file, "validation", [data.choose_by])[data.choose_by]
            checkpoints.append({**each, "figure": figure})
            file.unlink()
        result = {"setting": dict(setting), "checkpoints": checkpoints, "folder": folder.name}
        best = _best(result)
        data.say(
            f"{data.data.name}: {peer} {_text(setting)} has validation {data.choose_by}"
            f" {best['figure']:.4f} after {best['seconds']:.0f} s"
        )
        return {**result, "peak_gib": answer["peak_gib"]}

    depends_on = _dependencies(data, peer, setting, log="train", parts=parts)
    return cached_result(data.folder, name=peer, depends_on=depends_on, compute=compute)


def _test(data: PeerData, peer: str, best: Result, chosen: Setting) -> Result:
    """Test figures of the chosen setting."""

    def compute(folder: Path) -> Result:
        name = lists_file("test", epochs=chosen.get("checkpoints", [None])[0])
        if data.refit == "none":
            file = data.folder / best["folder"] / name
            seconds, peak = _best(best)["seconds"], best["peak_gib"]
        else:
            answer = _run(data, peer, chosen, folder, log="final", parts=("test",))
            file = folder / name
            seconds, peak = answer["checkpoints"][-1]["seconds"], answer["peak_gib"]
        figures = _score(data, peer, file, "test", data.data.metrics)
        return {"figures": figures, "seconds": seconds, "peak_gib": peak}

    depends_on = _dependencies(data, peer, chosen, log="final", parts=("test",))
    depends_on |= {"metrics": list(data.data.metrics), "refit": data.refit}
    return cached_result(data.folder, name=f"{peer}-tested", depends_on=depends_on, compute=compute)


def _run(
    data: PeerData, peer: str, setting: Setting, folder: Path, *, log: str, parts: Sequence[str]
) -> Result:
    request = {
        "model": peer,
        "setting": dict(setting),
        "seed": SEED,
        "k": K,
        "log": str(data.files[log]),
        "queries": {part: str(data.files[part]) for part in parts},
        "out": str(folder),
    }
    if peer == TUTORIAL:
        return run_process("benchmarks.quality.tutorial", request, folder)
    python = str(data.python())
    return run_process("benchmarks.quality.peer_models", request, folder, python=python)


def _score(
    data: PeerData, peer: str, file: Path, part: Any, metrics: Sequence[str]
) -> dict[str, float]:
    scorer = ListScorer(peer, RankedLists.load(file), items=len(data.parts.candidates))
    return evaluate_part(scorer, data.parts, part, metrics)


def _dependencies(
    data: PeerData, peer: str, setting: Setting, *, log: str, parts: Sequence[str]
) -> dict[str, Any]:
    code = FOLDER / ("tutorial.py" if peer == TUTORIAL else f"peer_models/{peer}.py")
    return {
        "peer": peer,
        "setting": dict(setting),
        "seed": SEED,
        "by": data.choose_by,
        "data": {name: data.files[name].name for name in (log, *parts)},
        "code": fingerprint_path(code),
        "requirements": fingerprint_path(FOLDER / "requirements.txt"),
    }


def _best(tried: Result) -> Result:
    """The checkpoint with the best validation figure, the earliest of equals."""
    best: Result = max(tried["checkpoints"], key=lambda each: each["figure"])
    return best


def _text(setting: Setting) -> str:
    return ", ".join(f"{name} {value}" for name, value in setting.items() if name != "checkpoints")
