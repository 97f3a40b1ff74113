"""Parts of the pair networks without TensorFlow: bags, searches, sampled pairs, the head."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import DataError
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.ranking import Bags, PairSampler, SearchedWords, bags_of_words, history_bags
from recsys.ranking.bags import vocabulary
from recsys.ranking.head import NUMBERS_PER_CHUNK, PairHead, probability
from tests.ranking.pair_worlds import searchers


def search_log(lines: list[tuple[int, int, str]]) -> Interactions:
    """Log of (user, time, terms), with a new item in each line."""
    phrases = ("", *dict.fromkeys(terms for _, _, terms in lines if terms))
    return Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(4)]),
        IdMap.of("item", [f"i{row}" for row in range(len(lines))]),
        user=[user for user, _, _ in lines],
        item=range(len(lines)),
        time=[time for _, time, _ in lines],
        phrases=phrases,
        terms=[phrases.index(terms) for _, _, terms in lines],
    )


LOG = search_log(
    [
        (0, 10, "red lamp"),
        (0, 20, ""),
        (0, 20, "lamp, blue LAMP"),
        (0, 30, "rug"),
        (2, 5, "blue rug"),
        (2, 6, ""),
    ]
)


def test_the_vocabulary_counts_searches_rather_than_words() -> None:
    assert list(vocabulary(LOG, 1).index) == ["blue", "lamp", "rug", "red"]
    assert list(vocabulary(LOG, 2).index) == ["blue", "lamp", "rug"]
    assert len(vocabulary(LOG, 3)) == 0
    # Phrases without an interaction in this part are not counted.
    assert list(vocabulary(LOG.take(LOG.user == 2), 1).index) == ["blue", "rug"]


def test_searched_words_are_strictly_earlier_than_the_query() -> None:
    searched = SearchedWords(LOG, vocabulary(LOG, 1), last=9)
    user, time = np.array([0, 0, 0, 0, 1, 2, 3]), np.array([10, 20, 21, 99, 99, 6, 1])
    bags = searched.before(searched.positions(user, time), users=user)
    assert [searched.words.ids(bags.bag(at)) for at in range(len(bags))] == [
        [],
        ["red", "lamp"],
        ["red", "lamp", "lamp", "blue", "lamp"],
        ["red", "lamp", "lamp", "blue", "lamp", "rug"],
        [],  # a user without interactions
        ["blue", "rug"],
        [],  # after the last user of the log
    ]


def test_only_the_latest_searches_count_and_the_current_one_if_given() -> None:
    searched = SearchedWords(LOG, vocabulary(LOG, 2), last=1)
    user = np.array([0, 2, 2])
    positions = searched.positions(user, np.array([99, 5, 9]))
    bags = searched.before(positions, users=user, now=np.array([0, 4, 4]))
    named = [searched.words.ids(bags.bag(at)) for at in range(3)]
    assert named == [["rug"], ["blue", "rug"], ["blue", "rug", "blue", "rug"]]
    none = SearchedWords(LOG, vocabulary(LOG, 2), last=0)
    assert len(none.before(positions, users=user).rows) == 0
    assert none.before(positions, users=user, now=np.array([0, 4, 0])).lengths.tolist() == [0, 2, 0]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 9), st.sampled_from(["", "a", "b a", "c"])),
        min_size=1,
        max_size=30,
    ),
    st.integers(0, 3),
    st.integers(0, 10),
    st.integers(0, 4),
)
def test_searched_words_equal_those_of_a_plain_loop(lines, user, time, last) -> None:
    log = search_log(lines)
    searched = SearchedWords(log, IdMap.of("word", ["a", "c"]), last)
    users = np.array([user])
    bags = searched.before(searched.positions(users, np.array([time])), users=users)
    in_order = sorted((line for line in lines if line[0] == user), key=lambda line: line[1])
    earlier = [terms for _, at, terms in in_order if at < time and terms]
    latest = earlier[-last:] if last else []
    expected = [word for terms in latest for word in terms.split()]
    assert searched.words.ids(bags.bag(0)) == [word for word in expected if word != "b"]


def test_a_history_bag_is_the_window_before_its_position() -> None:
    log = searchers(users=3, length=4)
    bags = history_bags(log, np.array([0, 2, 7, 4]), window=2)
    expected = [[], log.item[:2], log.item[5:7], []]
    assert [bags.bag(at).tolist() for at in range(4)] == [list(rows) for rows in expected]


def test_empty_bags_are_valid_and_negative_rows_are_refused() -> None:
    assert len(Bags.of([])) == 0 and Bags.of([]).at(np.array([], np.int64)).owners.tolist() == []
    with pytest.raises(DataError, match="items must be rows from 0 to 2; got -1 to 0"):
        Bags.of([[0, -1]]).check("items", 3)
    Bags.of([[]]).check("items", 0)
    assert bags_of_words(IdMap.of("word", []), ["anything", "\U0001f600", ""]).lengths.tolist() == [
        0, 0, 0,
    ]  # fmt: skip


def test_negatives_are_warm_items_without_an_interaction() -> None:
    log = searchers(60)
    log = log.take(log.item != 5)
    sampler = PairSampler(log, negatives=50)
    interactions = set(zip(log.user.tolist(), log.item.tolist()))
    seen = 0
    for batch in sampler.batches(size=32, seed=1, epoch=1):
        np.testing.assert_array_equal(batch.items[:, 0], log.item[batch.positions])
        users = np.repeat(log.user[batch.positions], 50).tolist()
        drawn = batch.items[:, 1:].ravel().tolist()
        assert not interactions & set(zip(users, drawn)) and 5 not in drawn
        seen += len(batch.positions)
    assert seen == len(log) and sampler.steps(size=32) == -(-len(log) // 32)


def test_negatives_of_a_user_with_all_items_have_weight_zero() -> None:
    log = Interactions.of(
        IdMap.of("user", ["all", "some"]), IdMap.of("item", ["a", "b"]),
        user=[0, 0, 1], item=[0, 1, 1], time=[1, 2, 1], weight=[1, 3, 2],
    )  # fmt: skip
    batch = next(PairSampler(log, negatives=2).batches(size=9, seed=0, epoch=1))
    by_position = {int(at): line for at, line in zip(batch.positions, batch.weights)}
    assert by_position[1].tolist() == [3, 0, 0] and by_position[2].tolist() == [2, 2, 2]
    assert batch.items.min() >= 0


def test_sampling_depends_on_seed_and_epoch_alone() -> None:
    sampler = PairSampler(searchers(30), negatives=2)

    def drawn(seed, epoch, positives=None):
        batches = sampler.batches(size=20, seed=seed, epoch=epoch, positives=positives)
        return np.concatenate([batch.items for batch in batches])

    np.testing.assert_array_equal(drawn(1, 1), drawn(1, 1))
    assert not np.array_equal(drawn(1, 1), drawn(1, 2))
    assert not np.array_equal(drawn(1, 1), drawn(2, 1))
    assert len(drawn(1, 1, positives=7)) == 7 and sampler.steps(size=5, positives=7) == 2


def random_head(dimension: int, *hidden: int) -> PairHead:
    rng = np.random.default_rng(0)
    widths = [4 * dimension, *hidden, 1]
    return PairHead(
        tuple(
            (rng.normal(size=shape).astype(np.float32), rng.normal(size=shape[1]))
            for shape in zip(widths, widths[1:])
        )
    )


def test_log_odds_of_all_pairs_equal_those_of_single_pairs() -> None:
    rng = np.random.default_rng(1)
    users, items = (rng.normal(size=(n, 5)).astype(np.float32) for n in (7, 9))
    head = random_head(5, 8, 4)
    pairs = [head.log_odds_of_pairs(np.repeat(users[[at]], 9, axis=0), items) for at in range(7)]
    together = head.log_odds(users, items)
    np.testing.assert_allclose(together, pairs, rtol=1e-4, atol=1e-4)
    assert together.dtype == np.float32 and head.dimension == 5
    assert head.log_odds(users[:0], items).shape == (0, 9)
    assert head.log_odds(users, items[:0]).shape == (7, 0)


def test_chunks_do_not_change_the_log_odds() -> None:
    head = random_head(2, 3)
    rng = np.random.default_rng(1)
    items = rng.normal(size=(NUMBERS_PER_CHUNK // 3 // 2, 2)).astype(np.float32)
    users = rng.normal(size=(5, 2)).astype(np.float32)
    np.testing.assert_allclose(
        head.log_odds(users, items)[4], head.log_odds(users[4:], items)[0], rtol=1e-4, atol=1e-5
    )


def test_probabilities_do_not_overflow() -> None:
    likely = probability(np.array([-np.inf, -90, 0, 90, np.inf], np.float32))
    assert likely[[0, 2, 4]].tolist() == [0, 0.5, 1] and 0 < likely[1] < 1e-30
