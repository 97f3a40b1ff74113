"""Training on MovieLens-1M compared with TFRS' own tutorial model: time to quality, and speed.

Run ``python -m benchmarks.training`` with ``RECSYS_DATA_HOME`` set and nothing else on the machine.
Leave-last-out, NDCG@10 of all validation queries over the whole catalogue. Writes
``benchmarks/results/training.json``, and the tables of ``docs/explanation/speed.md`` from it.

- **Time to the tutorial's quality.** The tutorial's model is trained until its figure has not risen
  for ``PATIENCE`` epochs; its time is that of its best epoch. The towers of ``TOWERS`` are trained
  by ``recsys.towers.fit`` until they first reach that figure. Both times include building and
  tracing and exclude reading the data and validation. Three seeds, paired.
- **Examples per second.** Alternating steps of both models in one process, after tracing. An
  example is a predicted interaction; padding does not count.
- **Step time over the size of the catalogue**: :mod:`benchmarks.training.step_time`, run last.
- **Profile of a step**: :mod:`benchmarks.training.profile`.

Each part is a process of its own and cached in ``runs/training-benchmark`` until all are complete:
an interrupted run continues after its last part. The targets: 10 times sooner, 3 times as many
examples per second, and a step that grows by at most 20%.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.movielens import MovieLens
from benchmarks.processes import answer_request, run_process
from benchmarks.training import profile, step_time
from benchmarks.training.page import RESULT, write_page
from recsys.evaluation import Scorer
from recsys.evaluation.record import write_record
from recsys.files import read_json
from recsys.pipeline.scoring import towers_scorer
from recsys.splits import LeaveLastOutConfig, Split, split
from recsys.towers import MeanHistory, SampledSoftmax, TowersConfig, TrainConfig
from recsys.tuning.cached import Result, cached_result
from recsys.tuning.table import means
from recsys.tuning.variants import evaluate_part

RUNS = Path("runs/training-benchmark")
SEEDS, METRIC = (1, 2, 3), "ndcg@10"
EPOCHS, PATIENCE = 100, 5
"""Limits of the tutorial's model."""
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
TURNS, WARM_UP, EXAMPLES = 9, 3, 32_768
"""Counted turns of both models, turns before them, and examples per turn."""


def main() -> None:
    """Measure the missing parts and write the record and the page."""
    parts = {name: _part(name) for name in PARTS}
    steps = cached_result(
        RUNS, name="step_time", depends_on=None, compute=lambda folder: step_time.main()
    )
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
    write_page(read_json(RESULT)["figures"])
    shutil.rmtree(RUNS)


def _part(name: str) -> Result:
    def compute(folder: Path) -> Result:
        print(f"{name}: its progress is in {folder}", file=sys.stderr, flush=True)
        return run_process("benchmarks.training", {"part": name}, folder)

    return cached_result(RUNS, name=name, depends_on=None, compute=compute)


def figures_of(parts: dict[str, dict[str, Any]], steps: dict[str, Any]) -> dict[str, float]:
    """Figures of the record."""
    per_seed = []
    for seed in SEEDS:
        tutorial, ours = parts[f"tutorial-{seed}"], parts[f"ours-{seed}"]
        own = {"time_to_tutorial_quality_ratio": tutorial["seconds"] / ours["seconds"]}
        for model, result in (("tutorial", tutorial), ("ours", ours)):
            own[f"{model}.seconds"], own[f"{model}.epochs"] = result["seconds"], result["epoch"]
            own[f"{model}.validation.{METRIC}"] = result["figure"]
        per_seed.append({**own, f"ours.best_validation.{METRIC}": max(ours["figures"])})
    figures = means(per_seed)
    rates = parts["rates"]
    for name in ("tutorial", "ours"):
        figures[f"{name}.examples_per_second"] = float(np.median(rates[name]))
        figures[f"{name}.examples_per_second.best"] = max(rates[name])
    for ending in ("", ".best"):
        tutorial, ours = (
            figures[f"{model}.examples_per_second{ending}"] for model in ("tutorial", "ours")
        )
        figures[f"examples_per_second_ratio{ending}"] = ours / tutorial
    figures |= {
        name: value for name, value in steps.items() if name.endswith((".milliseconds", "_items"))
    }
    return figures | profile.figures_of(parts["profile"])


