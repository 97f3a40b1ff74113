"""The sample set, published by two short runs, and a service over it whose callers need tokens."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.bundle import publish
from recsys.evaluation.published import PublishedReport
from recsys.files import lock
from recsys.pipeline import Job, open_job, run_job
from recsys.pipeline.evaluating import (
    load_evaluations,
    load_failures,
    load_query_digests,
)
from recsys.pipeline.publishing import parts_of
from recsys_client import Interaction, RecsysClient
from recsys_server.auditing import Audit
from recsys_server.metrics.observation import Observation
from recsys_server.metrics.worker_metrics import WorkerMetrics
from recsys_server.processes.following import BundleFollower
from recsys_server.processes.loading import load
from recsys_server.security.access import Access
from recsys_server.security.tokens import create_token
from tests.server.service_world import WAIT, served

ROOT = Path(__file__).resolve().parents[3]
PICTURES = ROOT / "data/sample/pictures.zip"
USER, ITEM, TERMS = "u0038", "i0042", "wooden table"
LAST_USER = "u0400"
"""The last one of the users whose interactions train the towers."""
QUICK: dict[str, Any] = {
    "text": {"name": "bag-of-words"},
    "image": {"size": 16, "epochs": 1, "max_pictures": 64},
    "towers": {"dimension": 16},
    "train": {"epochs": 1, "validate_every": 1},
    "evaluation": {"resamples": 10, "sheet_users": 2},
    "index": {"search": {"kind": "exact"}, "queries": 50},
}
"""Changes of the demo's configuration that make it short."""


@dataclass(frozen=True)
class Sample:
    """A service over the sample set.

    Attributes:
        address: Address of its calls.
        token: Token with all scopes.
    """

    address: str
    token: str


def publish_sample(folder: Path) -> Path:
    """The folder of two bundles of the sample set; the first call with ``folder`` makes them.

    A short run publishes the first one. The second one has the same towers, and a report of queries
    with search terms, so that there are figures to compare.
    """
    bundles = folder / "demo/bundles"
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder / "sample.lock"):
        if not (folder / "done").exists():
            data = {name: _of_few(folder, name) for name in ("interactions", "searches")}
            changes = {**QUICK, "data": data}
            job = open_job(ROOT / "configs/demo.toml", runs=folder, overrides=changes)
            run_job(job, until="publish")
            parts = parts_of(job)
            config = {**parts.config, "name": "with terms"}
            publish(bundles, replace(parts, report=_report_with_terms(job), config=config))
            (folder / "done").touch()
    return bundles


def _report_with_terms(job: Job) -> PublishedReport:
    """The evaluation of the towers on queries with search terms."""
    folder = job.folder / "evaluate"
    found = load_evaluations(folder)
    return PublishedReport.of(
        {**found, "two_tower": found["two_tower_with_terms"]},
        load_query_digests(folder),
        name="with terms",
        seeds=[1],
        protocol="global-time",
        k=10,
        failures=load_failures(folder),
    )


@contextmanager
def sample_service(bundles: Path, folder: Path) -> Iterator[Sample]:
    """A service over a copy of ``bundles`` in ``folder``, with a store in which users were active.

    It audits each search, and keeps each call in its list of slow requests.
    """
    root, store, tokens = folder / "bundles", str(folder / "store.db"), folder / "tokens.json"
    shutil.copytree(bundles, root)
    token = create_token(tokens, "operator", scopes=("read", "write", "admin"))
    follower = BundleFollower.begin(
        root,
        lambda version: load(root, version, store=store, pictures=PICTURES, audit=Audit(share=1)),
    )
    observation = Observation(WorkerMetrics(), slow=0.02)
    running = served(
        follower.rollout, follower=follower, access=Access(tokens), observation=observation
    )
    with running as server:
        with RecsysClient(server.address, token=token, timeout=WAIT) as client:
            client.record_interactions(_visits())
        yield Sample(server.address, token)


def _of_few(folder: Path, name: str) -> dict[str, Any]:
    """The section of the data with the rows of the first users of a table of the sample set."""
    source, path = ROOT / "data/sample", folder / f"{name}.parquet"
    is_log = name == "interactions"
    table = pd.read_parquet(source / path.name) if is_log else pd.read_csv(source / f"{name}.csv")
    table[table["user_id"] <= LAST_USER].to_parquet(path)
    columns = {each: each for each in ("timestamp", "terms") if each in table}
    return {"format": "parquet", "path": str(path), "columns": columns}


def _visits() -> list[Interaction]:
    """Some interactions of the last days, half of which followed a search."""
    rng, now = random.Random(1), int(time.time())
    return [
        Interaction(
            USER if number % 5 == 0 else f"u{rng.randint(1, 400):04d}",
            f"i{rng.randint(1, 1999):04d}",
            now - rng.randint(0, 9 * 86_400),
            event="click",
            terms=TERMS if number % 4 == 0 else "",
        )
        for number in range(60)
    ]
