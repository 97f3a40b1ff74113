"""Training beside TFRS' own tutorial model on MovieLens-1M: how soon as good, how fast, and why.

Run ``python -m benchmarks.training`` with ``RECSYS_DATA_HOME`` set and nothing else on the machine.
Leave-last-out; all users' validation queries, the whole catalogue ranked, what was met left out,
NDCG@10. Writes ``benchmarks/results/training.json``, and the tables of ``docs/speed.md`` from it.

- **Time to the tutorial's quality.** :class:`benchmarks.tfrs_tutorial.TfrsTutorial` is trained
  until its figure has not risen for ``PATIENCE`` epochs; its time is that up to its best one. The
  towers of ``TOWERS`` are trained by ``recsys.towers.fit`` until they first reach that best
  figure; their time is that up to there. Both count all that comes after the data are read:
  building, tracing, steps; neither counts validation. Three seeds, seed by seed.
- **Examples a second.** Steps of the tutorial and of the same towers, both 32 numbers wide, by
  turns in one process, traced and warm. An example is an interaction predicted; padding is none.
- **A step beside the size of the catalogue**: :mod:`benchmarks.step_time`, run last.
- **Where a step's time goes**: :mod:`benchmarks.training_profile`.

Each part is a process of its own, and kept in ``runs/training-benchmark`` until all are there: a
run that was stopped goes on after its last part, and the tutorial's after its last epoch. The
promises: 10 times sooner, 3 times as many examples a second, and a step that grows by no more than
20%.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks import speed_page, step_time, training_profile
from benchmarks.apart import apart, kept
from benchmarks.evaluation import limit
from benchmarks.movielens import MovieLens
from recsys.evaluation import Scorer, evaluate
from recsys.evaluation.record import write_record
from recsys.files import read_json, write_json
from recsys.pipeline.scoring import towers_scorer
from recsys.splits import LeaveLastOutConfig, Split, split
from recsys.towers import MeanHistory, SampledSoftmax, TowersConfig, TrainConfig

RESULT, KEPT = Path("benchmarks/results/training.json"), Path("runs/training-benchmark")
SEEDS, METRIC = (1, 2, 3), "ndcg@10"
EPOCHS, PATIENCE = 100, 5
"""Of the tutorial's model."""
TOWERS = TowersConfig(dimension=32, history=MeanHistory(window=20), terms="none", id_dropout=0.0)
TRAIN = TrainConfig(
    loss=SampledSoftmax(negatives=512, in_batch="none"),
    batch_positions=2048,
    learning_rate=5e-3,
    warmup_steps=0,
    epochs=5,
    patience=5,
)
"""Set for speed: a mean of the last films, few negatives."""
PAIRS, UNCOUNTED = 9, 3
"""Turns of both at taking steps, and further ones before the clock starts."""
EXAMPLES = 32_768
"""Of a turn, about."""


def main() -> None:
    """Measure what is not there yet, hold it beside each other, write."""
    parts = {name: kept(KEPT, name, partial(apart, "benchmarks.training", name)) for name in PARTS}
    steps = kept(KEPT, "step_time", step_time.main)
    write_record(
        RESULT,
        name="training",
        command="python -m benchmarks.training",
        seeds=SEEDS,
        figures=figures_of(parts, steps),
        towers=TOWERS.model_dump(mode="json"),
        train=TRAIN.model_dump(mode="json"),
        validation={name: parts[name]["figures"] for name in parts if "figures" in parts[name]},
    )
    speed_page.write(RESULT)
    shutil.rmtree(KEPT)


def figures_of(parts: dict[str, dict[str, Any]], steps: dict[str, float]) -> dict[str, float]:
    """The parts beside each other."""
    figures: dict[str, float] = {}
    pairs = [(parts[f"tutorial-{seed}"], parts[f"ours-{seed}"]) for seed in SEEDS]
    of_seeds = {
        "time_to_tutorial_quality_ratio": [his["seconds"] / own["seconds"] for his, own in pairs],
        "tutorial.seconds": [his["seconds"] for his, _ in pairs],
        "tutorial.epochs": [his["epoch"] for his, _ in pairs],
        f"tutorial.validation.{METRIC}": [his["figure"] for his, _ in pairs],
        "ours.seconds": [own["seconds"] for _, own in pairs],
        "ours.epochs": [own["epoch"] for _, own in pairs],
        f"ours.validation.{METRIC}": [own["figure"] for _, own in pairs],
        f"ours.best_validation.{METRIC}": [max(own["figures"]) for _, own in pairs],
    }
    for name, values in of_seeds.items():
        figures |= {name: float(np.mean(values)), f"{name}.std": float(np.std(values, ddof=1))}
    rates = parts["rates"]
    for name in ("tutorial", "ours"):
        figures[f"{name}.examples_per_second"] = float(np.median(rates[name]))
        figures[f"{name}.examples_per_second.best"] = max(rates[name])
    for ending in ("", ".best"):
        his, own = (figures[f"{who}.examples_per_second{ending}"] for who in ("tutorial", "ours"))
        figures[f"examples_per_second_ratio{ending}"] = own / his
    figures |= {name: value for name, value in steps.items() if not name.endswith("peak_gib")}
    sgemm = parts["limit"]["gflops"]
    return figures | training_profile.figures_of(parts["profile"], sgemm)


