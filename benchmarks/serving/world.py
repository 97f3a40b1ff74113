"""The data of the benchmark: clustered items and a trained transformer of two blocks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.serving.parts import Setting
from recsys.bundle import Parts, list_bundles, open_bundle, publish
from recsys.bundle.tuning_queries import tower_queries
from recsys.catalogue import CatalogueFields
from recsys.errors import RecsysError
from recsys.ids import Rows
from recsys.index import ScannConfig
from recsys.ingestion import ingest
from recsys.retrieval import TWO_TOWER, Space
from recsys.towers import InBatchSoftmax, TowersConfig, TrainConfig, TransformerHistory, fit
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb

ITEMS_PER_USER, LENGTH, DIMENSION, CLUSTERS, K, SEED = 20, 50, 64, 500, 100, 1
VERSIONS = 2
RECALL, TUNING = 0.95, 1_000
"""Recall to which the index is tuned, and number of queries of a kind for it."""
POOL = 2_000
"""Number of histories of requests."""


def ensure(setting: Setting) -> dict[str, Any]:
    """Publish the bundles, unless they are there and of this version's format."""
    with suppress(RecsysError):
        open_bundle(setting.bundles, "current")
        if len(list_bundles(setting.bundles)) == VERSIONS:
            return {}
    folder = setting.bundles.parent
    shutil.rmtree(folder, ignore_errors=True)
    publish_world(folder, setting.items)
    return {}


def publish_world(folder: Path, items: int) -> None:
    """Publish two bundles with the same items and towers."""
    rng, users = np.random.default_rng(SEED), items // ITEMS_PER_USER
    histories = np.stack([_history(rng, _members(items)) for _ in range(users)])
    # Every item has an interaction, and no user more than the others by much.
    item = np.concatenate([histories.reshape(-1), rng.permutation(items)])
    owner = np.concatenate([np.repeat(np.arange(users), LENGTH), np.arange(items) % users])
    log = pd.DataFrame(
        {
            "user_id": [f"u{row}" for row in owner],
            "item_id": [f"i{row}" for row in item],
            "timestamp": np.concatenate([np.arange(users * LENGTH) + items, np.arange(items)]),
        }
    )
    table = pd.DataFrame(
        {"item_id": [f"i{row}" for row in range(items)], "shade": rng.integers(10, size=items)}
    )
    ingested = ingest(log, table, CatalogueFields(numbers=("shade",)))
    fitted = fit(
        ingested.interactions,
        (),
        np.zeros((1, 0), np.float32),
        towers=TowersConfig(dimension=DIMENSION, history=TransformerHistory(), terms="none"),
        train=TrainConfig(epochs=1, loss=InBatchSoftmax(), seed=SEED),
        folder=folder / "train",
        validate=None,
    )
    queries = tower_queries(fitted.towers, ingested.interactions, TUNING)
    search = ScannConfig(target_recall=RECALL)
    space = Space.two_tower(fitted.towers.item_vectors, search, queries=queries)
    for number in range(VERSIONS):  # different in content only by this figure
        parts = Parts(ingested, fitted.towers, {TWO_TOWER: space}, figures={"number": number})
        publish(folder / "bundles", parts)


def requests(kind: str, items: int, *, seed: int) -> Iterator[bytes]:
    """Requests of one kind without an end; none is sent twice."""
    rng = np.random.default_rng(seed)
    pool = []
    if kind == "history":
        pool = [_history(rng, _members(items)).tolist() for _ in range(POOL)]
    while True:
        # A random exclusion makes each request unlike those before, so that no cache answers it.
        message = pb.RetrieveRequest(k=K, exclude=[f"i{rng.integers(items)}"])
        if kind == "item":
            message.query.item_id = f"i{rng.integers(items)}"
        elif kind == "history":
            history = pool[rng.integers(POOL)]
            message.query.history.item_ids.extend(f"i{row}" for row in history)
        else:
            message.query.user_id = f"u{rng.integers(items // ITEMS_PER_USER)}"
        if kind == "filter":
            message.filter.eq.column = "shade"
            message.filter.eq.value.number = float(rng.integers(10))
        yield message.SerializeToString()


def num_leaves(items: int) -> int:
    """Number of partitions of the ScaNN that is compared: the square root, as ScaNN advises."""
    return int(items**0.5)


@lru_cache
def _members(items: int) -> list[Rows]:
    """The items of each cluster."""
    cluster = np.random.default_rng(SEED).integers(CLUSTERS, size=items)
    return [np.flatnonzero(cluster == number).astype(np.int32) for number in range(CLUSTERS)]


def _history(rng: np.random.Generator, members: list[Rows]) -> Rows:
    """Items of three clusters."""
    liked = np.concatenate([members[each] for each in rng.integers(CLUSTERS, size=3)])
    return rng.choice(liked, LENGTH)
