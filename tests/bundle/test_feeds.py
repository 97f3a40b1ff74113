"""The feeds of a bundle: published, verified and swapped with it; ``recsys feed``."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recsys.bundle import Parts, open_bundle, publish, refresh
from recsys.bundle.feeds import load_feeds
from recsys.cli import main
from recsys.config import parse_config
from recsys.errors import BundleError, ConfigError
from recsys.feed import FeedConfig, FeedRequest, PictureHashes
from recsys.pipeline.config import RunConfig
from recsys.store import ItemDeleted, ItemUpserted, open_store
from recsys_client import Query

HOME = parse_config({"share": 0.5, "scorers": [{"stage": "blend", "recent": 0.3}]}, FeedConfig)
HASHES = PictureHashes(np.arange(20, dtype=np.uint64) ** 7, np.arange(20) != 0)


@pytest.fixture
def feeds(tmp_path: Path, parts: Parts, table_towers: None) -> Path:
    """A folder with a bundle that has two pipelines and picture hashes."""
    trial = FeedConfig(limit=50)
    made = replace(parts, feeds={"home": HOME, "trial": trial}, picture_hashes=HASHES)
    publish(tmp_path / "bundles", made)
    return tmp_path / "bundles"


def test_a_bundle_holds_its_pipelines_and_hashes(feeds: Path) -> None:
    bundle = open_bundle(feeds)
    assert dict(bundle.feed.feeds) == {"home": HOME, "trial": FeedConfig(limit=50)}
    assert bundle.parts.picture_hashes.values.tolist() == HASHES.values.tolist()
    assert bundle.parts.picture_hashes.mask.tolist() == HASHES.mask.tolist()
    response = bundle.feed.rank(FeedRequest(Query(user_id="u1"), k=3, pipeline="home"))
    assert (response.pipeline, response.pipeline_version) == ("home", HOME.version)
    assert response.bundle_version == bundle.version and len(response.items) == 3


def test_a_bundle_without_pipelines_has_the_default_one(root: Path) -> None:
    assert list(open_bundle(root).feed.feeds) == ["default"]


def test_a_changed_pipeline_is_refused(feeds: Path) -> None:
    (file,) = feeds.glob("versions/*/feeds/pipelines.json")
    file.write_text(file.read_text().replace("0.3", "0.4"))
    with pytest.raises(BundleError, match="pipelines.json"):
        open_bundle(feeds)


def test_a_stage_of_another_version_is_named(tmp_path: Path) -> None:
    values = {"home": {"sources": [{"stage": "populer"}]}}
    (tmp_path / "pipelines.json").write_text(json.dumps(values))
    with pytest.raises(ConfigError, match="feed 'home'.*did you mean 'popular'"):
        load_feeds(tmp_path)


def test_a_refresh_keeps_the_hashes_of_the_items_that_are_left(feeds: Path, tmp_path: Path) -> None:
    with open_store(tmp_path / "store.db") as store:
        store.append([ItemDeleted("i2")])
        refresh(feeds, store)
    found = open_bundle(feeds).parts
    assert found.picture_hashes.values.tolist() == np.delete(HASHES.values, 2).tolist()
    assert list(found.feeds) == ["home", "trial"]


def test_the_sections_of_a_run() -> None:
    values = {"name": "mine", "data": {"interactions": {"format": "csv", "path": "log.csv"}}}
    run = parse_config({**values, "feed": {"home": {"limit": 9}}}, RunConfig)
    assert run.feed["home"].limit == 9
    for section, message in (
        ({"home": {"filters": [{"stage": "sean"}]}}, "feed.home.filters.0.stage.*'seen'"),
        ({"Home page": {}}, "the name of a feed"),
        ({"home": {"share": 0.1}}, "sum to 1"),
    ):
        with pytest.raises(ConfigError, match=message):
            parse_config({**values, "feed": section}, RunConfig)


def test_the_command(feeds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["feed", "--bundles", str(feeds), *arguments])
        output = capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    code, out, _ = run("--user", "u1", "--k", "3", "--pipeline", "trial", "--json")
    answer = json.loads(out)
    assert code == 0 and len(answer["items"]) == 3 and answer["pipeline"] == "trial"
    code, out, err = run("--user", "nobody", "--explain", "--explain-ids", "zzz")
    assert code == 0 and "pipeline " in out and "the catalogue has no such item" in out
    assert "note: the user has no history" in err
    code, _, err = run("--pipeline", "hom")
    assert code == 1 and "did you mean 'home'" in err
    code, _, err = run("--follow", "colour")
    assert code == 1 and "COLUMN=VALUE" in err


def test_an_upserted_picture_is_hashed_once(
    feeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[bytes] = []

    def count(content: bytes, decoder: object = None) -> int:
        hashed.append(content)
        return 77

    monkeypatch.setattr("recsys.bundle.opening.picture_hash", count)
    bundle = open_bundle(feeds)
    with open_store(tmp_path / "store.db") as store, bundle.live(store) as engine:
        before = bundle.feed.over(engine.latest().retriever).view
        row = np.array([2, 3], np.int32)
        store.append([ItemUpserted("i2", "blue lamp", picture=_png())])
        after = bundle.feed.over(engine.catch_up().retriever).view
        for _ in range(3):
            assert after.picture_hashes(row)[0].tolist() == [77, 3**7]
        assert before.picture_hashes(row)[0].tolist() == [2**7, 3**7]
    assert hashed == [_png()]


def _png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return file.getvalue()
