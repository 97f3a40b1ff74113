"""Cost of snapshots: recorded interactions, upserts and deletes per second, and reads after them.

``python -m benchmarks.live --items 200000`` prints one JSON object. Vectors are random, and the
encoders are replaced by ready vectors, so that only the making of snapshots is measured.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.features import ItemEncoder
from recsys.ids import IdMap, Vectors
from recsys.index import ExactConfig
from recsys.interactions import Interactions
from recsys.live import LiveEngine, LiveParts
from recsys.retrieval import TWO_TOWER, Request, Retriever, Space
from recsys.store import Change, InteractionRecorded, ItemDeleted, ItemUpserted, Store, open_store
from recsys.towers import QueryBatch

DIMENSION, USERS, HISTORY = 64, 20_000, 50
RNG = np.random.default_rng(0)


@dataclass(frozen=True, eq=False)
class MeanTower:
    """The mean of a history, in place of trained towers."""

    item_vectors: Vectors
    terms_dimension: int = 0
    reads: frozenset[str] = frozenset({"history"})
    reads_times: bool = False
    context_columns: tuple[str, ...] = ()

    def encode(self, batch: QueryBatch, item_vectors: Vectors | None = None) -> Vectors:
        """One vector per query."""
        table = self.item_vectors if item_vectors is None else item_vectors
        found = [table[history].mean(axis=0) for history in batch.histories]
        return np.array(found, np.float32)


def made_parts(items: int) -> LiveParts:
    """A bundle of random vectors, with a column for filters."""
    ids = [f"i{number}" for number in range(items)]
    table = pa.table({"item_id": ids, "brand": [f"b{number % 100}" for number in range(items)]})
    catalogue = Catalogue.of(table, CatalogueFields(categories=("brand",)))
    users = IdMap.of("user", [f"u{number}" for number in range(USERS)])
    log = Interactions.of(
        users,
        catalogue.ids,
        user=np.repeat(np.arange(USERS), HISTORY),
        item=RNG.integers(items, size=USERS * HISTORY),
        time=np.tile(np.arange(HISTORY), USERS),
    )
    vectors = RNG.standard_normal((items, DIMENSION), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    spaces = {TWO_TOWER: Space.two_tower(vectors, ExactConfig())}
    return LiveParts(Retriever(catalogue, log, MeanTower(vectors), spaces), ItemEncoder(), "fixed")


def _timed(call: Callable[[], object]) -> float:
    start = time.thread_time()
    call()
    return time.thread_time() - start


def _rate(
    engine: LiveEngine, store: Store, changes: list[Change], at_once: int
) -> dict[str, float]:
    """Microseconds of the processor per change, to append it and for the snapshot after it."""
    writing, following = [], []
    for start in range(0, len(changes), at_once):
        part = changes[start : start + at_once]
        writing.append(_timed(lambda part=part: store.append(part)))  # type: ignore[misc]
        following.append(_timed(engine.catch_up))
    return {
        "append_us": 1e6 * median(writing) / at_once,
        "snapshot_us": 1e6 * median(following) / at_once,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--changes", type=int, default=2_000)
    given = parser.parse_args()
    parts = made_parts(given.items)
    found: dict[str, object] = {"items": given.items}
    with (
        open_store(Path(tempfile.mkdtemp()) / "store.db") as store,
        LiveEngine(parts, store) as engine,
    ):

        def interactions(count: int) -> list[Change]:
            rows = RNG.integers(given.items, size=count).tolist()
            users = RNG.integers(2 * USERS, size=count).tolist()
            return [
                InteractionRecorded(f"u{u}", f"i{r}", 100 + n)
                for n, (u, r) in enumerate(zip(users, rows))
            ]

        def upserts(count: int, prefix: str) -> list[Change]:
            made = RNG.standard_normal((count, DIMENSION), np.float32)
            made /= np.linalg.norm(made, axis=1, keepdims=True)
            return [
                ItemUpserted(
                    f"{prefix}{n}", attributes={"brand": f"b{n % 100}"}, vectors={TWO_TOWER: v}
                )
                for n, v in enumerate(made)
            ]

        found["interaction"] = _rate(engine, store, interactions(given.changes), 1)
        found["interactions of 100"] = _rate(engine, store, interactions(20 * given.changes), 100)
        found["upsert"] = _rate(engine, store, upserts(given.changes // 2, "new"), 1)
        found["upserts of 100"] = _rate(engine, store, upserts(5 * given.changes, "more"), 100)
        found["delete"] = _rate(
            engine, store, [ItemDeleted(f"i{n}") for n in range(given.changes // 4)], 1
        )
        retriever = engine.snapshot.retriever
        plain = Request.of(user_id="u1", k=10)
        parse = retriever._parser.parse
        found["parse_us"] = {
            "bundle": 1e6
            * median(_timed(lambda: parts.retriever._parser.parse(plain)) for _ in range(500)),
            "snapshot": 1e6 * median(_timed(lambda: parse(plain)) for _ in range(500)),
        }
        filtered = Request.of(user_id="u1", k=10, filter='brand = "b7"')
        found["first_filter_ms"] = 1e3 * _timed(lambda: parse(filtered))
        engine.catch_up(store.append(upserts(1, "x")).watermark)
        again = engine.snapshot.retriever._parser.parse
        found["filter_after_upsert_ms"] = 1e3 * _timed(lambda: again(filtered))
        found["latest_us"] = 1e6 * median(_timed(engine.latest) for _ in range(500))
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
