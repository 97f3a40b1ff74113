"""Is Gowalla's validation file like its test file? How far each is from a random draw of the log,
and where in a user's list it belongs.

Run ``python -m benchmarks.split_shift`` with ``RECSYS_DATA_HOME`` set; it takes a minute. Of items
met at least ``LEAST`` times, by how often: with x of an item's t interactions in a part that holds
the share p of all of theirs,

    dispersion = mean over items of (x - t p)^2 / (t p (1 - p)),

which is 1 where each interaction fell into the part by a throw of the dice (Pearson's statistic
over its degrees of freedom), and more where items moved together.

The lists themselves: places are vectors (the leading singular vectors of training), and of users
with ``LONG`` training items or more, ``alike.next`` is the mean cosine of neighbours in a list,
``alike.anywhere`` that of any two in it, and ``PART.alike.N`` that of the part's items and those in
the N-th tenth of the list. A set has no neighbours and no end; a random draw is as like to each
tenth as the tenths are to one another, and what came later is most like the last. Writes
``benchmarks/results/split_shift.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.quality.datasets import GOWALLA
from recsys.cli.screen import Screen
from recsys.evaluation.metrics import Counts
from recsys.evaluation.record import write_record
from recsys.features import spectral_vectors
from recsys.interactions import Interactions
from recsys.pipeline import open_job, run_job
from recsys.splits import HeldOutQueries

RESULT, RUNS = Path("benchmarks/results/split_shift.json"), Path("runs/split-shift")
LEAST, LONG, TENTHS = 20, 40, 10
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
        **order(parts.train, {"validation": parts.validation, "test": parts.test}),
    }
    write_record(
        RESULT,
        name="split-shift",
        command="python -m benchmarks.split_shift",
        seeds=[],
        figures=figures,
    )
    table = Table("items met", *(f"{part} {what}" for part in PARTS for what in WHAT))
    for at, least in enumerate(BOUNDS):
        name = f"from {least}" + (f" to {BOUNDS[at + 1] - 1}" if at + 1 < len(BOUNDS) else "")
        cells = [figures[f"{part}.{least}.{what}"] for part in PARTS for what in WHAT]
        table.add_row(name, *(f"{cell:.2f}" for cell in cells))
    Console().print(table)
    tenths = Table("like the tenth of a list", *PARTS)
    for number in range(1, TENTHS + 1):
        cells = [figures[f"{part}.alike.{number}"] for part in PARTS]
        tenths.add_row(str(number), *(f"{cell:.3f}" for cell in cells))
    Console().print(tenths)
    near, any_two = figures["alike.next"], figures["alike.anywhere"]
    Console().print(f"neighbours in a list {near:.3f}, any two in it {any_two:.3f}")


PARTS, WHAT = ("validation", "test"), ("share", "dispersion")


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


def order(
    log: Interactions, held: Mapping[str, HeldOutQueries], *, directions: int = 128
) -> dict[str, float]:
    """``alike.next``, ``alike.anywhere`` and per part ``PART.alike.1`` to ``PART.alike.10``.

    Args:
        log: Training interactions.
        held: From a part's name to its queries.
        directions: So many singular vectors are read.
    """
    _, vectors = spectral_vectors(log, directions)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    asked = np.flatnonzero(np.diff(log.offsets) >= LONG)
    lists = {int(user): unit[log.history(int(user))] for user in asked}
    sums = {user: each.sum(axis=0) for user, each in lists.items()}
    within = [
        (float(sums[user] @ sums[user]) - len(each)) / (len(each) * (len(each) - 1))
        for user, each in lists.items()
    ]
    following = [
        float(np.einsum("ij,ij->i", each[1:], each[:-1]).mean()) for each in lists.values()
    ]
    figures = {"alike.next": float(np.mean(following)), "alike.anywhere": float(np.mean(within))}
    for part, queries in held.items():
        of_users = [
            [
                float((tenth @ unit[queries.targets(at)].T).mean())
                for tenth in np.array_split(lists[int(user)], TENTHS)
            ]
            for at, user in enumerate(queries.user)
            if int(user) in lists
        ]
        tenths = np.mean(of_users, axis=0)
        figures |= {f"{part}.alike.{at}": float(each) for at, each in enumerate(tenths, start=1)}
    return figures


if __name__ == "__main__":
    main()
