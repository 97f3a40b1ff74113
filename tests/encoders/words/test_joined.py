"""Joined encoders: the contract, the arithmetic, and the storage of the parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from recsys.config import parse_config
from recsys.encoders import (
    BagOfWordsConfig,
    Content,
    Encoder,
    JoinedConfig,
    Word2VecConfig,
    WordVectorsConfig,
    build_encoder,
    load_encoder,
    obtain_encoder,
)
from recsys.errors import ConfigError, EncoderError
from tests.contracts.encoder_contract import TextEncoderContract

TEXTS = [
    "red lamp for a reading corner",
    "green lamp for the desk",
    "knitted wool rug",
    "wool socks, hand knitted",
    "garden spade and rake",
    "rake the garden in spring",
]
BAG = BagOfWordsConfig(min_count=1)
WORDS = Word2VecConfig(dimension=5, min_count=1, epochs=2)


def file_of_two(folder: Path, numbers: str = "1 0") -> Path:
    path = folder / "two.txt"
    path.write_text(f"lamp {numbers}\nunheard 0 1\n")
    return path


class TestJoined(TextEncoderContract):
    @classmethod
    def contents(cls) -> Sequence[Content]:
        return TEXTS

    @classmethod
    def build(cls, folder: Path) -> Encoder:
        file = WordVectorsConfig(file=file_of_two(folder))
        return build_encoder(JoinedConfig(parts=(BAG, WORDS, file), scales=(1, 0.5, 2)), TEXTS)


def test_cosines_are_the_weighted_mean_of_the_parts() -> None:
    joined = build_encoder(JoinedConfig(parts=(BAG, WORDS), scales=(3, 1)), TEXTS)
    first, second = (build_encoder(part, TEXTS).encode(TEXTS).vectors for part in (BAG, WORDS))
    mine = joined.encode(TEXTS).vectors
    expected = (9 * first @ first.T + second @ second.T) / 10
    np.testing.assert_allclose(mine @ mine.T, expected, atol=1e-5)


def test_a_text_known_to_one_part_has_the_vector_of_that_part(tmp_path: Path) -> None:
    parts = (BAG, WordVectorsConfig(file=file_of_two(tmp_path)))
    joined = build_encoder(JoinedConfig(parts=parts), TEXTS)
    encoded = joined.encode(["unheard", "rug", "nowhere"])
    assert encoded.mask.tolist() == [True, True, False]
    assert encoded.vectors[0, -2:].tolist() == [0, 1] and not encoded.vectors[0, :-2].any()
    assert not encoded.vectors[1, -2:].any()


def test_scales_and_parts_change_the_fingerprint() -> None:
    configs = [
        JoinedConfig(parts=(BAG, WORDS)),
        JoinedConfig(parts=(WORDS, BAG)),
        JoinedConfig(parts=(BAG, WORDS), scales=(1, 2)),
        JoinedConfig(parts=(BAG, WORDS.model_copy(update={"seed": 1}))),
    ]
    assert len({build_encoder(config, TEXTS).fingerprint for config in configs}) == 4
    alike = JoinedConfig(parts=(BAG, WORDS), scales=(1, 1))
    assert build_encoder(alike, TEXTS).fingerprint == build_encoder(configs[0], TEXTS).fingerprint


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    build_encoder(JoinedConfig(parts=(BAG, WORDS)), TEXTS).save(tmp_path / "kept")
    (tmp_path / "kept" / "0.words.txt").write_text("lamp")
    with pytest.raises(EncoderError, match="0.words.txt is damaged"):
        load_encoder(tmp_path / "kept")


def test_kept_until_a_file_of_a_part_changes(tmp_path: Path) -> None:
    config = JoinedConfig(parts=(BAG, WordVectorsConfig(file=file_of_two(tmp_path))))
    first = obtain_encoder(config, TEXTS, tmp_path / "kept")
    assert obtain_encoder(config, TEXTS, tmp_path / "kept").fingerprint == first.fingerprint
    # A tenth of the contents may change, for the bag looks at them; half is too much.
    other = [*TEXTS[:3], "a new thing", "and another", "a third"]
    assert obtain_encoder(config, other, tmp_path / "kept").fingerprint != first.fingerprint
    second = obtain_encoder(config, TEXTS, tmp_path / "kept")
    file_of_two(tmp_path, "0 -1")
    assert obtain_encoder(config, TEXTS, tmp_path / "kept").fingerprint != second.fingerprint


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"parts": [{"name": "lsa"}]}, "parts"),
        ({"parts": [{"name": "lsa"}, {"name": "joined", "parts": []}]}, "joined"),
        ({"parts": [{"name": "lsa"}, {"name": "tflite", "file": "x"}]}, "tflite"),
        ({"parts": [{"name": "lsa"}] * 2, "scales": [1]}, "2 parts have 1 scales"),
        ({"parts": [{"name": "lsa"}] * 2, "scales": [1, 0]}, "scales"),
    ],
)
def test_invalid_combinations_are_refused(section: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config({"name": "joined", **section}, JoinedConfig)
