"""The example of a living service, against a small bundle that encodes new items."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from recsys.live import LiveEngine
from recsys.store import open_store
from recsys_client import RecsysClient
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.live.world import made_parts
from tests.server.service_world import WAIT, served

EXAMPLE = Path(__file__).parents[2] / "examples/living_service.py"


def test_a_view_changes_the_answer_and_an_item_comes_and_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = runpy.run_path(str(EXAMPLE))
    with open_store(tmp_path / "store.db") as store, LiveEngine(made_parts(), store) as engine:
        loaded = LoadedBundle("v3", engine.snapshot.retriever, engine=engine)
        with (
            served(Rollout(Deployment(loaded))) as running,
            RecsysClient(running.address, timeout=WAIT) as client,
        ):
            names["record_interactions"](client)
            names["change_items"](client, b"3")  # a picture of the small world
    printed = capsys.readouterr().out
    assert "after a view of" in printed and printed.endswith("after its deletion: gone\n")
