"""Fusion of spaces: sum and ranks compared with brute force on random worlds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import InvalidRequestError
from recsys.ids import Rows, Vectors
from recsys.index import ExactConfig, ExactIndex, IndexConfig, ScannConfig
from recsys.index.rows import RowSet
from recsys.retrieval import (
    Fusion,
    Query,
    ReciprocalRank,
    Request,
    Response,
    Retriever,
    Space,
    WeightedSum,
    fusion_search,
)
from recsys.retrieval.crowding import Crowding
from recsys.retrieval.filters import CodedValues
from recsys.retrieval.fusion_search import FusionInput, search_spaces
from tests.retrieval.world import make_world

NAMES = ("two_tower", "text", "image")
EVERY_LEAF = ScannConfig(brute_force_below=16, leaves_to_search="all")


@dataclass(frozen=True)
class Drawn:
    """Random spaces and queries; few different vectors, and therefore ties, if ``coarse``."""

    spaces: dict[str, Space]
    inputs: list[FusionInput]


def draw(
    seed: int, *, config: IndexConfig | None = None, items: int = 60, ties: str = "few"
) -> Drawn:
    rng = np.random.default_rng(seed)
    spaces = {}
    for name in NAMES[: rng.integers(1, 4)]:
        vectors = rng.standard_normal((items, 3)).astype(np.float32)
        if ties == "many":
            vectors = rng.integers(-1, 2, (items, 3)).astype(np.float32)
        mask = rng.random(items) < rng.choice([0.3, 0.8, 1.0])
        mask[rng.integers(items)] = True
        if name == "two_tower":
            spaces[name] = Space.two_tower(vectors, config or ExactConfig())
        else:
            vectors[mask & ~vectors.any(axis=1)] = 1
            spaces[name] = Space.content(name, vectors, mask, config or ExactConfig())
    inputs = []
    for _ in range(4):
        weights = {name: float(rng.choice([0, 0.5, 1, 3])) for name in spaces}
        weights[rng.choice(list(spaces))] = 1.0
        form = WeightedSum(weights if len(spaces) > 1 else {})
        if len(spaces) > 1 and rng.random() < 0.4:
            form = ReciprocalRank(int(rng.integers(0, 80)), int(rng.integers(1, 90)), weights)
        points = {name: rng.integers(-2, 3, 3).astype(np.float32) for name in spaces}
        hidden = np.flatnonzero(rng.random(items) < rng.choice([0.0, 0.3])).astype(np.int32)
        k = int(rng.integers(1, items + 20))
        inputs.append(FusionInput(points, hidden, k, form, *draw_limits(rng, items)))
    return Drawn(spaces, inputs)


def draw_limits(rng: np.random.Generator, items: int) -> tuple[RowSet | None, Crowding]:
    """Rows of a filter or none, and a crowding by no, one or two columns."""
    allowed = None
    if rng.random() < 0.5:
        allowed = RowSet.of_mask(rng.random(items) < rng.choice([0.0, 0.1, 0.5, 0.9]))
    limits = []
    for _ in range(rng.choice([0, 1, 1, 2])):
        # One value is frequent; an item has at most one value or two, or none.
        counts = rng.choice([0, 1, 1, rng.integers(1, 3)], items)
        rows = np.repeat(np.arange(items), counts)
        values = CodedValues.of(rows, rng.geometric(0.5, len(rows)), items=items)
        limits.append((values, int(rng.integers(1, 4))))
    return allowed, Crowding(tuple(limits))


def by_brute_force(spaces: Mapping[str, Space], query: FusionInput) -> tuple[Rows, Vectors]:
    """Every eligible row scored, and sorted by score and row."""
    items = len(next(iter(spaces.values())))
    total, eligible = np.zeros(items), np.zeros(items, np.bool_)
    for name in sorted(query.vectors):
        space, weight = spaces[name], query.fusion.weight(name)
        may = space.mask.copy()
        may[query.hidden] = False
        if query.allowed is not None:
            may &= query.allowed.mask
        eligible |= may
        pairs = space.vectors.astype(np.float64) * query.vectors[name]
        products = pairs.sum(axis=1).astype(np.float32)
        if isinstance(query.fusion, WeightedSum):
            total[may] += weight * products[may].astype(np.float64)
            continue
        order = sorted(np.flatnonzero(may), key=lambda row: (-products[row], row))
        for rank, row in enumerate(order[: max(query.fusion.depth, query.k)], 1):
            total[row] += weight / (query.fusion.constant + rank)
    scores = total.astype(np.float32)
    order = sorted(np.flatnonzero(eligible), key=lambda row: (-scores[row], row))
    taken: list[int] = []
    counts = [Counter[int]() for _ in query.crowding.limits]
    for row in order:
        own = [column.at(np.array([row]))[0] for column, _ in query.crowding.limits]
        limits = [most for _, most in query.crowding.limits]
        if all(n[value] < m for n, m, each in zip(counts, limits, own) for value in each):
            taken.append(row)
            for n, each in zip(counts, own):
                n.update(each)
    return np.array(taken[: query.k], np.int32), scores[taken[: query.k]]


def assert_true_best(drawn: Drawn) -> None:
    for each, found in zip(drawn.inputs, search_spaces(drawn.spaces, drawn.inputs)):
        rows, scores = by_brute_force(drawn.spaces, each)
        np.testing.assert_array_equal(found.rows, rows)
        np.testing.assert_array_equal(found.scores, scores)


@pytest.mark.parametrize("ties", ["few", "many"])
@pytest.mark.parametrize("exclude_from", [8, 1_024])
@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_best_of_a_fusion_is_that_of_brute_force(
    ties: str, exclude_from: int, seed: int
) -> None:
    with patch.object(fusion_search, "_EXCLUDE_FROM", exclude_from):
        assert_true_best(draw(seed, ties=ties))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ties", ["few", "many"])
def test_over_scann_with_every_leaf_searched_too(ties: str, seed: int) -> None:
    assert_true_best(draw(seed, config=EVERY_LEAF, items=400, ties=ties))


def test_a_sum_reads_no_further_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    """One item leads both lists: two short lists are enough, whatever the catalogue holds."""
    rng, read = np.random.default_rng(0), []
    search = ExactIndex.search

    def counted(self: ExactIndex, queries, k, **options):  # type: ignore[no-untyped-def]
        read.append(k)
        return search(self, queries, k, **options)

    vectors = rng.standard_normal((5_000, 4)).astype(np.float32)
    vectors[7] *= 100
    spaces = {name: Space.two_tower(vectors, ExactConfig()) for name in ("text", "image")}
    point = vectors[7] / 100
    monkeypatch.setattr(ExactIndex, "search", counted)
    fused = FusionInput(
        {"text": point, "image": point}, np.empty(0, np.int32), 1, WeightedSum({"text": 3})
    )
    (found,) = search_spaces(spaces, [fused])
    assert found.rows.tolist() == [7] and read == [64, 64]
    far = FusionInput({"text": point, "image": -point}, np.empty(0, np.int32), 1, WeightedSum())
    read.clear()
    search_spaces(spaces, [far])
    assert read == sorted(read) and read[-1] > 1_000, "sums that cancel out tie"


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return make_world().retriever()


def both(retriever: Retriever, k: int, fusion: Fusion | None, **options: object) -> Response:
    return retriever.retrieve(
        terms="10",
        image=b"14",
        k=k,
        fusion=fusion,
        **{"space": "text+image", **options},  # type: ignore[arg-type]
    )


def test_words_and_a_picture_meet_in_the_middle(retriever: Retriever) -> None:
    answer = both(retriever, 3, WeightedSum())
    assert answer.ids[0] == "i11" and set(answer.ids) == {"i10", "i11", "i13"}
    assert (answer.space, answer.short) == ("text+image", None)
    top = answer.candidates[0]
    assert top.parts == pytest.approx(
        {"text": math.cos(math.radians(9)), "image": math.cos(math.radians(27))}
    )
    assert top.score == pytest.approx(sum(top.parts.values()))


def test_ranks_are_fused_by_the_formula_of_the_paper(retriever: Retriever) -> None:
    fusion = ReciprocalRank(constant=10, weights={"text": 2})
    answer = both(retriever, 40, fusion)
    alone = {
        "text": retriever.retrieve(terms="10", k=40, space="text").ids,
        "image": retriever.retrieve(image=b"14", k=40, space="image").ids,
    }
    for candidate in answer.candidates:
        expected = sum(
            fusion.weight(name) / (10 + ids.index(candidate.id) + 1)
            for name, ids in alone.items()
            if candidate.id in ids
        )
        assert candidate.score == pytest.approx(expected)
        assert set(candidate.parts) == {name for name, ids in alone.items() if candidate.id in ids}


def test_a_weight_of_zero_leaves_the_order_of_the_other(retriever: Retriever) -> None:
    answer = both(retriever, 5, WeightedSum({"text": 0}))
    assert answer.ids == retriever.retrieve(image=b"14", k=5, space="image").ids
    assert both(retriever, 40, WeightedSum({"text": 0})).candidates[-1].score < 0


def test_ranks_are_the_default_and_the_order_of_names_does_not_matter(
    retriever: Retriever,
) -> None:
    answer = both(retriever, 10, None)
    assert answer.candidates == both(retriever, 10, ReciprocalRank()).candidates
    for fusion in (None, WeightedSum({"image": 0.3})):
        turned = both(retriever, 10, fusion, space="image+text")
        assert turned.candidates == both(retriever, 10, fusion).candidates


@pytest.mark.parametrize("fusion", [ReciprocalRank(depth=1), WeightedSum()])
def test_every_item_of_any_of_the_spaces_comes_before_an_answer_is_short(
    retriever: Retriever, fusion: Fusion
) -> None:
    answer = both(retriever, 10_000, fusion, exclude=["i00"])
    assert len(answer.ids) == 35
    assert answer.short == (
        "35 of the 40 items are eligible, 10,000 were wanted; 4 have no vector in space 'text' "
        "or 'image' and 1 are excluded or were seen"
    )
    assert len(both(retriever, 30, fusion).ids) == 30


@pytest.mark.parametrize("fusion", [ReciprocalRank(), WeightedSum()])
def test_seen_and_excluded_items_are_left_out(retriever: Retriever, fusion: Fusion) -> None:
    query = Query(user_id="ann", terms="4", image=b"5")
    request = Request(query, k=3, space="two_tower+text+image", fusion=fusion)
    answer = retriever.respond(replace(request, exclude=["i06"]))
    assert not {"i03", "i04", "i05", "i06"} & set(answer.ids)
    seen = retriever.respond(replace(request, seen="include"))
    assert {"i04", "i05"} <= set(seen.ids)


def test_unknown_words_next_to_a_user_are_reported(retriever: Retriever) -> None:
    answer = retriever.retrieve(
        user_id="ann", terms="xyzzy", image=b"4", k=3, space="two_tower+image"
    )
    assert answer.unread_terms == "xyzzy"


@pytest.mark.parametrize(
    "weights",
    [
        {"text": math.nan},
        {"text": -1},
        {"text": math.inf},
        {"text": 1e7},
        {"text": 1e-44},
        {"text": True},
        {"text": "2"},
        {"text": None},
        {7: 1},
        ["text"],
        None,
    ],
)
def test_weights_out_of_range(weights: object) -> None:
    for form in (ReciprocalRank, WeightedSum):
        with pytest.raises(InvalidRequestError, match="weights? must be a") as caught:
            form(weights=weights)  # type: ignore[arg-type]
        assert caught.value.field == "fusion.weights"


@pytest.mark.parametrize("name", ["constant", "depth"])
@pytest.mark.parametrize("value", [-1, 2_000_000, 1.5, True, math.nan, None])
def test_numbers_of_a_rank_fusion_out_of_range(name: str, value: object) -> None:
    with pytest.raises(InvalidRequestError, match=f"{name} must be a whole number") as caught:
        ReciprocalRank(**{name: value})  # type: ignore[arg-type]
    assert caught.value.field == f"fusion.{name}"
