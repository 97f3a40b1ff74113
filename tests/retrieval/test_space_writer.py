"""Items are written in all spaces at once, and a snapshot is read as any spaces are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.errors import DataError, InvalidRequestError, ServiceError
from recsys.ids import Mask, Vectors
from recsys.index import ExactConfig
from recsys.index.live import IndexWriter
from recsys.retrieval import (
    TWO_TOWER,
    LiveSpace,
    Query,
    Request,
    Space,
    SpacesSnapshot,
    SpaceWriter,
)
from recsys.vectors import MaskedVectors
from tests.contracts.index_contract import assert_same, made_vectors
from tests.retrieval.world import make_world

ITEMS = 40


@pytest.fixture
def writer(tmp_path: Path) -> Any:
    text = made_vectors(ITEMS, seed=42, dimension=6) * 3
    spaces = {
        TWO_TOWER: Space.two_tower(made_vectors(ITEMS, seed=41), ExactConfig()),
        "text": Space.content("text", text, np.arange(ITEMS) != 5, ExactConfig()),
    }
    with SpaceWriter(spaces, tmp_path / "work") as opened:
        yield opened


def vectors(count: int, seed: int, text_mask: Mask | None = None) -> dict[str, MaskedVectors]:
    mask = np.ones(count, np.bool_) if text_mask is None else text_mask
    text = made_vectors(count, seed=seed, dimension=6) * 2 * mask[:, None]
    towers = made_vectors(count, seed=seed + 1)
    return {
        TWO_TOWER: MaskedVectors(towers, np.ones(count, np.bool_)),
        "text": MaskedVectors(text.astype(np.float32), mask),
    }


def hits(snapshot: SpacesSnapshot, space: str, query: Vectors) -> list[int]:
    found = snapshot.spaces[space].search(query[None], ITEMS * 2, exclude=[np.empty(0, np.int32)])
    rows: list[int] = found.at(0)[0].tolist()
    return rows


def test_an_item_is_written_in_every_space(writer: SpaceWriter) -> None:
    before = writer.current
    new = vectors(3, 43, np.array([True, False, True]))
    after = writer.upsert(np.array([ITEMS, 7, ITEMS + 1]), new)
    assert writer.current is after and (after.version, after.items) == (1, ITEMS + 2)
    towers, text = after.spaces[TWO_TOWER], after.spaces["text"]
    np.testing.assert_array_equal(towers.vectors[[ITEMS, 7]], new[TWO_TOWER].vectors[:2])
    np.testing.assert_allclose(text.vectors[ITEMS], new["text"].vectors[0] / 2, rtol=1e-6)
    assert text.mask[np.array([5, 7, ITEMS, ITEMS + 1])].tolist() == [False, False, True, True]
    assert towers.mask.all() and not text.mask.all() and (~text.mask).sum() == 2
    assert hits(after, TWO_TOWER, new[TWO_TOWER].vectors[1])[0] == 7
    assert 7 not in hits(after, "text", text.vectors[ITEMS])
    assert before.items == ITEMS and bool(before.spaces["text"].mask[7])
    scores = text.scores(np.array([7, ITEMS]), text.vectors[ITEMS])
    assert scores[0] == 0 and scores[1] == pytest.approx(1)


def test_a_deleted_item_is_in_no_space(writer: SpaceWriter) -> None:
    after = writer.delete(np.array([5, 9]))  # Item 5 has no vector in the space of text.
    for name, space in after.spaces.items():
        assert not space.mask[np.array([5, 9])].any()
        assert not {5, 9} & set(hits(after, name, made_vectors(1, seed=1)[0, : space.dimension]))
    again = writer.upsert(np.array([9]), vectors(1, 44))
    assert again.spaces["text"].mask[9] and writer.delete(np.array([9])).version == 3


def test_items_without_a_vector_keep_the_spaces_of_one_size(writer: SpaceWriter) -> None:
    after = writer.upsert(np.array([ITEMS]), vectors(1, 45, np.array([False])))
    assert {len(space) for space in after.spaces.values()} == {ITEMS + 1}
    assert writer.upsert(np.array([ITEMS + 1]), vectors(1, 46)).items == ITEMS + 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([3, 3], "row 3 is there twice"),
        ([3, -1], "must be from 0 to"),
        ([3, ITEMS + 1], "must follow the last row, 39, without a gap; got 41 where 40"),
        ([3, 4, 5], r"expected one vector per row, \(3,\); got \(2,\)"),
        ([[3, 4]], r"expected one vector per row, \(1, 2\)"),
        ([0.5, 2], "must be whole numbers"),
    ],
)
def test_wrong_rows_change_nothing(writer: SpaceWriter, rows: Any, message: str) -> None:
    before = writer.current
    for mask in (np.array([True, True]), np.array([True, False])):
        with pytest.raises(InvalidRequestError, match=message):
            writer.upsert(np.array(rows), vectors(2, 47, mask))
    assert writer.current is before and writer.upsert(np.array([3]), vectors(1, 47)).version == 1


def test_wrong_vectors_change_nothing(writer: SpaceWriter) -> None:
    before, good = writer.current, vectors(1, 48)
    zero = {**good, "text": MaskedVectors(np.zeros((1, 6), np.float32), np.array([True]))}
    longer = {**good, "text": MaskedVectors(np.ones((1, 7), np.float32), np.array([True]))}
    for given, message in (
        (zero, "space 'text': vector 0 of those given has length zero; set its mask"),
        (longer, r"float32 \[1, 6\], one per row; got \(1, 7\)"),
        ({"text": good["text"]}, "for the spaces text, two_tower; got text"),
    ):
        with pytest.raises(InvalidRequestError, match=message):
            writer.upsert(np.array([3]), given)
    assert writer.current is before
    with pytest.raises(DataError, match="not finite"):
        MaskedVectors(np.full((1, 6), np.nan, np.float32), np.array([True]))


def test_a_wrong_delete_changes_nothing(writer: SpaceWriter) -> None:
    before = writer.delete(np.array([6]))
    for rows in ([4, 6], [4, ITEMS], [4, 4], [-1]):
        with pytest.raises(InvalidRequestError, match="cannot be deleted|is there twice|from 0"):
            writer.delete(np.array(rows))
    assert writer.current is before


def test_a_write_interrupted_between_two_spaces_is_not_read(
    writer: SpaceWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, write = writer.current, IndexWriter.write

    def fail_in_text(self: IndexWriter, change: Any) -> Any:
        if change.vectors.shape[1] == 6:
            raise MemoryError
        return write(self, change)

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(IndexWriter, "write", fail_in_text)
        writer.upsert(np.array([3]), vectors(1, 49))
    assert writer.current is before
    with pytest.raises(ServiceError, match="an earlier write was interrupted"):
        writer.delete(np.array([3]))


def test_a_compaction_is_published_and_changes_no_answer(writer: SpaceWriter) -> None:
    writer.upsert(np.array([ITEMS, 7]), vectors(2, 50, np.array([True, False])))
    before = writer.delete(np.array([11]))
    assert all(report.error is None for report in writer.compact().values())
    after = writer.current
    assert (after.version, after.items) == (before.version, before.items)
    for name, space in after.spaces.items():
        assert space.live_index.counts.fresh == 0
        np.testing.assert_array_equal(space.vectors, before.spaces[name].vectors)
        np.testing.assert_array_equal(space.mask, before.spaces[name].mask)


def test_a_saved_live_space_answers_the_same(writer: SpaceWriter, tmp_path: Path) -> None:
    writer.upsert(np.array([ITEMS, 7]), vectors(2, 51, np.array([True, False])))
    space, queries = writer.current.spaces["text"], made_vectors(4, seed=52, dimension=6)
    space.save(tmp_path / "text")
    loaded = LiveSpace.load(tmp_path / "text", "text")
    nothing = [np.empty(0, np.int32)] * len(queries)
    assert_same(
        loaded.search(queries, 50, exclude=nothing), space.search(queries, 50, exclude=nothing)
    )
    (tmp_path / "text" / "live" / "live.json").unlink()
    with pytest.raises(DataError, match="no whole live index"):
        LiveSpace.load(tmp_path / "text", "text")
    with pytest.raises(DataError, match="cannot read the live space"):
        LiveSpace.load(tmp_path, "text")


def test_spaces_must_be_of_the_same_items(tmp_path: Path) -> None:
    spaces = {
        name: Space.two_tower(made_vectors(count, seed=53), ExactConfig())
        for name, count in (("a", 3), ("b", 4))
    }
    with pytest.raises(InvalidRequestError, match="of the same items; got {'a': 3, 'b': 4}"):
        SpaceWriter(spaces, tmp_path)
    with pytest.raises(InvalidRequestError, match="got no space"):
        SpaceWriter({}, tmp_path)


def test_a_retriever_answers_from_live_spaces(tmp_path: Path) -> None:
    world = make_world()
    requests = [
        Request(Query(item_id="i03"), k=5, space="text"),
        Request(Query(history=("i01", "i02")), k=60),
        Request(Query(history=("i01", "i02")), k=60, space="text"),
        Request(Query(terms="Item 7"), k=4, space="text+two_tower"),
    ]
    expected = world.retriever().answer(requests)
    with SpaceWriter(world.spaces, tmp_path) as writer:
        world.spaces = dict(writer.current.spaces)
        assert world.retriever().answer(requests) == expected
        text = writer.current.spaces["text"]
        others = {
            name: MaskedVectors(space.vectors[[7]], space.mask[np.array([7])])
            for name, space in world.spaces.items()
        }
        others["text"] = MaskedVectors(text.vectors[[3]], np.array([True]))
        world.spaces = dict(writer.upsert(np.array([7]), others).spaces)
    first = world.retriever().respond(requests[0]).candidates[0]
    assert first.id == "i07" and first.score == pytest.approx(1)
