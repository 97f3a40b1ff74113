"""Towers trained with context and times: published, opened, served, and queried with them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.bundle import Bundle, Parts, open_bundle, publish
from recsys.errors import InvalidRequestError, RecsysError, UnknownIdError
from recsys.index import ExactConfig
from recsys.ingestion import ingest
from recsys.retrieval import TWO_TOWER, Query, Request, Response, Space
from recsys.towers import HstuHistory, TowersConfig, TrainConfig, fit
from recsys_client import RecsysClient
from tests.contracts.calls_contract import outcome
from tests.server.service_world import WAIT, served

ROOT = Path(__file__).parents[2]
REQUESTS = [
    Request(Query(user_id="u3"), k=3, seen="include"),
    Request(Query(history=("day-1", "night-2")), k=5),
    Request(Query(history=()), k=8),
    Request(Query(item_id="day-1"), k=20),
    Request(Query(user_id="nobody"), k=3),
]
HISTORY = ["day-1", "night-2", "day-3"]
DAY = 86_400


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """By day users choose items "day-...", at night "night-..."; the steps between vary."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)
    users, length = 30, 16
    night = rng.integers(2, size=users * length)
    items = [f"{'night' if each else 'day'}-{rng.integers(4)}" for each in night]
    frame = pd.DataFrame(
        {
            "user_id": [f"u{each}" for each in np.repeat(np.arange(users), length)],
            "item_id": items,
            "timestamp": np.cumsum(rng.choice([60, 3_600, 5 * DAY], size=users * length)),
            "part_of_day": np.where(night, "night", "day"),
        }
    )
    ingested = ingest(frame)
    fitted = fit(
        ingested.interactions,
        (),
        np.zeros((1, 0), np.float32),
        towers=TowersConfig(
            dimension=8,
            history=HstuHistory(window=8, blocks=1, heads=1, time_bias="log-buckets"),
            terms="none",
            context=("part_of_day",),
        ),
        train=TrainConfig(batch_positions=128, epochs=12, warmup_steps=1, learning_rate=0.02),
        folder=folder / "train",
        validate=None,
    )
    space = Space.two_tower(np.array(fitted.towers.item_vectors), ExactConfig())
    publish(folder / "bundles", Parts(ingested, fitted.towers, {TWO_TOWER: space}))
    return open_bundle(folder / "bundles")


@pytest.fixture(scope="module")
def client(bundle: Bundle) -> Iterator[RecsysClient]:
    with served(bundle.retriever) as running, RecsysClient(running.address, timeout=WAIT) as client:
        yield client


def ask(client: RecsysClient, bundle: Bundle, **fields: object) -> Response:
    """The response over gRPC, which must be the one in-process."""
    request = Request.of(history=HISTORY, k=4, seen="include", **fields)  # type: ignore[arg-type]
    response = client.respond(request)
    assert response == bundle.retriever.respond(request) == client.answer([request])[0]
    return response


def scores(response: Response) -> list[float]:
    return [candidate.score for candidate in response.candidates]


def test_context_changes_the_answer_of_library_and_service(
    client: RecsysClient, bundle: Bundle
) -> None:
    by_day = ask(client, bundle, context={"part_of_day": "day"})
    at_night = ask(client, bundle, context={"part_of_day": "night"})
    assert all(item.startswith("day") for item in by_day.ids), by_day.ids
    assert all(item.startswith("night") for item in at_night.ids), at_night.ids
    assert scores(ask(client, bundle)) not in (scores(by_day), scores(at_night))


def test_times_change_the_answer_of_library_and_service(
    client: RecsysClient, bundle: Bundle
) -> None:
    quick = ask(client, bundle, history_times=[0, 60, 120])
    slow = ask(client, bundle, history_times=[0, 30 * DAY, 60 * DAY])
    without = ask(client, bundle)
    assert len({tuple(scores(each)) for each in (quick, slow, without)}) == 3
    assert ask(client, bundle, history_times=[500, 560, 620]) == quick, "only differences count"


def test_a_user_equals_the_history_and_times_of_the_log(
    client: RecsysClient, bundle: Bundle
) -> None:
    log = bundle.retriever.log
    user = log.users.row("u3")
    history, times = log.items.ids(log.history(user)), log.times(user).tolist()
    given = client.retrieve(history=history, history_times=times, k=3, seen="include")
    assert given == client.retrieve(user_id="u3", k=3, seen="include")
    # Unknown items are skipped with their times.
    history, times = [*history[:2], "gone", *history[2:]], [*times[:2], times[2], *times[2:]]
    skipped = client.retrieve(history=history, history_times=times, k=3, seen="include")
    assert (skipped.candidates, skipped.unknown_history) == (given.candidates, ("gone",))


def test_the_reference_queries_use_context_and_times(bundle: Bundle) -> None:
    queries = [each.request.query for each in bundle.manifest.reference_queries]
    contexts = [each.context["part_of_day"] for each in queries if each.context]
    assert sorted(contexts) == ["day", "night"]
    assert any(each.history_times for each in queries)


@pytest.mark.parametrize(
    ("fields", "kind", "message"),
    [
        ({"context": {"weather": "wet"}}, InvalidRequestError, "'weather'; they read: part_of_day"),
        (
            {"context": {"part_of_day": "noon"}},
            UnknownIdError,
            "'noon' of the .* known: (day|night)",
        ),
        ({"context": {"part_of_day": ""}}, InvalidRequestError, "both non-empty strings; got ''"),
        ({"history_times": [1, 2]}, InvalidRequestError, "one time per item .*; got 2 for 3"),
        ({"history_times": [3, 2, 1]}, InvalidRequestError, "must not descend.* position 1 does"),
        ({"history_times": [1, 2, 2**63]}, InvalidRequestError, "whole seconds.* position 2 holds"),
        ({"history_times": [1, 2, True]}, InvalidRequestError, "whole seconds.* position 2 holds"),
    ],
)
def test_context_and_times_that_training_did_not_know_are_refused(
    client: RecsysClient,
    bundle: Bundle,
    fields: dict[str, object],
    kind: type[RecsysError],
    message: str,
) -> None:
    for retrieve in (
        lambda **fields: client.retrieve(**fields),
        lambda **fields: bundle.retriever.respond(Request.of(**fields)),
    ):
        with pytest.raises(kind, match=message) as caught:
            retrieve(history=HISTORY, k=3, **fields)
        assert caught.value.field.startswith(f"query.{next(iter(fields))}")


@pytest.mark.slow
def test_a_bundle_is_served_as_it_answers_in_process(bundle: Bundle, tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    server = subprocess.Popen(
        [
            *(
                sys.executable,
                "-m",
                "recsys_server",
                "--bundles",
                str(bundle.path.parents[1]),
                "--json-logs",
            ),
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
    stopping, stopped = (
        record["message"] for record in own if record["logger"] == "recsys_server.worker"
    )
    # The client may have the last answer before its request is counted as ended.
    assert re.fullmatch("stopping; [01] requests in flight have 5 seconds", stopping)
    assert stopped == "stopped; every request that had begun was answered"
