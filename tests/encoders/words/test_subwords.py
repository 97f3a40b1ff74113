"""Words that a fastText file does not hold have the vector that fastText itself gives them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from gensim.models import FastText
from gensim.models.fasttext import load_facebook_vectors, save_facebook_model
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.encoders import Content, Encoder, WordVectorsConfig, build_encoder, load_encoder
from recsys.encoders.words.pooled_words import PooledWords
from recsys.encoders.words.subwords import Subwords
from recsys.encoders.words.tokens import words
from recsys.errors import EncoderError
from tests.contracts.encoder_contract import TextEncoderContract
from tests.encoders.words.test_tokens import SEGMENTED
from tests.encoders.words.test_word_encoders import TEXTS, random_file, unit


@cache
def fasttext_bytes(buckets: int = 50, longest: int = 5) -> bytes:
    import tempfile

    sentences = [words(text) for text in TEXTS[:4]] * 3
    sizes = {"vector_size": 6, "bucket": buckets, "min_n": 2, "max_n": longest}
    model = FastText(sentences, min_count=1, workers=1, epochs=2, **sizes)
    with tempfile.TemporaryDirectory() as folder:
        save_facebook_model(model, f"{folder}/model.bin")
        return Path(folder, "model.bin").read_bytes()


def fasttext_file(folder: Path, **options: int) -> Path:
    path = folder / "model.bin"
    path.write_bytes(fasttext_bytes(**options))
    return path


def encoder_of(path: Path, texts: Sequence[str] = TEXTS, **options: object) -> PooledWords:
    config = WordVectorsConfig(file=path, unknown="subwords", **options)
    encoder = build_encoder(config, texts)
    assert isinstance(encoder, PooledWords)
    return encoder


class TestSubwords(TextEncoderContract):
    encoded = frozenset({"unknown words"})

    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return encoder_of(fasttext_file(folder))

    @classmethod
    def contents(cls) -> Sequence[Content]:
        return TEXTS


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fasttext_file(tmp_path_factory.mktemp("model"))


@SEGMENTED
@settings(max_examples=200)
@given(word=st.text(min_size=1, max_size=12).filter(lambda text: words(text) == [text]))
def test_an_unknown_word_has_the_vector_that_gensim_gives_it(path: Path, word: str) -> None:
    pieces = encoder_of(path).subwords
    gensim = load_facebook_vectors(str(path))
    assert pieces is not None
    np.testing.assert_allclose(pieces.vectors([word])[0], _pieces_of(gensim, word), atol=1e-7)
    if word not in gensim.key_to_index:
        expected = gensim.get_vector(word)
        np.testing.assert_array_equal(pieces.vectors([word])[0], expected)
        got = encoder_of(path, []).encode([word])
        np.testing.assert_allclose(got.vectors[0], unit(expected), atol=1e-6)


def _pieces_of(gensim, word: str) -> np.ndarray:
    """Written down from the paper: the pieces of <word>, each by its hash, FNV-1a."""
    marked, found = f"<{word}>", []
    for start in range(len(marked)):
        for length in range(2, 6):
            piece = marked[start : start + length]
            if len(piece) == length:
                value = 2166136261
                for byte in piece.encode():
                    extended = byte | (0xFFFFFF00 if byte > 127 else 0)  # widened with its sign
                    value = ((value ^ extended) * 16777619) % 2**32
                found.append(gensim.vectors_ngrams[value % gensim.bucket])
    return np.mean(found, axis=0)


def test_a_word_of_the_file_keeps_its_own_vector(path: Path) -> None:
    gensim = load_facebook_vectors(str(path))
    got = encoder_of(path, pooling="mean").encode(["lamp", "LAMP"])
    np.testing.assert_allclose(got.vectors, [unit(gensim["lamp"])] * 2, atol=1e-6)


def test_unknown_words_weigh_by_the_training_texts(path: Path) -> None:
    """spade is in one of six texts, zzz in none; neither is in the file."""
    gensim = load_facebook_vectors(str(path))
    assert "spade" not in gensim.key_to_index
    got = encoder_of(path, pooling="idf").encode(["lamp spade zzz zzz"])
    lamp, spade, zzz = (math.log(7 / (1 + df)) + 1 for df in (2, 1, 0))
    expected = lamp * gensim["lamp"] + spade * gensim["spade"] + 2 * zzz * gensim["zzz"]
    np.testing.assert_allclose(got.vectors[0], unit(expected), atol=1e-6)
    got = encoder_of(path, pooling="sif", sif_a=0.1).encode(["lamp spade zzz"])
    total = sum(len(words(text)) for text in TEXTS)
    lamp, spade = (0.1 / (0.1 + count / total) for count in (2, 1))
    expected = lamp * gensim["lamp"] + spade * gensim["spade"] + gensim["zzz"]
    np.testing.assert_allclose(got.vectors[0], unit(expected), atol=1e-6)


def test_saved_and_restored_without_the_file(tmp_path: Path) -> None:
    file = fasttext_file(tmp_path)
    encoder = encoder_of(file)
    encoder.save(tmp_path / "encoder")
    file.unlink()
    loaded = load_encoder(tmp_path / "encoder")
    texts = ["never seen", "spade", "lamp"]
    np.testing.assert_array_equal(loaded.encode(texts).vectors, encoder.encode(texts).vectors)
    assert isinstance(loaded, PooledWords)
    assert loaded.coverage(texts) == encoder.coverage(texts)


def test_skipped_unknown_words_have_no_vector(path: Path) -> None:
    encoder = build_encoder(WordVectorsConfig(file=path), TEXTS)
    assert encoder.encode(["spade", "lamp"]).mask.tolist() == [False, True]


def test_words_from_pieces_are_counted_separately(path: Path) -> None:
    coverage = encoder_of(path).coverage(["lamp spade", "zzz lamp"])
    assert (coverage.words, coverage.known, coverage.pieced) == (4, 2, 2)
    assert coverage.share == 1.0 and coverage.unknown == ()


def test_pieces_need_a_file_that_has_them(tmp_path: Path) -> None:
    for file in (random_file(tmp_path), fasttext_file(tmp_path, buckets=0)):
        with pytest.raises(EncoderError, match="needs a fastText .bin.*give the .bin, or choose"):
            encoder_of(file)


@pytest.mark.parametrize(
    ("buckets", "sizes", "message"),
    [
        (np.ones((3, 2)), (3, 2), "there are 3 buckets for subwords of 3 to 2 letters"),
        (np.ones((3, 2)), (0, 2), "subwords of 0 to 2 letters"),
        (np.full((3, 2), np.nan), (3, 6), "the vector of a subword is not finite"),
    ],
)
def test_pieces_that_cannot_be_are_refused(buckets, sizes, message: str) -> None:
    with pytest.raises(EncoderError, match=message):
        Subwords(buckets.astype(np.float32), *sizes)