def tutorial(seed: int) -> dict[str, Any]:
    """The tutorial's model until its validation figure rises no more, or on from where it was."""
    from benchmarks.tfrs_tutorial import TfrsTutorial

    state = KEPT / f"tutorial-{seed}.state"
    parts, clock = data(), Clock()
    with clock.running():
        model = TfrsTutorial(parts.train, seed=seed)
    figures: list[float] = []
    seconds: list[float] = []
    if state.with_suffix(".so-far").exists():
        told = read_json(state.with_suffix(".so-far"))
        figures, seconds = told["figures"], told["every_seconds"]
        model.go_on_from(state / str(len(figures)))
        clock = Clock(seconds[-1])
    while len(figures) < EPOCHS and len(figures) - _best(figures) < PATIENCE:
        with clock.running():
            model.epoch()
        figures.append(quality(model.scorer(), parts))
        seconds.append(clock.seconds)
        _tell(f"tutorial, seed {seed}", figures, seconds)
        model.keep(state / str(len(figures)))
        write_json(state.with_suffix(".so-far"), {"figures": figures, "every_seconds": seconds})
    best = _best(figures)
    return {"figure": figures[best - 1], "seconds": seconds[best - 1], "epoch": best} | {
        "figures": figures,
        "every_seconds": seconds,
    }


def ours(seed: int, target: float | None = None) -> dict[str, Any]:
    """The towers until their validation figure first reaches the tutorial's best of this seed."""
    from recsys.towers import fit

    if target is None:
        target = read_json(KEPT / f"tutorial-{seed}.json")["figure"]
    parts, clock = data(), Clock()
    known = parts.train.active_users
    figures: list[float] = []
    seconds: list[float] = []

    def judge(towers: Any) -> float:
        with clock.stopped():
            figures.append(quality(towers_scorer(towers, known=known), parts))
        seconds.append(clock.seconds)
        _tell(f"ours, seed {seed}", figures, seconds)
        return figures[-1]

    with tempfile.TemporaryDirectory() as folder, clock.running():
        fit(
            parts.train,
            [],
            np.zeros((len(parts.train.phrases), 0), np.float32),
            towers=TOWERS,
            train=TRAIN.model_copy(update={"seed": seed}),
            folder=Path(folder),
            validate=judge,
        )
    reached = next((at for at, figure in enumerate(figures) if figure >= target), None)
    if reached is None:
        sys.exit(f"the towers came to {max(figures):.4f}, short of the tutorial's {target:.4f}")
    return {
        "figure": figures[reached],
        "seconds": seconds[reached],
        "epoch": reached + 1,
        "figures": figures,
        "every_seconds": seconds,
    }


def rates() -> dict[str, Any]:
    """Examples a second of both, turn by turn."""
    from benchmarks.tfrs_tutorial import BATCH, TfrsTutorial
    from benchmarks.tower_steps import TowerSteps

    log = data().train
    model, steps = TfrsTutorial(log, seed=SEEDS[0]), TowerSteps(log, TOWERS, TRAIN)
    rng = np.random.default_rng(SEEDS[0])
    batches = chain.from_iterable(steps.batches(epoch) for epoch in count(1))

    def his_turn() -> int:
        for _ in range(EXAMPLES // BATCH):
            model.step(rng.integers(len(log), size=BATCH))
        return EXAMPLES // BATCH * BATCH

    def own_turn() -> int:
        before = steps.positions
        for batch in islice(batches, EXAMPLES // TRAIN.batch_positions):
            steps.step(batch)
        return steps.positions - before

    found: dict[str, list[float]] = {"tutorial": [], "ours": []}
    for _ in range(UNCOUNTED + PAIRS):
        for name, turn in (("tutorial", his_turn), ("ours", own_turn)):
            began = time.perf_counter()
            done = turn()
            found[name].append(done / (time.perf_counter() - began))
    return {name: each[UNCOUNTED:] for name, each in found.items()}


def data() -> Split:
    """MovieLens-1M, leave-last-out."""
    return split(MovieLens().log, LeaveLastOutConfig())


def quality(scorer: Scorer, parts: Split) -> float:
    """``METRIC`` of the validation queries."""
    judged = evaluate(
        scorer,
        parts.validation,
        candidates=parts.candidates,
        item_counts=parts.train.item_counts,
        ks=(int(METRIC.split("@")[1]),),
        resamples=1,
    )
    return float(judged.figures[METRIC])


class Clock:
    """Seconds, of what is told to count."""

    def __init__(self, so_far: float = 0.0) -> None:
        self._sum, self._began = so_far, 0.0

    @property
    def seconds(self) -> float:
        """So far; read it while the clock is running or stopped."""
        return self._sum + (time.perf_counter() - self._began if self._began else 0.0)

    @contextmanager
    def running(self) -> Iterator[None]:
        """What is in here counts."""
        self._began = time.perf_counter()
        try:
            yield
        finally:
            self._sum, self._began = self.seconds, 0.0

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """What is in here does not, though what is around it does."""
        self._sum, self._began = self.seconds, 0.0
        try:
            yield
        finally:
            self._began = time.perf_counter()


def _best(figures: list[float]) -> int:
    """The number of the first best epoch; 0 before the first."""
    return int(np.argmax(figures)) + 1 if figures else 0


def _tell(who: str, figures: list[float], seconds: list[float]) -> None:
    told = f"{who}, epoch {len(figures)}: {METRIC} {figures[-1]:.4f}, {seconds[-1]:.1f} s"
    Console(stderr=True).print(told)


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    **{f"tutorial-{seed}": partial(tutorial, seed) for seed in SEEDS},
    **{f"ours-{seed}": partial(ours, seed) for seed in SEEDS},
    "rates": rates,
    "limit": limit,
    "profile": training_profile.profile,
}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(PARTS[sys.argv[1]]()))
    else:
        main()
