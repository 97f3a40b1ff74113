"""The benchmark of search: its lexical baseline, its queries, and what its towers may see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cisi.baselines import Bm25, bm25
from benchmarks.cisi.collection import Collection, evaluate_search, quality, read_cisi
from benchmarks.cisi.towers import DocumentSplit
from recsys.encoders import BagOfWordsConfig, build_encoder
from recsys.ids import Vectors
from recsys.progress import silent

DOCUMENTS = """\
.I 1
.T
Lending in libraries
.W
Readers borrow books. Nobody pays for them here.
.I 2
.T
Chemistry indexes
.W
Compounds are indexed by structure.
.I 3
.T
Empty shelves
.W
Wood lasts.
"""
QUERIES = """\
.I 1
.W
What does a library lend?
.I 2
.W
Is it so?
.I 3
.W
Indexing structures
"""


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Collection:
    (tmp_path / "cisi").mkdir()
    for ending, text in (("ALL", DOCUMENTS), ("QRY", QUERIES), ("REL", "1 1\n3 2\n3 3\n")):
        (tmp_path / "cisi" / f"CISI.{ending}").write_text(text)
    monkeypatch.setenv("RECSYS_DATA_HOME", str(tmp_path))
    return read_cisi()


def test_queries_without_judgements_are_left_out(collection: Collection) -> None:
    assert (len(collection), len(collection.queries), collection.unjudged) == (3, 2, 1)
    assert collection.queries.phrases[1:] == ("What does a library lend?", "Indexing structures")


def test_bm25_stems_and_skips_stop_words(collection: Collection) -> None:
    scores = bm25(collection.whole, Bm25())(
        ["What does a library lend?", "Indexing structures", "is it for them"]
    )
    assert scores.shape == (3, 3) and not scores[2].any()
    assert (scores > 0).tolist()[:2] == [[True, False, False], [False, True, False]]


def test_map_of_a_ranking(collection: Collection) -> None:
    """The first query's only document comes second; of the second's two, the first and third."""

    def score(texts: Sequence[str]) -> Vectors:
        scores = {"What does a library lend?": [2, 3, 1], "Indexing structures": [2, 3, 1]}
        return np.array([scores[text] for text in texts], np.float32)

    figures = quality(collection, evaluate_search(collection, score))
    assert figures["map"] == pytest.approx(((1 / 2) + (1 / 1 + 2 / 3) / 2) / 2)


def test_lsa_sees_no_title_of_held_out_documents(collection: Collection, tmp_path: Path) -> None:
    bag = build_encoder(BagOfWordsConfig(min_count=1), collection.whole)
    for seed in range(3):
        documents = DocumentSplit(collection, seed, tmp_path, bag, silent)
        kept = zip(documents.held_out, collection.titles, documents.texts)
        assert all(out != text.startswith(title) for out, title, text in kept)
    assert len(documents.held_out) == 3
