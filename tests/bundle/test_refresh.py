"""A refreshed bundle answers as the live engine over the bundle before it and the store."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import Parts, open_bundle, publish, refresh
from recsys.cli import main
from recsys.errors import UnknownIdError
from recsys.features import FeatureBlock
from recsys.index import ExactConfig
from recsys.retrieval import TEXT, TWO_TOWER, Request, Response, Retriever, Space
from recsys.store import (
    InteractionRecorded,
    ItemDeleted,
    ItemUpserted,
    UserDeleted,
    import_folder,
    open_store,
)
from recsys.towers import MemberConfig, TowersConfig, TrainConfig, fit
from tests.bundle.made import made_encoder, made_ingested

REQUESTS = [
    *(Request.of(user_id=user, k=30, titles=True) for user in ("u1", "u2", "u3", "zoe")),
    Request.of(user_id="u3", terms="red rug", k=5),
    Request.of(history=["i3", "lamp"], k=30),
    Request.of(item_id="lamp", k=30),
    Request.of(item_id="i4", k=30, space=TEXT),
    Request.of(user_id="zoe", k=30, space=TEXT),
    Request.of(terms="blue chair", k=30, space=TEXT),
]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Two joined towers with vectors of users and items."""
    ingested, encoder = made_ingested(), made_encoder()
    words = encoder.encode(ingested.catalogue.texts())
    log = ingested.interactions
    fitted = fit(
        log,
        [FeatureBlock(words.vectors, words.mask, TEXT)],
        encoder.encode(log.phrases).vectors,
        towers=TowersConfig(dimension=4, user_id="embedding"),
        train=TrainConfig(epochs=1, members=(MemberConfig(), MemberConfig())),
        folder=tmp_path_factory.mktemp("train"),
        validate=lambda _: 0.0,
    )
    spaces = {
        TWO_TOWER: Space.two_tower(fitted.towers.item_vectors, ExactConfig()),
        TEXT: Space.content(TEXT, words.vectors, words.mask, ExactConfig()),
    }
    return Parts(ingested, fitted.towers, spaces, {TEXT: encoder})


def check_same(one: Retriever, other: Retriever) -> None:
    for first, second in zip(one.answer(REQUESTS), other.answer(REQUESTS), strict=True):
        assert isinstance(first, Response) and isinstance(second, Response)
        assert [(each.id, each.title) for each in first.candidates] == [
            (each.id, each.title) for each in second.candidates
        ]
        scores = [[each.score for each in answer.candidates] for answer in (first, second)]
        np.testing.assert_allclose(*scores, rtol=1e-5, atol=1e-6)


def test_a_refreshed_bundle_equals_the_live_engine(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, path = tmp_path / "bundles", tmp_path / "store.db"
    first = publish(root, parts)
    old = open_bundle(root)
    assert old.manifest.catalogue == "open" and old.manifest.watermark == 0
    with open_store(path) as store, old.live(store) as engine:
        receipt = store.append(
            [
                InteractionRecorded("u1", "lamp", 50, terms="a lamp"),
                ItemUpserted("lamp", "blue lamp"),
                InteractionRecorded("zoe", "i7", 10),
                InteractionRecorded("zoe", "lamp", 5),
                InteractionRecorded("zoe", "i5", 20),
                ItemUpserted("i4", "grey clock"),
                ItemDeleted("i5"),
                UserDeleted("u0"),
                ItemUpserted("bad", attributes={"colour": "red"}),
            ]
        )
        live = engine.catch_up(receipt.watermark).retriever
        with pytest.raises(SystemExit, match="0"):
            main(["refresh", str(root), "--store", str(path), "--json"])
        report = json.loads(capsys.readouterr().out)
        assert report["version"] != first and report["watermark"] == 9
        assert (report["items"], report["new_items"], report["deleted_items"]) == (20, 1, 1)
        assert [each["item_id"] for each in report["refused"]] == ["bad"]
        new = open_bundle(root)
        assert new.version == report["version"] and new.manifest.watermark == 9
        check_same(new.retriever, live)
        for retriever in (new.retriever, live):
            with pytest.raises(UnknownIdError):
                retriever.retrieve(user_id="u0", k=3)
    with open_store(path) as store, open_store(path) as other:
        store.append([ItemUpserted("rug", "red rug"), InteractionRecorded("u2", "rug", 999)])
        with new.live(store) as after, old.live(other) as before:
            assert after.snapshot.watermark == before.snapshot.watermark == 11
            check_same(after.snapshot.retriever, before.snapshot.retriever)
        assert "rug" in after.snapshot.retriever.retrieve(user_id="u1", k=30).ids


def test_an_import_of_the_own_log_is_not_counted_twice(parts: Parts, tmp_path: Path) -> None:
    root = tmp_path / "bundles"
    publish(root, parts)
    bundle = open_bundle(root)
    with open_store(tmp_path / "store.db") as store:
        assert import_folder(store, root).changes == 20 + len(parts.ingested.interactions)
        with bundle.live(store) as engine:
            for user in ("u1", "u2"):
                live = engine.latest().retriever.retrieve(user_id=user, k=30)
                known = bundle.retriever.retrieve(user_id=user, k=30)
                assert live.ids == known.ids
                scores = [[each.score for each in found.candidates] for found in (live, known)]
                np.testing.assert_allclose(*scores, rtol=1e-5, atol=1e-6)
            store.append([InteractionRecorded("zoe", "i7", 10)])
            assert len(engine.latest().retriever.retrieve(user_id="zoe", k=3).ids) == 3


def test_a_refresh_without_changes_publishes_nothing(parts: Parts, tmp_path: Path) -> None:
    version = publish(tmp_path / "bundles", replace(parts, watermark=0))
    with open_store(tmp_path / "store.db") as store:
        assert refresh(tmp_path / "bundles", store).version == version
