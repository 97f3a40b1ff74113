"""One pass over batches: each a step, the loss of each looked at, each told."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

from recsys.errors import TrainingError
from recsys.progress import Progress

BatchT = TypeVar("BatchT")


def run_pass(
    batches: Iterable[BatchT],
    step: Callable[[BatchT], float],
    *,
    steps: int,
    number: int,
    told: str,
    shown: str,
    progress: Progress,
    lower: str,
) -> float:
    """The mean loss of an epoch.

    Args:
        batches: What each step learns from.
        step: From that to its loss.
        steps: How many there are.
        number: The epoch's.
        told: What progress is said to be of.
        shown: What it shows besides.
        progress: Told after every step.
        lower: The setting of the learning rate.

    Raises:
        TrainingError: A loss is not finite.
    """
    losses: list[float] = []
    for at, batch in enumerate(batches, start=1):
        losses.append(step(batch))
        if not math.isfinite(losses[-1]):
            raise TrainingError(
                f"the loss became {losses[-1]} in epoch {number}, step {at}: lower {lower} or"
                " train.clip_norm, or raise train.loss.temperature",
                field=lower,
            )
        progress(told, at, steps, f"loss {np.mean(losses):.3f}{shown}")
    return float(np.mean(losses))
