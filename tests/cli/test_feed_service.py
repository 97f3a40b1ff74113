"""``recsys feed --address``: a service answers as the library does."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from recsys.cli import main
from recsys_client import Query
from recsys_client.feed import FeedRequest
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.feed.shop import NOW, feed_of
from tests.server.service_world import served


def test_a_service_ranks_the_feed(capsys: pytest.CaptureFixture[str]) -> None:
    feed = feed_of()
    loaded = LoadedBundle("v1", feed.view.retriever, feed=feed)
    with served(Rollout(Deployment(loaded))) as running:
        options = ["--user", "ann", "--k", "3", "--now", str(NOW), "--seed", "1", "--json"]
        with pytest.raises(SystemExit) as ended:
            main(["feed", "--address", running.address, "--timeout", "200", *options])
    assert ended.value.code == 0
    expected = feed.rank(FeedRequest(Query(user_id="ann"), k=3, now=NOW, seed=1, titles=True))
    answer = json.loads(capsys.readouterr().out)
    assert answer["items"] == json.loads(json.dumps(asdict(expected)))["items"]
