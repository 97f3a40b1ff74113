"""The writes that the last stage of a run tries out, on a service with a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.cli.trial_writes import try_writes
from recsys.errors import ServiceError
from recsys.live import LiveEngine
from recsys.retrieval import Request
from recsys.store import open_store
from recsys_client import RecsysClient
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.live.world import made_parts
from tests.server.service_world import WAIT, served


@pytest.fixture(params=[True, False], ids=["open", "fixed"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecsysClient]:
    store = open_store(tmp_path / "store.db")
    with LiveEngine(made_parts(is_open=request.param), store) as engine:
        loaded = LoadedBundle("v1", engine.snapshot.retriever, engine=engine)
        with (
            served(Rollout(Deployment(loaded))) as running,
            RecsysClient(running.address, timeout=WAIT) as client,
        ):
            yield client
    store.close()


def test_each_write_changes_the_next_answer(client: RecsysClient) -> None:
    catalogue = made_parts().retriever.catalogue
    request = Request.of(user_id="ann", k=3)
    before = client.respond(request).ids
    recorded, *items = try_writes(client, request, catalogue)
    assert recorded == (
        f"Recorded that user ann took {before[0]}: 1 of 3 candidates in the next answer are new"
    )
    assert before[0] in client.get_history("ann").item_ids
    if reason := client.describe().fixed_catalogue_reason:
        assert items == [f"No item can be added: {reason}"]
        return
    added, deleted = items
    assert added.startswith("Added a copy of item i0: candidate ")
    assert added.endswith(" of a query by its title")
    assert deleted == "Deleted it: no candidate of that query any more"
    assert client.describe().items == len(catalogue)


def test_an_answer_that_shows_no_write_is_an_error(
    client: RecsysClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "record_interactions", lambda records: None)
    with pytest.raises(ServiceError, match="which is still a candidate"):
        try_writes(client, Request.of(user_id="ann", k=3), made_parts().retriever.catalogue)
