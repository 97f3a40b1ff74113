"""A service over bundles with reports, and a store with searches, for the pages of quality."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from recsys.bundle import publish
from recsys.evaluation.published import FailedQuery, PublishedReport
from recsys.store import InteractionRecorded, open_store
from recsys_server.processes.following import BundleFollower
from recsys_server.processes.loading import load
from tests.bundle.made import made_ingested, made_parts, use_table_towers
from tests.evaluation.test_published import made as made_report
from tests.server.service_world import served

LAMP = '<b>lamp</b> & "rug"'


def report(name: str, seed: int) -> PublishedReport:
    """A report with more failed queries than fit a page."""
    found = made_report(name, seed=seed)
    failures = [
        FailedQuery(
            *(f"u{n % 4}", ("i1", "i2"), 9, "", (("i3", 70 + n, ("tail",)),), ("i4",)),
            ("new_users",) if n == 0 else ("light_users",),
        )
        for n in range(8)
    ]
    texts = [{**vars(each), "history_ids": list(each.history_ids)} for each in failures]
    return replace(found, content={**found.content, "failures": texts})


@contextmanager
def quality_service(folder: Path) -> Iterator[str]:
    """Address of a service with three bundles, the first without a report."""
    root, store = folder / "bundles", str(folder / "store.db")
    with open_store(store) as opened:
        opened.append(
            [InteractionRecorded("ann", f"i{n}", 10 + n, terms=f"{LAMP} {n}") for n in range(60)]
        )
    with pytest.MonkeyPatch.context() as patch:
        use_table_towers(patch)
        ingested = made_ingested(12)
        for seed, found in enumerate((None, report("first", 1), report("second", 2))):
            parts = made_parts(seed=seed, ingested=ingested)
            publish(root, replace(parts, report=found, config={"seed": seed}))
        follower = BundleFollower.begin(root, lambda version: load(root, version, store=store))
        with served(follower.rollout, follower=follower) as server:
            yield server.address
