"""Every format of word vectors gives the same words, and what is none is refused with its line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import save_facebook_model

from recsys.encoders.words.word_vector_files import read_word_vectors
from recsys.errors import EncoderError

WORDS = ["the", "lamp", "café", "don't", "Rug", "rug", "Oslo", ","]
KEPT = ["the", "lamp", "café", "rug", "oslo"]
VECTORS = np.arange(len(WORDS) * 3, dtype=np.float32).reshape(-1, 3) / 8 + 1


def keyed() -> KeyedVectors:
    vectors = KeyedVectors(3)
    vectors.add_vectors(WORDS, VECTORS)
    return vectors


def glove(path: Path) -> None:
    lines = [f"{word} {' '.join(map(str, row))}" for word, row in zip(WORDS, VECTORS.tolist())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def word2vec_text(path: Path) -> None:
    keyed().save_word2vec_format(str(path), binary=False)


def word2vec_binary(path: Path) -> None:
    keyed().save_word2vec_format(str(path), binary=True)


def fasttext_vec(path: Path) -> None:
    """As fastText writes it: a header, and a blank at the end of each line."""
    rows = [f"{word} {' '.join(map(str, row))} " for word, row in zip(WORDS, VECTORS.tolist())]
    path.write_text("\n".join([f"{len(WORDS)} 3", *rows]) + "\n", encoding="utf-8")


def glove_with_phrases(path: Path) -> None:
    """As GloVe 840B: some entries hold blanks."""
    glove(path)
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    phrases = [". . . 1.0 2.0 3.0", "at name@domain.com 1.0 2.0 3.0"]
    path.write_text("\n".join([first, *phrases, *rest]) + "\n", encoding="utf-8")


def test_the_first_of_equal_words_counts(tmp_path: Path) -> None:
    words, vectors = ["Rug", "lamp", "rug", "lamp"], np.arange(8, dtype=np.float32).reshape(4, 2)
    text, binary = tmp_path / "words.txt", tmp_path / "words.bin"
    lines = [f"{word} {a} {b}\n" for word, (a, b) in zip(words, vectors.tolist())]
    text.write_text("4 2\n" + "".join(lines))
    entries = [f"{word} ".encode() + row.tobytes() for word, row in zip(words, vectors)]
    binary.write_bytes(b"4 2\n" + b"".join(entries))
    for path in (text, binary):
        read = read_word_vectors(path)
        found = dict(zip(read.words, read.vectors.tolist()))
        assert found == {"rug": [4.0, 5.0], "lamp": [2.0, 3.0]}


FORMATS = [glove, word2vec_text, word2vec_binary, fasttext_vec, glove_with_phrases]


@pytest.mark.parametrize("write", FORMATS)
def test_every_format_holds_the_same(tmp_path: Path, write) -> None:
    path = tmp_path / "vectors"
    write(path)
    read = read_word_vectors(path)
    words, vectors = read.words, read.vectors
    assert words == KEPT and read.subwords is None
    assert vectors.dtype == np.float32
    rows = [WORDS.index(word) for word in ("the", "lamp", "café", "rug", "Oslo")]
    np.testing.assert_array_equal(vectors, VECTORS[rows])


@pytest.mark.parametrize("write", FORMATS)
def test_every_format_may_be_compressed(tmp_path: Path, write) -> None:
    write(tmp_path / "plain")
    path = tmp_path / "vectors.gz"
    path.write_bytes(gzip.compress((tmp_path / "plain").read_bytes()))
    assert read_word_vectors(path).words == KEPT


@pytest.mark.parametrize("write", FORMATS)
def test_only_the_first_words(tmp_path: Path, write) -> None:
    write(tmp_path / "vectors")
    assert read_word_vectors(tmp_path / "vectors", limit=2).words[:1] == ["the"]
    assert len(read_word_vectors(tmp_path / "vectors", limit=2).words) <= 2


def test_fasttext_binary(tmp_path: Path) -> None:
    model = FastText(
        sentences=[["red", "lamp"], ["red", "rug"]] * 3,
        vector_size=4,
        min_count=1,
        bucket=10,
        workers=1,
        epochs=1,
    )
    save_facebook_model(model, str(tmp_path / "model.bin"))
    read = read_word_vectors(tmp_path / "model.bin")
    words, vectors = read.words, read.vectors
    assert sorted(words) == ["lamp", "red", "rug"]
    np.testing.assert_allclose(vectors[words.index("lamp")], model.wv["lamp"], atol=1e-6)
    (tmp_path / "cut.bin").write_bytes((tmp_path / "model.bin").read_bytes()[:300])
    with pytest.raises(EncoderError, match="cut.bin is not a whole word-vector file"):
        read_word_vectors(tmp_path / "cut.bin")


NUMBERS = " ".join(["0.5"] * 3)
BAD = {
    "empty": (b"", "its first line starts with b''"),
    "prose": (b"This is a letter.\nIt holds no vectors.\n", "its first line starts with"),
    "csv": (b"word,x,y\nlamp,1,2\n", "its first line starts with"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "its first line starts with"),
    "header of a wider vector": (
        f"2 4\na {NUMBERS}\nb {NUMBERS}\n".encode(),
        "line 2 is not a word and 4 numbers, the width that the header states: it has 3 numbers",
    ),
    "header of a narrower vector": (
        f"2 2\na {NUMBERS}\nb {NUMBERS}\n".encode(),
        "line 2 is not a word and 2 numbers, the width that the header states: it has 3 numbers",
    ),
    "long line": (
        f"a {NUMBERS}\nlamp 0.5 {NUMBERS}\n".encode(),
        "line 2 is not a word and 3 numbers, the width that line 1 states: it has 4 numbers",
    ),
    "decimal commas": (f"a {NUMBERS}\nlamp 1 2,5 3\n".encode(), "it ends with '2,5' and 1 numbers"),
    "no word": (f"a {NUMBERS}\n{NUMBERS}\n".encode(), "line 2 is not a word and 3 numbers"),
    "infinite": (f"a {NUMBERS}\nlamp 1 inf 3\n".encode(), "line 2: the vector of 'lamp'"),
    "too large for float32": (f"a 1e39 {NUMBERS[4:]}\n".encode(), "line 1: the vector of 'a'"),
    "header of no numbers": (b"1 0\na\n", "promises vectors of 0 numbers"),
    "header alone": (b"0 3\n", "it holds no words"),
    "zip": (b"PK\x03\x04 and so on", "it is a zip archive; unpack it"),
    "UTF-16": (f"a {NUMBERS}\n".encode("utf-16"), "it is UTF-16; save it as UTF-8"),
    "short line": (f"a {NUMBERS}\nlamp 0.5\n".encode(), "line 2 is not a word and 3 numbers"),
    "short line below a header": (
        f"2 3\na {NUMBERS}\nlamp 0.5 5\n".encode(),
        "line 3 is not a word and 3 numbers",
    ),
    "not a number": (f"a {NUMBERS}\nlamp 1 x 2\n".encode(), "x"),
    "fewer words": (f"5 3\na {NUMBERS}\nb {NUMBERS}\n".encode(), "promises 5"),
    "impossible sizes": (f"999999999999 3\na {NUMBERS}\n".encode(), "promises 999,999,999,999"),
    "no words": (f", {NUMBERS}\n. {NUMBERS}\n".encode(), "it holds no words"),
}


@pytest.mark.parametrize("name", BAD)
def test_other_files_are_refused_as_word_vectors(tmp_path: Path, name: str) -> None:
    content, reason = BAD[name]
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(EncoderError, match="is not a whole word-vector file") as refused:
        read_word_vectors(path)
    assert reason in str(refused.value) and str(path) in str(refused.value)
    assert "get the file again" in str(refused.value)


HARMLESS = {
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "CRLF": lambda text: text.replace(b"\n", b"\r\n"),
    "blank lines": lambda text: b"\n" + text.replace(b"\n", b"\n \n") + b"\n",
    "blanks at the ends": lambda text: text.replace(b"\n", b"  \t\n"),
    "tabs": lambda text: text.replace(b" ", b"\t"),
    "two blanks": lambda text: text.replace(b" ", b"  "),
    "no last line end": lambda text: text.rstrip(),
}


@pytest.mark.parametrize("write", [glove, word2vec_text, glove_with_phrases])
@pytest.mark.parametrize("change", HARMLESS)
def test_text_is_read_whole_with(tmp_path: Path, write, change: str) -> None:
    path = tmp_path / "vectors"
    write(path)
    expected = read_word_vectors(path)
    path.write_bytes(HARMLESS[change](path.read_bytes()))
    read = read_word_vectors(path)
    assert read.words == expected.words and read.entries == expected.entries
    np.testing.assert_array_equal(read.vectors, expected.vectors)


@pytest.mark.parametrize("write", [word2vec_text, word2vec_binary])
def test_entries_after_those_of_the_header_are_read_and_counted(tmp_path: Path, write) -> None:
    path = tmp_path / "vectors"
    write(path)
    path.write_bytes(path.read_bytes().replace(b"8 3", b"5 3", 1))
    read = read_word_vectors(path)
    assert read.words == KEPT and read.entries["beyond_header"] == 3


def test_a_binary_file_of_another_width_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    word2vec_binary(path)
    for width in (1, 2, 4, 5):
        path.write_bytes(path.read_bytes()[3:])
        path.write_bytes(f"8 {width}".encode() + path.read_bytes())
        with pytest.raises(EncoderError, match="numbers of 4 bytes, the width that its header"):
            read_word_vectors(path)


def test_compression_is_detected_by_content(tmp_path: Path) -> None:
    glove(tmp_path / "plain.gz")
    assert read_word_vectors(tmp_path / "plain.gz").words == KEPT
    packed = tmp_path / "vectors.txt"
    packed.write_bytes(gzip.compress((tmp_path / "plain.gz").read_bytes()))
    assert read_word_vectors(packed).words == KEPT


def test_the_numbers_of_entries_are_saved_with_the_encoder(tmp_path: Path) -> None:
    from recsys.encoders import CountsEntries, WordVectorsConfig, build_encoder, load_encoder

    (tmp_path / "file").write_text("2 2\nRug 1 2\nlamp 3 4\nlamp 5 6\nrug 1 1\nred rug 1 2\n")
    encoder = build_encoder(WordVectorsConfig(file=tmp_path / "file"), [])
    encoder.save(tmp_path / "saved")
    loaded = load_encoder(tmp_path / "saved")
    assert isinstance(encoder, CountsEntries) and isinstance(loaded, CountsEntries)
    assert loaded.entries == encoder.entries
    assert encoder.entries == {
        "entries": 5,
        "repeated": 1,
        "other_spellings": 1,
        "not_words": 1,
        "beyond_header": 3,
    }


@pytest.mark.parametrize("write", [word2vec_text, word2vec_binary, fasttext_vec])
@pytest.mark.parametrize("cut", [12, 30, 60])
def test_a_cut_file_with_a_header_is_refused(tmp_path: Path, write, cut: int) -> None:
    write(tmp_path / "whole")
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[:-cut])
    with pytest.raises(EncoderError, match="is not a whole word-vector file"):
        read_word_vectors(tmp_path / "cut")


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    glove(tmp_path / "plain")
    path = tmp_path / "vectors.gz"
    path.write_bytes(gzip.compress((tmp_path / "plain").read_bytes())[:-12])
    with pytest.raises(EncoderError, match="is not a whole word-vector file"):
        read_word_vectors(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"nowhere.txt does not exist: check the encoder's"):
        read_word_vectors(tmp_path / "nowhere.txt")


def test_vectors_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    from recsys.encoders import WordVectorsConfig, build_encoder

    (tmp_path / "file").write_text("a 1 2\nlamp nan 1\n")
    with pytest.raises(EncoderError, match="line 2: the vector of 'lamp' is not finite"):
        build_encoder(WordVectorsConfig(file=tmp_path / "file"), [])
