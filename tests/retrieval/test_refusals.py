"""Refused requests: the message and the field."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.catalogue import catalogue_of_ids
from recsys.errors import DataError, InvalidRequestError, NotFoundError, UnknownIdError
from recsys.index import ExactConfig
from recsys.retrieval import Fusion, Query, Request, Retriever, Space, WeightedSum
from tests.retrieval.world import ITEMS, NumberPictures, NumberWords, World, at, make_world


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


@pytest.fixture(scope="module")
def retriever(world: World) -> Retriever:
    return world.retriever()


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        (
            Query(),
            "query",
            "empty; give user_id, history, terms, image, item_id, item_ids or vector",
        ),
        (Query(user_id="ann", history=[]), "query.history", "user_id or history, not both"),
        (Query(item_id="i01", user_id="ann"), "query.item_id", "alone; leave out user_id"),
        (Query(item_id="i01", terms="a", history=[]), "query.item_id", "out history and terms"),
        (Query(item_id="i01", image=b"1"), "query.item_id", "stands alone; leave out image"),
        (Query(item_id="i01", context={"a": "b"}), "query.item_id", "alone; leave out context"),
        (Query(context={"a": "b"}), "query", "empty; give user_id, history, terms, image, item_id"),
        (Query(user_id="ann", context={"a": "b"}), "query.context", "reads no context here; leave"),
        (Query(history=["i01"], history_times=[1]), "query.history_times", "reads no times of a"),
        (Query(image="1.png"), "query.image", "bytes of a picture's file; got str: read the file"),
        (Query(user_id=""), "query.user_id", "must be a string that is not blank; got ''"),
        (Query(terms=" \t"), "query.terms", "must be a string that is not blank"),
        (Query(item_id=7), "query.item_id", "must be a string that is not blank; got 7"),
        (Query(terms="xyzzy"), "query.terms", "knows no word of 'xyzzy'; search with other words"),
    ],
)
def test_queries_that_make_no_sense(
    retriever: Retriever, query: Query, field: str, message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=message) as caught:
        retriever.respond(Request(query, k=3))
    assert caught.value.field == field


def test_context_and_times_have_their_form() -> None:
    with pytest.raises(InvalidRequestError, match="context must map names of columns to values"):
        Query(history=[], context=["country"])
    with pytest.raises(InvalidRequestError, match="history_times needs a history") as caught:
        Query(user_id="ann", history_times=[1])
    assert caught.value.field == "query.history_times"
    assert Query(history=[], history_times=[]) == Query(history=[])


def test_a_history_is_a_sequence_of_ids() -> None:
    with pytest.raises(InvalidRequestError, match="sequence of ids; got the single value 'i01'"):
        Query(history="i01")
    with pytest.raises(InvalidRequestError, match="position 1 holds 7") as caught:
        Query(history=["i01", 7])
    assert caught.value.field == "query.history[1]"


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        ({"k": 0}, "k", "k must be from 1 to 10,000; got 0"),
        ({"k": -3}, "k", "got -3"),
        ({"k": 10_001}, "k", "k must be from 1 to 10,000; got 10001"),
        ({"k": True}, "k", "got True"),
        ({"k": 1.0}, "k", "got 1.0"),
        ({"seen": "hide"}, "seen", "seen must be 'exclude' or 'include'; got 'hide'"),
        ({"unknown_history": ""}, "unknown_history", "must be 'skip' or 'raise'; got ''"),
        ({"exclude": "i01"}, "exclude", "exclude must be a sequence of ids; got the single value"),
        ({"exclude": None}, "exclude", "must be a sequence of ids; got the single value None"),
        ({"exclude": [None]}, "exclude[0]", "position 0 holds None"),
        ({"titles": 1}, "titles", "titles must be True or False; got 1"),
    ],
)
def test_options_out_of_range(
    retriever: Retriever, options: dict[str, object], field: str, message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=message) as caught:
        retriever.retrieve(user_id="ann", **{"k": 3, **options})
    assert caught.value.field == field


def test_unknown_ids(retriever: Retriever) -> None:
    with pytest.raises(
        UnknownIdError, match="unknown user id 'anne': not among the 4 known"
    ) as at_:
        retriever.retrieve(user_id="anne", k=3)
    assert at_.value.field == "query.user_id"
    with pytest.raises(UnknownIdError, match="unknown item id 'i99': not among the 40") as at_:
        retriever.retrieve(item_id="i99", k=3)
    assert at_.value.field == "query.item_id"
    history = ["i01", "x", "y", "x"]
    with pytest.raises(UnknownIdError, match="2 of the 4 items .* the first is 'x'") as at_:
        retriever.retrieve(history=history, k=3, unknown_history="raise")
    assert at_.value.field == "query.history[1]"


def test_the_error_of_an_unknown_space_lists_the_spaces(retriever: Retriever) -> None:
    with pytest.raises(NotFoundError, match="no space 'sound'; there are: image, text, two_tower"):
        retriever.retrieve(user_id="ann", k=3, space="sound")


@pytest.mark.parametrize(
    ("query", "space", "field", "message"),
    [
        (Query(user_id="eve"), "text", "query.user_id", "history is empty in the space 'text'.*or"),
        (Query(history=[]), "image", "query.history", "the history is empty in the space 'image'"),
        (Query(history=["x"]), "text", "query.history", "is empty .* give a longer history or an"),
        (Query(user_id="zoe"), "text", "query.user_id", "none of the 2 items .* has a vector"),
        (Query(history=["i01", "i21"]), "text", "query.history", "the history cancel out"),
        (
            Query(item_id="i33"),
            "image",
            "query.item_id",
            "'i33' has no vector in the space 'image'",
        ),
        (Query(terms="7"), "image", "query.terms", "'image' reads no search terms here"),
        (Query(terms="xyzzy"), "text", "query.terms", "knows no word of 'xyzzy'"),
        (Query(image=b"7"), "text", "query.image", "'text' reads no pictures here; .* 'image'"),
        (Query(image=b"7", user_id="ann"), "two_tower", "query.image", "'two_tower' reads no pict"),
        (Query(image=b"?"), "image", "query.image", "cannot be read: no number; give the whole"),
        (Query(image=b""), "image", "query.image", "cannot be read: the file is empty; give"),
        (Query(image=b"0 20"), "image", "query.image", "the image encoder sees nothing in it"),
        (Query(user_id="eve"), "image", "query.user_id", "or an item or a picture, or ask in"),
    ],
)
def test_queries_that_a_space_cannot_answer(
    retriever: Retriever, query: Query, space: str, field: str, message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=message) as caught:
        retriever.respond(Request(query, k=3, space=space))
    assert caught.value.field == field


@pytest.mark.parametrize("space", ["two_tower", "text"])
def test_terms_without_a_text_encoder(world: World, space: str) -> None:
    retriever = world.retriever(text_encoder=None)
    with pytest.raises(InvalidRequestError, match=f"'{space}' reads no search terms") as caught:
        retriever.retrieve(terms="7", user_id="ann", k=3, space=space)
    assert caught.value.field == "query.terms"


def test_terms_that_the_towers_do_not_read(world: World) -> None:
    blind = replace(world.retriever(), towers=replace(world.tower, terms_dimension=0))
    with pytest.raises(InvalidRequestError, match="ask a space that does: 'text'"):
        blind.retrieve(terms="7", k=3)
    assert blind.retrieve(terms="7", k=1, space="text").ids == ["i07"]


def test_pictures_without_an_image_encoder(world: World) -> None:
    retriever = world.retriever(image_encoder=None)
    with pytest.raises(InvalidRequestError, match="'image' reads no pictures here; give") as caught:
        retriever.retrieve(image=b"7", k=3, space="image")
    assert caught.value.field == "query.image"


@pytest.mark.parametrize(
    ("query", "space", "field", "message"),
    [
        (Query(user_id="ann"), "text+text", "space", "space names one twice: 'text\\+text'"),
        (Query(user_id="ann"), "+", "space", "a name, or several joined by '\\+'.*; got '\\+'"),
        (Query(user_id="ann"), "text+", "space", "got 'text\\+'"),
        (Query(user_id="ann"), "", "space", "got ''"),
        (Query(user_id="ann"), None, "space", "got None"),
        (Query(terms="7"), "text+image", "space", "'image' reads nothing of the query, .* search"),
        (Query(image=b"7"), "two_tower+image", "space", "'two_tower' reads nothing .* pictures"),
        (Query(image=b"7"), "text+two_tower", "query.image", "'text' and 'two_tower' reads pictur"),
        (Query(item_id="i33"), "text+image", "query.item_id", "no vector in the space 'text'"),
        (Query(user_id="eve"), "two_tower+text", "query.user_id", "is empty in the space 'text'"),
        (Query(terms="7", image=b"?"), "text+image", "query.image", "cannot be read: no number"),
    ],
)
def test_several_spaces_that_cannot_answer_together(
    retriever: Retriever, query: Query, space: str, field: str, message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=message) as caught:
        retriever.respond(Request(query, k=3, space=space))
    assert caught.value.field == field


def test_hundreds_of_spaces(retriever: Retriever) -> None:
    many = "+".join(f"space{number}" for number in range(300))
    with pytest.raises(NotFoundError, match="no space 'space0'; there are: image, text, two_tower"):
        retriever.retrieve(user_id="ann", k=3, space=many)


@pytest.mark.parametrize(
    ("fusion", "space", "field", "message"),
    [
        (WeightedSum(), "text", "fusion", "joins several spaces, and only 'text' is searched"),
        (WeightedSum({"sound": 1}), "text+image", "fusion.weights", "'sound', which is none of"),
        (
            WeightedSum({"text": 0, "image": 0}),
            "text+image",
            "fusion.weights",
            "of every space is 0",
        ),
        ("rrf", "text+image", "fusion", "a ReciprocalRank or a WeightedSum; got 'rrf'"),
    ],
)
def test_fusions_that_do_not_fit_the_spaces(
    retriever: Retriever, fusion: Fusion, space: str, field: str, message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=message) as caught:
        retriever.retrieve(user_id="ann", k=3, space=space, fusion=fusion)
    assert caught.value.field == field


def test_parts_that_do_not_fit_are_refused(world: World) -> None:
    retriever = world.retriever()
    with pytest.raises(DataError, match="the same items in the same order"):
        replace(retriever, catalogue=catalogue_of_ids(ITEMS[::-1]))
    with pytest.raises(DataError, match="space 'image' is called 'text' and holds 40 items"):
        replace(retriever, spaces={"image": world.spaces["text"]})
    with pytest.raises(DataError, match="holds 3 items; expected its own name and 40"):
        replace(retriever, spaces={"two_tower": Space.two_tower(at(1, 2, 3), ExactConfig())})
    with pytest.raises(DataError, match="the space 'two_tower' needs towers; none came"):
        replace(retriever, towers=None)
    with pytest.raises(DataError, match="encoder gives 5 dimensions, the query tower 2"):
        replace(retriever, text_encoder=NumberWords(dimension=5))
    with pytest.raises(DataError, match="image encoder gives 5 dimensions, the space 'image' 2"):
        replace(retriever, image_encoder=NumberPictures(dimension=5))


def test_a_space_without_any_vector_is_refused() -> None:
    with pytest.raises(DataError, match="'image' would be empty: no item has a vector"):
        Space.content("image", at(1, 2), np.array([False, False]), ExactConfig())
    with pytest.raises(DataError, match="'image': a vector holds a number that is not finite"):
        Space.content("image", at(1, np.nan), np.array([True, True]), ExactConfig())


def test_a_space_whose_parts_disagree_is_refused(world: World) -> None:
    with pytest.raises(DataError, match=r"space 'text': the mask must be bool \[40\]"):
        replace(world.spaces["text"], mask=np.ones(3, np.bool_))
    with pytest.raises(DataError, match=r"the index is over \(40, 2\), the vectors are \(3, 2\)"):
        replace(world.spaces["text"], vectors=at(1, 2, 3), mask=np.ones(3, np.bool_))
    with pytest.raises(DataError, match="the mask must be bool"):
        replace(world.spaces["text"], mask=np.ones(40))


@pytest.mark.parametrize(
    ("reads", "query", "message"),
    [
        ({"terms"}, {"history": ["i03"]}, "reads no histories: .*; give search terms, or ask in"),
        ({"terms"}, {"user_id": "ann"}, "reads no users: .*; give search terms, or ask in"),
        ({"user"}, {"history": ["i03"]}, "reads no histories: .*; give a user that the log knows,"),
        (set(), {"user_id": "ann"}, "reads no users: .*; give an item, or ask in"),
    ],
)
def test_inputs_that_the_query_tower_does_not_read_are_refused(reads, query, message):
    world = make_world()
    towers = replace(world.tower, reads=frozenset(reads))
    blind = replace(world.retriever(), towers=towers)
    with pytest.raises(InvalidRequestError, match=message) as refused:
        blind.retrieve(**query, k=3)
    assert refused.value.field == f"query.{next(iter(query))}"


def test_next_to_terms_an_unread_history_still_marks_seen_items():
    world = make_world()
    blind = replace(world.retriever(), towers=replace(world.tower, reads=frozenset({"terms"})))
    answer = blind.retrieve(history=["i12"], terms="12", k=3)
    assert "i12" not in answer.ids
