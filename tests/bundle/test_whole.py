"""A bundle of the real things: trained towers, ScaNN, encoded words, a network for pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.bundle import Parts, open_bundle, publish
from recsys.encoders import KerasApplicationConfig, build_encoder
from recsys.features import FeatureBlock
from recsys.index import ExactConfig, ScannConfig
from recsys.retrieval import IMAGE, TEXT, TWO_TOWER, Query, Request, Space
from recsys.towers import TowersConfig, TrainConfig, fit
from tests.bundle.made import made_encoder, made_ingested, made_parts
from tests.encoders.drawings import made_pictures

ITEMS = 1_200  # enough that ScaNN partitions


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    ingested, encoder = made_ingested(ITEMS), made_encoder()
    words = encoder.encode(ingested.catalogue.texts())
    log = ingested.interactions
    fitted = fit(
        log,
        [FeatureBlock(words.vectors, words.mask, TEXT)],
        encoder.encode(log.phrases).vectors,
        towers=TowersConfig(dimension=8),
        train=TrainConfig(epochs=1),
        folder=tmp_path_factory.mktemp("train"),
        validate=lambda _: 0.0,
    )
    towers = fitted.towers
    search = ScannConfig(target_recall=0.9)
    return Parts(
        ingested,
        towers,
        {
            TWO_TOWER: Space.two_tower(towers.item_vectors, search),
            TEXT: Space.content(TEXT, words.vectors, words.mask, search),
        },
        {TEXT: encoder},
    )


@pytest.mark.slow
def test_a_bundle_of_real_parts_answers_as_they_did(parts: Parts, tmp_path: Path) -> None:
    version = publish(tmp_path, parts)
    bundle = open_bundle(tmp_path)
    requests = [
        Request(Query(user_id="u3"), 50),
        Request(Query(user_id="u3", terms="blue lamp"), 50),
        Request(Query(history=[f"i{n}" for n in range(70)]), 100),
        Request(Query(terms="red rug"), 20),
        Request(Query(terms="red rug"), 20, TEXT),
        Request(Query(item_id="i9"), 20, TEXT),
        Request(Query(history=["i9", "i10"]), 20, TEXT),
    ]
    assert [bundle.retriever.respond(each) for each in requests] == bundle.retriever.answer(
        requests
    )
    before, after = (each.answer(requests) for each in (parts.retriever(), bundle.retriever))
    for one, other in zip(before, after):
        assert one.ids == other.ids
        np.testing.assert_allclose(
            [candidate.score for candidate in one.candidates],
            [candidate.score for candidate in other.candidates],
            rtol=1e-6,
        )
    again = publish(tmp_path, replace(bundle.parts, reference_queries=None))
    assert again == version, "publishing an opened bundle gives the same version"


def test_a_network_for_pictures_is_a_part_of_a_bundle(tmp_path: Path, table_towers: None) -> None:
    config = KerasApplicationConfig(application="MobileNet", alpha=0.25, weights="none", size=32)
    pictures, encoder, parts = made_pictures(20), build_encoder(config, []), made_parts()
    block = encoder.encode(pictures)
    space = Space.content(IMAGE, block.vectors, block.mask, ExactConfig())
    whole = replace(
        parts, spaces={**parts.spaces, IMAGE: space}, encoders={**parts.encoders, IMAGE: encoder}
    )
    publish(tmp_path, whole)
    bundle = open_bundle(tmp_path)
    assert set(bundle.manifest.encoders) == {TEXT, IMAGE}
    found = bundle.retriever.retrieve(image=pictures[7], k=3, space=IMAGE)
    assert found.ids[0] == "i7"
    assert found.candidates[0].score == pytest.approx(1, abs=1e-5)
