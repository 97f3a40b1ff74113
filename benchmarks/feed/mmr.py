"""Time of MMR, from 500 candidates to 50."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from recsys.feed.slate import Diversity, diversify

CANDIDATES, K, DIMENSION, ROUNDS = 500, 50, 64, 200


def measure(_: Path, __: Path) -> dict[str, Any]:
    """Milliseconds of one call: the median and the 99th percentile of 200."""
    rng = np.random.default_rng(0)
    seconds = []
    for _round in range(ROUNDS):
        scores = rng.normal(size=CANDIDATES).astype(np.float32)
        vectors = rng.normal(size=(CANDIDATES, DIMENSION)).astype(np.float32)
        began = time.perf_counter()
        diversify(scores, vectors, K, Diversity("mmr", strength=0.3))
        seconds.append(time.perf_counter() - began)
    low, high = 1000 * np.quantile(seconds[5:], [0.5, 0.99])
    return {"median_ms": float(low), "p99_ms": float(high)}
