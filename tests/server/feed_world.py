"""Feeds for a server: those of the live world, with a ranker, and without time budgets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.feed import Feed, FeedConfig, FeedView
from recsys.interactions import Interactions
from recsys.live import LiveEngine
from recsys.ranking import LinearScorer, Ranker, Statistics
from recsys.ranking.inputs.feature_set import default_features
from recsys.store import Store, open_store
from recsys_client import RecsysClient
from recsys_server.metrics.observation import Observation
from recsys_server.metrics.worker_metrics import WorkerMetrics
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.feed.shop import without_budgets
from tests.live.world import made_parts
from tests.server.service_world import WAIT, served

SOURCES = ("two_tower", "similar", "popular", "external")


def live_feed(**values: Any) -> Feed:
    """Feeds over the bundle of ``tests.live.world``, whose ranker reads every kind of feature."""
    retriever = made_parts().retriever
    log = retriever.log
    assert isinstance(log, Interactions)
    weights = {name: 0.1 for name in default_features(SOURCES)} | {"popularity": 0.3}
    ranker = Ranker.of(LinearScorer.of_weights(weights), Statistics.of(log))
    view = FeedView(retriever, ranker=ranker)
    return Feed(view, {"home": without_budgets(FeedConfig.model_validate(values))})


@dataclass
class World:
    """A server with feeds and a store."""

    client: RecsysClient
    store: Store
    feed: Feed
    metrics: WorkerMetrics


@contextmanager
def world(path: Path, feed: Feed) -> Iterator[World]:
    with (
        open_store(path) as store,
        open_store(path) as other,
        LiveEngine(made_parts(), store) as engine,
    ):
        loaded = LoadedBundle("v3", engine.snapshot.retriever, engine=engine, feed=feed)
        metrics = WorkerMetrics()
        rollout = Rollout(Deployment(loaded))
        with (
            served(rollout, observation=Observation(metrics)) as running,
            RecsysClient(running.address, timeout=WAIT) as client,
        ):
            yield World(client, other, feed, metrics)
