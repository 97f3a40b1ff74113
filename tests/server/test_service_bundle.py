"""``python -m recsys_server`` on a published bundle: what it says, what it answers, how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.bundle import Parts, open_bundle, publish
from recsys.index import ExactConfig
from recsys.ingestion import ingest
from recsys.retrieval import TWO_TOWER, Query, Request, Response, Space
from recsys.towers import MeanHistory, TowersConfig, TrainConfig, fit
from recsys_client import RecsysClient
from tests.contracts.calls_contract import outcome
from tests.server.service_world import WAIT
from tests.towers.worlds import cycle

ROOT = Path(__file__).parents[2]
REQUESTS = [
    Request(Query(user_id="u3"), k=3, seen="include"),
    Request(Query(history=("i1", "i2")), k=5),
    Request(Query(history=()), k=8),
    Request(Query(item_id="i4"), k=20),
    Request(Query(user_id="nobody"), k=3),
]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one bundle, of towers that were hardly trained."""
    folder = tmp_path_factory.mktemp("world")
    log = cycle()
    table = {"user_id": log.users.ids(log.user), "item_id": log.items.ids(log.item)}
    ingested = ingest(pd.DataFrame({**table, "position": log.time}))
    fitted = fit(
        ingested.interactions,
        (),
        np.zeros((1, 0), np.float32),
        towers=TowersConfig(dimension=8, history=MeanHistory(), terms="none"),
        train=TrainConfig(batch_positions=128, epochs=1, warmup_steps=1),
        folder=folder / "train",
        validate=lambda towers: 0.5,
    )
    space = Space.two_tower(fitted.towers.item_vectors, ExactConfig())
    publish(folder / "bundles", Parts(ingested, fitted.towers, {TWO_TOWER: space}))
    return folder / "bundles"


@pytest.mark.slow
def test_a_bundle_is_served_as_it_answers_in_process(bundles: Path, tmp_path: Path) -> None:
    bundle = open_bundle(bundles)
    port_file = tmp_path / "port"
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "recsys_server", "--bundles", str(bundles), "--json-logs"),
            *("--port", "0", "--port-file", str(port_file), "--grace", "5"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address == f"127.0.0.1:{port_file.read_text().strip()}"
        with RecsysClient(address, timeout=WAIT) as client:
            assert client.is_serving(), "the address is printed before the service is ready"
            remote, local = client.answer(REQUESTS), bundle.retriever.answer(REQUESTS)
            assert [isinstance(answer, Response) for answer in remote] == [True] * 4 + [False]
            for request, one, other in zip(REQUESTS, remote, local):
                assert outcome(one) == outcome(other), request
        server.send_signal(signal.SIGTERM)
        output, log = server.communicate(timeout=WAIT)
    finally:
        server.kill()
    assert (server.returncode, output) == (0, "")
    own = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [record["message"] for record in own if record["logger"] == "recsys_server.worker"] == [
        "stopping; 0 requests in flight have 5 seconds",
        "stopped; every request that had begun was answered",
    ]
