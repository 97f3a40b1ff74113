"""Recommendations for all users of MovieLens-1M as one DataFrame, and one call per user.

Run ``python -m benchmarks.notebook`` on an idle machine; MovieLens-1M is located in
``RECSYS_DATA_HOME``. Fits small towers, then measures three ways to recommend ten items, in turn
and ``REPEATS`` times: one call of ``Engine.recommend`` for all users, one call of it per user, and
one call of ``Retriever.retrieve`` per user, without a DataFrame. The calls per user are measured on
``SINGLE`` users. Writes ``benchmarks/results/notebook.json`` with the medians in users per second.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
from rich.console import Console

import recsys
from recsys.evaluation.record import write_record
from recsys.formats import locate

RESULT = Path("benchmarks/results/notebook.json")
K, SINGLE, REPEATS, SEED = 10, 1000, 3, 1
SETTINGS: dict[str, Any] = {
    "split": {"protocol": "leave-last-out", "validation_sample": 500},
    "text": None,
    "attributes": "skip",
    "towers": {"dimension": 32, "history": {"name": "transformer", "window": 50, "blocks": 1}},
    "train": {"epochs": 1},
    "index": {"search": {"kind": "scann"}},
}
"""Small towers: the rate does not depend on their quality."""


def main() -> dict[str, float]:
    """Fit, measure, write and print; the figures."""
    data = locate("movielens-1m")
    log = pd.read_parquet(data / "sequences.parquet")
    with tempfile.TemporaryDirectory() as folder:
        engine = recsys.fit(log, None, SETTINGS, folder=folder, seed=SEED)
        figures = measure(engine)
    write_record(
        RESULT,
        name="notebook",
        command="python -m benchmarks.notebook",
        seeds=[SEED],
        figures=figures,
        settings=SETTINGS,
        k=K,
        repeats=REPEATS,
    )
    Console().print("  ".join(f"{name} {value:,.1f}" for name, value in figures.items()))
    return figures


def measure(
    engine: recsys.Engine, *, single: int = SINGLE, repeats: int = REPEATS
) -> dict[str, Any]:
    """Median rates in users per second, and their ratios."""
    users = [str(user) for user in engine.retriever.log.users.index]
    some = users[:single]
    ways: dict[str, tuple[int, Callable[[], object]]] = {
        "together": (len(users), lambda: engine.recommend(k=K)),
        "one_by_one": (len(some), lambda: [engine.recommend(user, k=K) for user in some]),
        "retrieve": (
            len(some),
            lambda: [engine.retriever.retrieve(user_id=user, k=K) for user in some],
        ),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    engine.recommend(some[:1], k=K)  # the first call builds the graph
    for _ in range(repeats):
        for name, (count, call) in ways.items():
            began = time.perf_counter()
            call()
            rates[name].append(count / (time.perf_counter() - began))
    found = {name: median(each) for name, each in rates.items()}
    return {
        "users": len(users),
        **{f"users_per_second.{name}": rate for name, rate in found.items()},
        "ratio": found["together"] / found["one_by_one"],
        "ratio_to_retrieve": found["together"] / found["retrieve"],
    }


if __name__ == "__main__":
    main()
