"""Positions of Gowalla's validation and test items in the users' lists.

Run ``python -m benchmarks.split_shift`` with ``RECSYS_DATA_HOME`` set; it takes a minute. Places
have vectors (the leading singular vectors of training). Over users with at least ``LONG`` training
items, ``alike.next`` is the mean cosine of neighbours in a list, ``alike.anywhere`` that of all
pairs, and ``PART.alike.N`` that of the part's items and the N-th tenth of the list. A random part
is equally similar to all tenths; later interactions are most similar to the last. Writes
``benchmarks/results/split_shift.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.quality.datasets import GOWALLA
from recsys.evaluation.record import write_record
from recsys.features import spectral_vectors
from recsys.interactions import Interactions
from recsys.pipeline import open_job, run_job
from recsys.screen import Screen
from recsys.splits import HeldOutQueries

RESULT, RUNS = Path("benchmarks/results/split_shift.json"), Path("runs/split-shift")
LONG, TENTHS = 40, 10


def main() -> None:
    """Measure, write and print the figures."""
    with Screen() as screen:
        job = open_job(GOWALLA.config, runs=RUNS, progress=screen)
        run_job(job, until="ingest", observer=screen)
    parts = job.split
    figures = order(parts.train, {"validation": parts.validation, "test": parts.test})
    write_record(
        RESULT,
        name="split-shift",
        command="python -m benchmarks.split_shift",
        seeds=[],
        figures=figures,
    )
    for name, value in figures.items():
        print(f"{name:28} {value:.3f}")


def order(
    log: Interactions, held_out: Mapping[str, HeldOutQueries], *, directions: int = 128
) -> dict[str, float]:
    """``alike.next``, ``alike.anywhere``, and ``PART.alike.1`` to ``PART.alike.10`` per part."""
    _, vectors = spectral_vectors(log, directions)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    users = np.flatnonzero(np.diff(log.offsets) >= LONG).tolist()
    lists = {user: unit[log.history(user)] for user in users}
    following, anywhere = [], []
    for each in lists.values():
        following.append(float(np.einsum("ij,ij->i", each[1:], each[:-1]).mean()))
        total, size = each.sum(axis=0), len(each)
        anywhere.append((float(total @ total) - size) / (size * (size - 1)))
    figures = {"alike.next": float(np.mean(following)), "alike.anywhere": float(np.mean(anywhere))}
    for part, queries in held_out.items():
        per_user = [
            [
                float((tenth @ unit[queries.targets(at)].T).mean())
                for tenth in np.array_split(lists[user], TENTHS)
            ]
            for at, user in enumerate(queries.user.tolist())
            if user in lists
        ]
        for number, value in enumerate(np.mean(per_user, axis=0), start=1):
            figures[f"{part}.alike.{number}"] = float(value)
    return figures


if __name__ == "__main__":
    main()
