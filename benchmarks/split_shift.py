"""Is Gowalla's validation file like its test file? How far each is from a random draw of the log.

Run ``python -m benchmarks.split_shift`` with ``RECSYS_DATA_HOME`` set; it takes a minute. Of items
met at least ``LEAST`` times, by how often: with x of an item's t interactions in a part that holds
the share p of all of theirs,

    dispersion = mean over items of (x - t p)^2 / (t p (1 - p)),

which is 1 where each interaction fell into the part by a throw of the dice (Pearson's statistic
over its degrees of freedom), and more where items moved together. Writes
``benchmarks/results/split_shift.json``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.quality.datasets import GOWALLA
from recsys.cli.screen import Screen
from recsys.evaluation.metrics import Counts
from recsys.evaluation.record import write_record
from recsys.pipeline import open_job, run_job

RESULT, RUNS = Path("benchmarks/results/split_shift.json"), Path("runs/split-shift")
LEAST = 20
BOUNDS = (LEAST, 40, 100, 200)
"""Items met so often at least, up to the next."""


def main() -> None:
    """Count, write and print."""
    with Screen() as screen:
        job = open_job(GOWALLA.config, runs=RUNS, progress=screen)
        run_job(job, until="ingest", observer=screen)
    parts = job.split
    train, final = parts.train.item_counts, parts.final.item_counts
    test = np.bincount(parts.test.target_rows, minlength=len(final))
    figures = {
        **shift("validation", final - train, final),
        **shift("test", test, final + test),
    }
    write_record(
        RESULT,
        name="split-shift",
        command="python -m benchmarks.split_shift",
        seeds=[],
        figures=figures,
    )
    table = Table(
        "items met", *(f"{part} {what}" for part in ("validation", "test") for what in WHAT)
    )
    for at, least in enumerate(BOUNDS):
        name = f"from {least}" + (f" to {BOUNDS[at + 1] - 1}" if at + 1 < len(BOUNDS) else "")
        cells = [
            figures[f"{part}.{least}.{what}"] for part in ("validation", "test") for what in WHAT
        ]
        table.add_row(name, *(f"{cell:.2f}" for cell in cells))
    Console().print(table)


WHAT = ("share", "dispersion")


def shift(part: str, there: Counts, whole: Counts) -> dict[str, float]:
    """``PART.LEAST.share`` and ``PART.LEAST.dispersion`` of each range of items.

    Args:
        part: In the names.
        there: How often each item is in the part, int ``[items]``.
        whole: How often it is in all, the part included.

    Example:
        >>> drawn = np.random.default_rng(1).binomial(50, 0.2, size=1000)
        >>> figures = shift("test", drawn, np.full(1000, 50))
        >>> round(figures["test.40.share"], 1), round(figures["test.40.dispersion"], 1)
        (0.2, 1.0)
    """
    figures: dict[str, float] = {}
    for least, most in zip(BOUNDS, (*BOUNDS[1:], np.inf)):
        chosen = (whole >= least) & (whole < most)
        if not chosen.any():
            continue
        x, t = there[chosen].astype(np.float64), whole[chosen].astype(np.float64)
        share = x.sum() / t.sum()
        spread = np.maximum(t * share * (1 - share), 1e-12)
        figures[f"{part}.{least}.share"] = float(share)
        figures[f"{part}.{least}.dispersion"] = float(((x - t * share) ** 2 / spread).mean())
    return figures


if __name__ == "__main__":
    main()