def train_tutorial(seed: int) -> Result:
    """Train the tutorial's model until its figure stops rising."""
    from benchmarks.training.tutorial import TfrsTutorial

    parts = data()
    curve = LearningCurve(parts)
    model = TfrsTutorial(parts.train, seed=seed)
    while len(curve.figures) < EPOCHS and len(curve.figures) - curve.best < PATIENCE:
        model.epoch()
        curve.add(model.scorer())
    return curve.until(curve.best)


def train_ours(seed: int, target: float | None = None) -> Result:
    """Train the towers until their figure first reaches the tutorial's best of this seed."""
    from recsys.towers import fit

    target = _part(f"tutorial-{seed}")["figure"] if target is None else target
    parts = data()
    curve, known = LearningCurve(parts), parts.train.active_users
    with tempfile.TemporaryDirectory() as folder:
        fit(
            parts.train,
            [],
            np.zeros((len(parts.train.phrases), 0), np.float32),
            towers=TOWERS,
            train=TRAIN.model_copy(update={"seed": seed}),
            folder=Path(folder),
            validate=lambda towers: curve.add(towers_scorer(towers, known=known)),
        )
    reached = [epoch for epoch, figure in enumerate(curve.figures, start=1) if figure >= target]
    if not reached:
        sys.exit(
            f"the towers reached {max(curve.figures):.4f}, less than the tutorial's {target:.4f}"
        )
    return curve.until(reached[0])


def measure_rates() -> dict[str, Any]:
    """Examples per second of both models, in alternating turns."""
    from benchmarks.training.steps import TowerSteps
    from benchmarks.training.tutorial import BATCH, TfrsTutorial

    log = data().train
    model, steps = TfrsTutorial(log, seed=SEEDS[0]), TowerSteps(log, TOWERS, TRAIN)
    rng = np.random.default_rng(SEEDS[0])
    batches = chain.from_iterable(steps.batches(epoch) for epoch in count(1))

    def tutorial_turn() -> int:
        for _ in range(EXAMPLES // BATCH):
            model.step(rng.integers(len(log), size=BATCH))
        return EXAMPLES // BATCH * BATCH

    def our_turn() -> int:
        before = steps.positions
        for batch in islice(batches, EXAMPLES // TRAIN.batch_positions):
            steps.step(batch)
        return steps.positions - before

    rates: dict[str, list[float]] = {"tutorial": [], "ours": []}
    for _ in range(WARM_UP + TURNS):
        for name, turn in (("tutorial", tutorial_turn), ("ours", our_turn)):
            start = time.perf_counter()
            examples = turn()
            rates[name].append(examples / (time.perf_counter() - start))
    return {name: values[WARM_UP:] for name, values in rates.items()}


def data() -> Split:
    """MovieLens-1M, leave-last-out."""
    return split(MovieLens().log, LeaveLastOutConfig())


def quality(scorer: Scorer, parts: Split) -> float:
    """``METRIC`` of the validation queries."""
    return evaluate_part(scorer, parts, "validation", [METRIC])[METRIC]


class LearningCurve:
    """Validation figure of each epoch, and the seconds until then without validation."""

    def __init__(self, parts: Split) -> None:
        self._parts, self._start = parts, time.perf_counter()
        self.figures: list[float] = []
        self.seconds: list[float] = []

    @property
    def best(self) -> int:
        """Number of the first best epoch; 0 before the first."""
        return int(np.argmax(self.figures)) + 1 if self.figures else 0

    def add(self, scorer: Scorer) -> float:
        """Validate after an epoch; its figure."""
        stopped = time.perf_counter()
        self.seconds.append(stopped - self._start)
        self.figures.append(quality(scorer, self._parts))
        epoch, figure = len(self.figures), self.figures[-1]
        print(f"epoch {epoch}: {METRIC} {figure:.4f}, {self.seconds[-1]:.1f} s")
        self._start += time.perf_counter() - stopped
        return figure

    def until(self, epoch: int) -> Result:
        """Figure and seconds of an epoch, and those of all."""
        return {
            "figure": self.figures[epoch - 1],
            "seconds": self.seconds[epoch - 1],
            "epoch": epoch,
            "figures": self.figures,
            "every_seconds": self.seconds,
        }


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    **{f"tutorial-{seed}": partial(train_tutorial, seed) for seed in SEEDS},
    **{f"ours-{seed}": partial(train_ours, seed) for seed in SEEDS},
    "rates": measure_rates,
    "profile": profile.profile,
}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        answer_request(lambda request: PARTS[request["part"]]())
    else:
        main()
