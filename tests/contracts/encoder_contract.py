"""What every encoder must do: a subclass gives ``build``, and all of this runs against it."""

from __future__ import annotations

import json
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest

from recsys.config import Config
from recsys.encoders import Content, Encoded, Encoder, load_encoder
from recsys.errors import EncoderError
from tests.encoders.drawings import SIDE, bomb, drawing, file_of, made_pictures, picture_file

TOLERANCE = 1e-5
"""A batch of one may be multiplied in another order than a batch of many."""


def assert_same(got: Encoded, expected: Encoded, *, tolerance: float = TOLERANCE) -> None:
    np.testing.assert_array_equal(got.mask, expected.mask)
    np.testing.assert_allclose(got.vectors, expected.vectors, rtol=0, atol=tolerance)


class EncoderContract(ABC):
    """``foreign`` is a content of the other kind."""

    foreign: Content

    @classmethod
    @abstractmethod
    def build(cls, folder: Path) -> Encoder:
        """An encoder; ``folder`` is empty and may hold the files that it is built from."""

    @classmethod
    @abstractmethod
    def contents(cls) -> Sequence[Content]:
        """Five different contents or more, each of which has a vector."""

    @classmethod
    @abstractmethod
    def empty(cls) -> Sequence[Content]:
        """Contents without anything to encode."""

    @pytest.fixture(scope="class")
    @classmethod
    def encoder(cls, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
        return cls.build(tmp_path_factory.mktemp("files"))

    @pytest.fixture(scope="class")
    @classmethod
    def expected(cls, encoder: Encoder) -> Encoded:
        return encoder.encode(cls.contents())

    @pytest.fixture
    def saved(self, encoder: Encoder, tmp_path: Path) -> Path:
        encoder.save(tmp_path / "encoder")
        return tmp_path / "encoder"

    def test_vectors_have_length_one(self, encoder: Encoder, expected: Encoded) -> None:
        assert expected.vectors.shape == (len(self.contents()), encoder.dimension)
        assert expected.vectors.dtype == np.float32
        assert expected.mask.dtype == np.bool_ and expected.mask.all()
        np.testing.assert_allclose(np.linalg.norm(expected.vectors, axis=1), 1, atol=1e-5)

    def test_different_contents_have_different_vectors(self, expected: Encoded) -> None:
        likeness = expected.vectors @ expected.vectors.T
        np.fill_diagonal(likeness, -1)
        assert likeness.max() < 1 - 1e-6

    def test_alone_as_in_a_batch(self, encoder: Encoder, expected: Encoded) -> None:
        for position, content in enumerate(self.contents()):
            alone = encoder.encode([content])
            np.testing.assert_allclose(
                alone.vectors[0], expected.vectors[position], rtol=0, atol=TOLERANCE
            )

    def test_the_order_does_not_matter(self, encoder: Encoder, expected: Encoded) -> None:
        order = np.random.default_rng(0).permutation(len(expected))
        shuffled = encoder.encode([self.contents()[position] for position in order])
        np.testing.assert_allclose(
            shuffled.vectors, expected.vectors[order], rtol=0, atol=TOLERANCE
        )

    def test_called_twice_the_same(self, encoder: Encoder, expected: Encoded) -> None:
        assert_same(encoder.encode(self.contents()), expected, tolerance=0)

    def test_called_from_many_threads_the_same(self, encoder: Encoder, expected: Encoded) -> None:
        with ThreadPoolExecutor(4) as pool:
            for got in pool.map(lambda _: encoder.encode(self.contents()), range(8)):
                assert_same(got, expected)

    def test_nothing_to_encode_is_masked_zeros(self, encoder: Encoder, expected: Encoded) -> None:
        empty = list(self.empty())
        got = encoder.encode([*empty, *self.contents()])
        assert not got.mask[: len(empty)].any() and not got.vectors[: len(empty)].any()
        np.testing.assert_allclose(
            got.vectors[len(empty) :], expected.vectors, rtol=0, atol=TOLERANCE
        )

    def test_no_contents(self, encoder: Encoder) -> None:
        got = encoder.encode([])
        assert got.vectors.shape == (0, encoder.dimension) and got.mask.shape == (0,)

    def test_a_content_of_another_kind_is_refused(self, encoder: Encoder) -> None:
        with pytest.raises(EncoderError, match="position 1 holds"):
            encoder.encode([None, self.foreign])

    def test_built_again_the_same(
        self, encoder: Encoder, expected: Encoded, tmp_path: Path
    ) -> None:
        again = self.build(tmp_path)
        assert again.fingerprint == encoder.fingerprint
        assert_same(again.encode(self.contents()), expected, tolerance=0)

    def test_loaded_as_saved(self, encoder: Encoder, expected: Encoded, saved: Path) -> None:
        """It stores the names of its input files without their folders."""
        loaded = load_encoder(saved)
        assert loaded.name == encoder.name
        assert _published(loaded.config) == _published(encoder.config)
        assert tempfile.gettempdir() not in (saved / "encoder.json").read_text(encoding="utf-8")
        assert loaded.fingerprint == encoder.fingerprint
        assert loaded.dimension == encoder.dimension and loaded.kind == encoder.kind
        assert_same(loaded.encode(self.contents()), expected, tolerance=0)

    def test_saved_over_an_older_one(self, encoder: Encoder, saved: Path) -> None:
        encoder.save(saved)
        assert load_encoder(saved).fingerprint == encoder.fingerprint
        assert [path.name for path in saved.parent.iterdir()] == [saved.name]

    def test_needs_no_file_but_its_own(self, encoder: Encoder, saved: Path) -> None:
        elsewhere = saved.parent / "moved"
        shutil.move(saved, elsewhere)
        assert load_encoder(elsewhere).fingerprint == encoder.fingerprint

    def test_a_truncated_file_is_named(self, encoder: Encoder, saved: Path) -> None:
        for name in json.loads((saved / "encoder.json").read_text())["files"]:
            encoder.save(saved)
            content = (saved / name).read_bytes()
            (saved / name).write_bytes(content[:-7])
            with pytest.raises(EncoderError, match=f"{name} is damaged: expected .* build it"):
                load_encoder(saved)
            (saved / name).unlink()
            with pytest.raises(EncoderError, match=f"{name} is missing; copy"):
                load_encoder(saved)

    def test_config_as_written(self, encoder: Encoder) -> None:
        kind = type(encoder.config)
        assert kind.model_validate_json(encoder.config.model_dump_json()) == encoder.config


ODD_TEXTS = {
    "unknown words": "zzzunknownzzz qqqunknownqqq",
    "emoji": "\U0001f600\U0001f680",
    "punctuation": "?!...",
}
"""Texts without a word that any test's training held."""


class TextEncoderContract(EncoderContract):
    """What an encoder of text makes of odd texts is said by its subclass, and then held.

    Attributes:
        encoded: Which of ``ODD_TEXTS`` have a vector, from pieces of words; the others are masked.
        order: Whether a text's vector depends on the order of its words. Where it is ignored, a
            text has the vector of what it repeats, and unknown words in it change nothing.
    """

    foreign = b"bytes"
    encoded: ClassVar[frozenset[str]] = frozenset()
    order: ClassVar[Literal["ignored", "read"]] = "ignored"

    @classmethod
    def empty(cls) -> Sequence[Content]:
        return ["", "   ", "\n\t\u00a0", None]

    @pytest.mark.parametrize("odd", ODD_TEXTS)
    def test_odd_texts(self, encoder: Encoder, expected: Encoded, odd: str) -> None:
        """A vector or a masked row, as the subclass says, without effect on the other texts."""
        text = ODD_TEXTS[odd]
        got = encoder.encode([text, *self.contents(), text])
        assert got.mask.tolist() == [odd in self.encoded, *expected.mask, odd in self.encoded]
        length = np.linalg.norm(got.vectors, axis=1)
        np.testing.assert_allclose(length, got.mask, rtol=0, atol=1e-5)
        np.testing.assert_allclose(got.vectors[0], got.vectors[-1], rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(got.vectors[1:-1], expected.vectors, rtol=0, atol=TOLERANCE)
        assert not got.faults

    def test_100_000_words(self, encoder: Encoder, expected: Encoded) -> None:
        one = self.contents()[0]
        assert isinstance(one, str)
        many = " ".join([one] * (100_000 // len(one.split())))
        got = encoder.encode([many, one])
        assert got.mask.all() and not got.faults
        np.testing.assert_allclose(np.linalg.norm(got.vectors, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(got.vectors[1], expected.vectors[0], rtol=0, atol=TOLERANCE)
        if self.order == "ignored":
            np.testing.assert_allclose(got.vectors[0], got.vectors[1], rtol=0, atol=TOLERANCE)

    def test_one_word_of_100_000_letters(self, encoder: Encoder) -> None:
        got = encoder.encode(["z" * 100_000])
        assert got.mask.tolist() == ["unknown words" in self.encoded]
        assert np.isfinite(got.vectors).all()

    def test_words_without_a_vector_change_nothing(
        self, encoder: Encoder, expected: Encoded
    ) -> None:
        if self.order == "read":
            pytest.skip("this encoder reads unknown words in their position")
        one = self.contents()[0]
        masked = [text for odd, text in ODD_TEXTS.items() if odd not in self.encoded]
        got = encoder.encode([" ".join([str(one), *masked])])
        np.testing.assert_allclose(got.vectors[0], expected.vectors[0], rtol=0, atol=TOLERANCE)

    def test_odd_code_points(self, encoder: Encoder) -> None:
        """Half of a surrogate pair, a zero and a mark of direction, as keyboards produce them."""
        one = str(self.contents()[0])
        got = encoder.encode([f"{one} \ud83d", f"{one} \x00 \u202e", "\ud83d"])
        assert got.mask[:2].all() and np.isfinite(got.vectors).all()

    def test_letter_case_does_not_matter(self, encoder: Encoder, expected: Encoded) -> None:
        upper = [str(text).upper() for text in self.contents()]
        assert_same(encoder.encode(upper), expected)


class ImageEncoderContract(EncoderContract):
    foreign = "words"

    @classmethod
    def contents(cls) -> Sequence[Content]:
        return made_pictures(8)

    @classmethod
    def empty(cls) -> Sequence[Content]:
        return [None, None]

    def test_a_broken_picture_is_a_fault(self, encoder: Encoder, expected: Encoded) -> None:
        whole = self.contents()[0]
        assert isinstance(whole, bytes)
        got = encoder.encode([None, whole[: len(whole) // 2], whole, b"", b"no picture"])
        assert got.mask.tolist() == [False, False, True, False, False]
        assert not got.vectors[~got.mask].any()
        np.testing.assert_allclose(got.vectors[2], expected.vectors[0], rtol=0, atol=TOLERANCE)
        assert [fault.position for fault in got.faults] == [1, 3, 4]
        assert all(fault.reason for fault in got.faults)

    def test_many_batches(self, encoder: Encoder) -> None:
        contents = [*made_pictures(3), None, b"broken"] * 60
        got = encoder.encode(contents)
        assert_same(Encoded(got.vectors[:5], got.mask[:5]), encoder.encode(contents[:5]))
        np.testing.assert_allclose(got.vectors[-5:], got.vectors[:5], rtol=0, atol=TOLERANCE)
        assert [fault.position for fault in got.faults] == list(range(4, len(contents), 5))

    def test_a_huge_picture_is_a_fault(self, encoder: Encoder) -> None:
        """It is refused by its header: no memory is taken, and a large one is no huge one."""
        large = file_of(drawing(5).resize((4_000, 3_000)), "JPEG")
        got = encoder.encode([bomb(60_000), large, bomb(8_000)])
        assert got.mask.tolist() == [False, True, False]
        assert [fault.position for fault in got.faults] == [0, 2]
        assert all("50,000,000 pixels" in fault.reason for fault in got.faults)

    def test_an_animation_is_its_first_frame(self, encoder: Encoder) -> None:
        frames = [drawing(number).quantize(16) for number in (3, 4, 5)]
        still = file_of(frames[0], "GIF")
        moving = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
        got = encoder.encode([still, moving])
        assert len(moving) > len(still) and got.mask.all()
        np.testing.assert_allclose(got.vectors[0], got.vectors[1], rtol=0, atol=TOLERANCE)

    def test_transparent_pixels_become_white(self, encoder: Encoder) -> None:
        clear = drawing(3).convert("RGBA")
        clear.paste((9, 9, 9, 0), (0, 0, SIDE, SIDE // 2))
        white = drawing(3)
        white.paste((255, 255, 255), (0, 0, SIDE, SIDE // 2))
        got = encoder.encode([file_of(clear), file_of(white)])
        np.testing.assert_allclose(got.vectors[0], got.vectors[1], rtol=0, atol=TOLERANCE)

    @pytest.mark.parametrize("mode", ["L", "CMYK", "P", "RGBA", "LA", "1", "I;16"])
    def test_every_mode_has_a_vector(self, encoder: Encoder, mode: str) -> None:
        assert encoder.encode([picture_file(mode)]).mask.tolist() == [True]


def _published(config: Config) -> dict[str, Any]:
    """A config as values, its files without their folders."""
    values = config.model_dump(mode="json")
    keys = [key for key in ("file", "weights", "corpus", "model") if values.get(key)]
    files = {key: Path(values[key]).name for key in keys}
    parts = [_published(part) for part in getattr(config, "parts", ())]
    return values | files | ({"parts": parts} if parts else {})
