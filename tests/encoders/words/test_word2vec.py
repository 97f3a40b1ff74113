"""word2vec: training on a text file, training that can be killed, and words that go out again."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.encoders import (
    Content,
    Encoder,
    Word2VecConfig,
    WordVectorsConfig,
    build_encoder,
    obtain_encoder,
    write_word_vectors,
)
from recsys.encoders.words import corpus as corpus_module
from recsys.encoders.words.corpus import LONGEST, Corpus
from recsys.encoders.words.pooled_words import PooledWords
from recsys.encoders.words.tokens import words
from recsys.errors import EncoderError
from tests.contracts.encoder_contract import TextEncoderContract
from tests.encoders.words.test_tokens import SEGMENTED
from tests.encoders.words.test_word_encoders import TEXTS

SMALL = Word2VecConfig(dimension=8, min_count=1, epochs=4)


def corpus_file(folder: Path, text: str = "\n".join(TEXTS)) -> Path:
    path = folder / "corpus.txt"
    path.write_text(text, encoding="utf-8")
    return path


class TestOnATextFile(TextEncoderContract):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        config = SMALL.model_copy(update={"corpus": corpus_file(folder)})
        return build_encoder(config, ["green lamp", "wool"])

    @classmethod
    def contents(cls) -> Sequence[Content]:
        return TEXTS


def test_a_text_file_gives_the_vectors_and_the_item_texts_the_weights(tmp_path: Path) -> None:
    config = SMALL.model_copy(update={"corpus": corpus_file(tmp_path)})
    from_file, from_texts = build_encoder(SMALL, TEXTS), build_encoder(config, ["green lamp"])
    assert isinstance(from_file, PooledWords) and isinstance(from_texts, PooledWords)
    assert from_texts.vocabulary == from_file.vocabulary
    np.testing.assert_array_equal(from_texts.vectors, from_file.vectors)
    weights = dict(zip(from_texts.vocabulary, from_texts.weights.tolist()))
    assert weights["green"] < weights["rug"]  # the one item's words, against all others
    assert len({weights[word] for word in ("rug", "wool", "spade")}) == 1


def test_a_compressed_text_file_is_the_same(tmp_path: Path) -> None:
    plain = corpus_file(tmp_path)
    packed = tmp_path / "corpus.txt.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert list(Corpus(packed)) == list(Corpus(plain)) == [words(text) for text in TEXTS]
    configs = [SMALL.model_copy(update={"corpus": path}) for path in (plain, packed)]
    first, second = (build_encoder(config, TEXTS) for config in configs)
    assert first.fingerprint == second.fingerprint


@SEGMENTED
@settings(max_examples=200)
@given(st.lists(st.text("ab é\t.\r漢", max_size=60), max_size=8), st.integers(12, 40))
def test_lines_longer_than_a_piece_keep_their_words(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], piece: int
) -> None:
    """Words are cut only where one of them alone is longer than a piece."""
    short = [" ".join(word[:10] for word in line.split(" ")) for line in lines]
    path = corpus_file(tmp_path_factory.getbasetemp(), "\n".join(short))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(corpus_module, "_PIECE", piece)
        found = list(itertools.chain.from_iterable(Corpus(path)))
    assert found == [word for line in short for word in words(line)]


def test_an_endless_line_is_read_in_pieces(tmp_path: Path) -> None:
    path = corpus_file(tmp_path, "red lamp " * 400_000 + "é" * 3_000_000)
    reports: list[int] = []
    sentences = Corpus(path, lambda description, done, total, note="": reports.append(done))
    lengths = [len(sentence) for sentence in sentences]
    assert max(lengths) <= LONGEST and sum(lengths) == 800_000 + 3
    assert reports == sorted(reports) and reports[-1] == path.stat().st_size and len(reports) > 3


def test_all_words_of_a_long_text_are_learned_from() -> None:
    """gensim itself leaves out what lies beyond 10,000 words of a sentence."""
    long = " ".join(["red lamp"] * 5_000 + ["green rug"] * 5_000)
    trained = build_encoder(SMALL.model_copy(update={"epochs": 6}), [long])
    likeness = trained.encode(["green", "rug", "red", "lamp"]).vectors
    assert likeness[0] @ likeness[1] > likeness[0] @ likeness[2]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("corpus.txt", b"red lamp\n\xff\xfe rug\n", "the text after line 1 is not UTF-8"),
        ("corpus.gz", gzip.compress(b"red lamp\n" * 9_000, mtime=0)[:-20], "end-of-stream"),
        ("corpus.gz", b"red lamp\n", "(?i)not a gzipped file"),
        ("corpus.txt", b"", "no word occurs 1 times in .*corpus.txt: lower 'min_count'"),
    ],
)
def test_a_text_file_that_cannot_be_read(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(EncoderError, match=reason):
        build_encoder(SMALL.model_copy(update={"corpus": path}), TEXTS)


def test_a_missing_text_file_is_refused(tmp_path: Path) -> None:
    config = SMALL.model_copy(update={"corpus": tmp_path / "absent.txt"})
    with pytest.raises(EncoderError, match=r"absent.txt does not exist: check the encoder's 'corp"):
        build_encoder(config, TEXTS)


def test_a_text_file_that_goes_away_ends_the_training(tmp_path: Path) -> None:
    """gensim reads in a thread of its own, and would wait for ever."""
    path = corpus_file(tmp_path)

    def report(description: str, done: int, total: int, note: str = "") -> None:
        if description == "train word vectors" and done == 2:
            path.unlink()

    with pytest.raises(EncoderError, match="does not exist"):
        build_encoder(SMALL.model_copy(update={"corpus": path}), TEXTS, progress=report)


def test_another_text_file_is_another_encoder(tmp_path: Path) -> None:
    path = corpus_file(tmp_path)
    config = SMALL.model_copy(update={"corpus": path})
    first = obtain_encoder(config, TEXTS, tmp_path / "kept")
    assert obtain_encoder(config, TEXTS, tmp_path / "kept").fingerprint == first.fingerprint
    corpus_file(tmp_path, "\n".join(reversed(TEXTS)))
    assert obtain_encoder(config, TEXTS, tmp_path / "kept").fingerprint != first.fingerprint


class Killed(Exception):
    """Stands for a signal."""


def trained(until: int | None, checkpoints: Path, texts: Sequence[str] = TEXTS) -> tuple[str, list]:
    reports: list[int] = []

    def report(description: str, done: int, total: int, note: str = "") -> None:
        reports.append(done)
        if done == until:
            raise Killed

    encoder = build_encoder(SMALL, texts, checkpoints=checkpoints, progress=report)
    return encoder.fingerprint, reports


@pytest.mark.parametrize("after", [1, 3, 4])
def test_killed_training_resumes_and_ends_the_same(tmp_path: Path, after: int) -> None:
    with pytest.raises(Killed):
        trained(after, tmp_path)
    again, rest = trained(None, tmp_path)
    assert rest == list(range(after + 1, 5))
    assert again == build_encoder(SMALL, TEXTS).fingerprint


def test_a_checkpoint_that_is_damaged_or_of_other_texts_counts_for_nothing(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        trained(2, tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-50])
    again, reports = trained(None, tmp_path)
    assert reports == [1, 2, 3, 4] and again == build_encoder(SMALL, TEXTS).fingerprint
    assert trained(None, tmp_path, list(reversed(TEXTS)))[1] == [1, 2, 3, 4]
    assert len(list(tmp_path.iterdir())) == 1


LETTERS = st.characters(codec="utf-8", categories=["L", "N"]) | st.sampled_from("_é漢ß٣ⅷ𝔘")
VOCABULARIES = st.lists(
    st.text(LETTERS, min_size=1, max_size=6).map(words).filter(bool).map(lambda found: found[0]),
    min_size=1,
    max_size=8,
    unique=True,
)
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@SEGMENTED
@settings(max_examples=150)
@given(VOCABULARIES, st.integers(1, 3), st.data())
@pytest.mark.parametrize("form", ["text", "binary"])
@pytest.mark.parametrize("end", ["", ".gz"])
def test_words_that_went_out_come_in_again(
    tmp_path_factory: pytest.TempPathFactory,
    form: str,
    end: str,
    vocabulary: list[str],
    dimension: int,
    data: st.DataObject,
) -> None:
    size = len(vocabulary) * dimension
    drawn = data.draw(st.lists(NUMBERS, min_size=size, max_size=size))
    vectors = np.array(drawn, np.float32).reshape(-1, dimension)
    config = Word2VecConfig(dimension=dimension, pooling="mean")
    path = tmp_path_factory.getbasetemp() / f"words.{form}{end}"
    written = PooledWords.of(config, vocabulary, vectors, [])
    assert write_word_vectors(path, written, form=form) == len(vocabulary)
    read = build_encoder(WordVectorsConfig(file=path, pooling="mean"), [])
    assert isinstance(read, PooledWords)
    assert read.vocabulary == written.vocabulary
    np.testing.assert_array_equal(read.vectors, written.vectors)


def test_a_trained_encoder_goes_out_and_comes_in(tmp_path: Path) -> None:
    trained = build_encoder(SMALL, TEXTS)
    write_word_vectors(tmp_path / "words.bin", trained, form="binary")
    read = build_encoder(WordVectorsConfig(file=tmp_path / "words.bin"), TEXTS)
    np.testing.assert_array_equal(read.encode(TEXTS).vectors, trained.encode(TEXTS).vectors)
    assert [path.name for path in tmp_path.iterdir()] == ["words.bin"]


def test_an_encoder_without_words_is_refused(tmp_path: Path) -> None:
    from recsys.encoders import BagOfWordsConfig

    bag = build_encoder(BagOfWordsConfig(min_count=1), TEXTS)
    with pytest.raises(EncoderError, match="a 'bag-of-words' encoder has no word vectors"):
        write_word_vectors(tmp_path / "words.txt", bag)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write_word_vectors(tmp_path / "file" / "words.txt", build_encoder(SMALL, TEXTS))
