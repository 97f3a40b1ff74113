"""Judging: whatever was learned, by whom ever, is ranked and measured by the one evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from recsys.evaluation import Scorer, evaluate
from recsys.splits import Split


def judge(
    scorer: Scorer, parts: Split, part: Literal["validation", "test"], metrics: Sequence[str]
) -> dict[str, float]:
    """Figures of a scorer on a part of the split, all items ranked.

    Args:
        scorer: What is judged.
        parts: The split.
        part: Which queries.
        metrics: Names such as ``ndcg@10``.
    """
    learned = parts.train if part == "validation" else parts.final
    scored = evaluate(
        scorer,
        parts.validation if part == "validation" else parts.test,
        candidates=parts.candidates,
        item_counts=learned.item_counts,
        ks=sorted({int(metric.split("@")[1]) for metric in metrics}),
        resamples=1,
    )
    return {metric: float(scored.figures[metric]) for metric in metrics}
