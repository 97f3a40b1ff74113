"""A worker that answers from a small bundle and a store, without TensorFlow."""

from __future__ import annotations

from recsys.live import LiveEngine
from recsys.store import open_store
from recsys_server.processes import worker
from recsys_server.processes.following import BundleFollower
from recsys_server.processes.job import Job
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.live.world import made_parts


def begin(job: Job) -> BundleFollower:
    """The bundle, which no other one ever replaces."""
    assert job.settings.store is not None
    engine = LiveEngine(made_parts(), open_store(job.settings.store))
    loaded = LoadedBundle("v1", engine.snapshot.retriever, engine=engine)
    rollout = Rollout(Deployment(loaded))
    return BundleFollower(job.settings.bundles, rollout, lambda _: loaded, version="v1")


if __name__ == "__main__":
    worker.main(begin)
