"""Each kind of query in each space, in a world where the answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.index import ScannConfig
from recsys.retrieval import Response, Retriever
from tests.retrieval.world import ITEMS, World, make_world


@pytest.fixture(scope="module", params=["exact", "scann"])
def world(request: pytest.FixtureRequest) -> World:
    return make_world(ScannConfig() if request.param == "scann" else None)


@pytest.fixture(scope="module")
def retriever(world: World) -> Retriever:
    return world.retriever()


def retrieve(retriever: Retriever, k: int = 3, **arguments: object) -> Response:
    return retriever.retrieve(k=k, **arguments)


def test_by_user_from_the_log_without_seen_items(retriever: Retriever) -> None:
    answer = retrieve(retriever, user_id="ann", k=4)
    assert answer.ids == ["i02", "i06", "i01", "i07"]  # her own vector leans to i00
    assert [candidate.rank for candidate in answer.candidates] == [1, 2, 3, 4]
    scores = [candidate.score for candidate in answer.candidates]
    assert scores == sorted(scores, reverse=True)
    assert (answer.space, answer.short, answer.unknown_history) == ("two_tower", None, ())


def test_by_user_with_seen_items(retriever: Retriever) -> None:
    assert set(retrieve(retriever, user_id="ann", seen="include").ids) == {"i03", "i04", "i05"}


def test_by_history(retriever: Retriever) -> None:
    assert set(retrieve(retriever, history=["i10"], k=2).ids) == {"i09", "i11"}
    assert retrieve(retriever, history=("i10",), k=1, seen="include").ids == ["i10"]


def test_a_user_without_interactions_and_an_empty_history_are_left_to_the_towers(
    retriever: Retriever,
) -> None:
    assert retrieve(retriever, user_id="eve", k=1).ids == ["i00"]
    assert retrieve(retriever, history=(), k=1).ids == ["i00"]


@pytest.mark.parametrize("space", ["two_tower", "text", "image"])
def test_by_item_in_every_space_without_the_item(retriever: Retriever, space: str) -> None:
    answer = retrieve(retriever, item_id="i10", space=space, k=3)
    expected = {"two_tower": {"i09", "i11"}, "text": {"i09", "i11"}, "image": {"i11", "i08"}}
    assert expected[space] <= set(answer.ids)
    assert "i10" not in retrieve(retriever, item_id="i10", space=space, k=40, seen="include").ids


@pytest.mark.parametrize("space", ["two_tower", "text"])
def test_by_terms(retriever: Retriever, space: str) -> None:
    assert set(retrieve(retriever, terms="17 18 19", space=space).ids) == {"i17", "i18", "i19"}


def test_by_a_picture_that_is_not_in_the_catalogue(retriever: Retriever) -> None:
    answer = retrieve(retriever, image=b"17 18 19", space="image", k=2)
    assert set(answer.ids) == {"i17", "i19"}  # i18 has no picture


def test_by_the_picture_of_an_item_as_by_the_item_but_itself_first(retriever: Retriever) -> None:
    by_picture = retrieve(retriever, image=b"10", space="image", k=4)
    assert by_picture.ids[0] == "i10"
    by_item = retrieve(retriever, item_id="i10", space="image", k=3)
    assert by_picture.ids[1:] == by_item.ids
    assert retrieve(retriever, image=b"10", space="image", k=3, exclude=["i10"]).ids == by_item.ids


def test_a_picture_counts_before_a_history_in_image(retriever: Retriever) -> None:
    answer = retrieve(retriever, image=b"4", user_id="ann", space="image", k=1)
    assert answer.ids == ["i02"]  # i04 and i05 were seen, i03 and i06 have no picture
    assert retrieve(retriever, image=b"4", history=["i20"], space="image", k=1).ids == ["i04"]


def test_terms_with_a_user_lead_the_tower_and_hide_seen_items(retriever: Retriever) -> None:
    answer = retrieve(retriever, terms="21", user_id="bob", k=2)
    assert answer.ids == ["i22", "i19"]
    assert retrieve(retriever, terms="30", history=["i30"], k=1).ids[0] in {"i29", "i31"}


def test_terms_count_before_a_history_in_text(retriever: Retriever) -> None:
    answer = retrieve(retriever, terms="4", user_id="ann", space="text", k=2)
    assert set(answer.ids) == {"i02", "i06"}
    assert retrieve(retriever, terms="4", user_id="bob", space="text", k=1).ids == ["i04"]


@pytest.mark.parametrize("space", ["text", "image"])
def test_a_history_is_the_mean_of_its_items_with_a_vector(retriever: Retriever, space: str) -> None:
    absent = "i35" if space == "text" else "i36"
    alone = retrieve(retriever, history=["i10", "i13"], space=space, k=2)
    mixed = retrieve(retriever, history=["i10", absent, "i13"], space=space, k=2)
    assert set(alone.ids) == ({"i11", "i12"} if space == "text" else {"i11", "i14"})
    assert alone.candidates == mixed.candidates


def test_items_without_a_vector_never_come(retriever: Retriever) -> None:
    answer = retrieve(retriever, item_id="i29", space="text", k=40)
    assert set(answer.ids) == set(ITEMS[:29])
    assert answer.short == (
        "29 of the 40 items are eligible, 40 were wanted; "
        "10 have no vector in space 'text' and 1 are excluded or were seen"
    )


def test_content_scores_are_cosines(retriever: Retriever) -> None:
    answer = retrieve(retriever, terms="10", space="text", k=2)
    expected = [1.0, float(np.cos(np.radians(9)))]
    np.testing.assert_allclose([c.score for c in answer.candidates], expected, rtol=1e-6)


def test_excluded_items_do_not_come_and_unknown_ones_are_reported(retriever: Retriever) -> None:
    answer = retrieve(retriever, history=["i10"], k=2, exclude=["i09", "nonesuch", "i11"])
    assert set(answer.ids) == {"i08", "i12"}
    assert answer.unknown_exclude == ("nonesuch",)


def test_unknown_items_of_a_history_are_skipped_and_reported(retriever: Retriever) -> None:
    answer = retrieve(retriever, history=["x", "i10", "y", "x"], k=2)
    assert answer.unknown_history == ("x", "y")
    assert answer.candidates == retrieve(retriever, history=["i10"], k=2).candidates


def test_words_without_a_vector_are_reported_next_to_a_user(retriever: Retriever) -> None:
    answer = retrieve(retriever, user_id="ann", terms="xyzzy", k=3)
    assert answer.unread_terms == "xyzzy"
    assert answer.candidates == retrieve(retriever, user_id="ann", k=3).candidates
    assert retrieve(retriever, user_id="ann", terms="7", k=3).unread_terms is None


def test_k_above_the_catalogue_returns_all_with_the_reason(retriever: Retriever) -> None:
    answer = retrieve(retriever, history=["i10"], k=10_000, seen="include")
    assert set(answer.ids) == set(ITEMS) and len(answer.ids) == 40
    assert answer.short == "40 of the 40 items are eligible, 10,000 were wanted"


def test_everything_excluded_is_an_empty_answer_with_its_reason(retriever: Retriever) -> None:
    answer = retrieve(retriever, history=["i10"], k=2, exclude=ITEMS)
    assert answer.candidates == ()
    assert answer.short == (
        "0 of the 40 items are eligible, 2 were wanted; 40 are excluded or were seen"
    )


def test_content_is_searched_without_towers(world: World) -> None:
    spaces = {name: space for name, space in world.spaces.items() if name != "two_tower"}
    retriever = replace(world.retriever(), towers=None, spaces=spaces)
    answer = retrieve(retriever, terms="7", image=b"8", space="text+image", k=2)
    assert set(answer.ids) == {"i07", "i08"}


def test_candidates_carry_their_titles_on_request(retriever: Retriever) -> None:
    answer = retrieve(retriever, item_id="i37", k=3, titles=True)
    assert {each.id: each.title for each in answer.candidates} == {
        "i36": "Item 36",
        "i38": "Item 38",
        "i39": None,
    }
    plain = retrieve(retriever, item_id="i37", k=3)
    assert plain.ids == answer.ids and {each.title for each in plain.candidates} == {None}
