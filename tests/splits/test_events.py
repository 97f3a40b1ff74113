"""Kinds of event as targets, and policies for repeats, in every protocol."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.splits import (
    ColdItemsConfig,
    FixedConfig,
    GlobalTimeConfig,
    LeaveLastOutConfig,
    split,
    split_fixed,
)
from tests.splits.logs import lines, log, read

KINDS = {"v": "view", "c": "cart", "p": "purchase"}
STRENGTH = {"v": 0.1, "c": 0.5, "p": 1.0}


def shop(histories: dict[str, str], *, parts: dict[str, str] | None = None) -> Interactions:
    """``{"ann": "va vb pb"}``: kind and item of each event, one per second from 1."""
    events = {user: text.split() for user, text in histories.items()}
    flat = [event[0] for history in events.values() for event in history]
    context = {"event": IdMap.of("event", list(KINDS.values()))}
    rows = {"event": [list(KINDS).index(kind) for kind in flat]}
    if parts is not None:
        names = {"r": "train", "v": "validation", "t": "test"}
        context["part"] = IdMap.of("part", list(names.values()))
        rows["part"] = [list(names).index(each) for user in events for each in parts[user]]
    return log(
        {
            user: [(event[1], at) for at, event in enumerate(history, start=1)]
            for user, history in events.items()
        },
        weight=[STRENGTH[kind] for kind in flat],
        context=context,
        context_rows=rows,
    )


def kinds(queries) -> list[str]:
    return queries.context["event"].ids(queries.target_events)


ANN = {"ann": "va vb pb vc vd pd ve", "bob": "va vb vc vd", "cid": "pa vb vc pc"}
PURCHASES = ("purchase",)


def test_the_last_purchases_are_the_targets_and_histories_hold_views() -> None:
    interactions = shop(ANN)
    config = LeaveLastOutConfig(target_events=PURCHASES, repeats="keep")
    parts = split(interactions, config)
    assert read(parts.test, interactions) == [("ann", "abbcd", "d"), ("cid", "abc", "c")]
    assert read(parts.validation, interactions) == [("ann", "ab", "b")]
    assert set(kinds(parts.test)) == set(kinds(parts.validation)) == {"purchase"}
    # Nothing from the first held-out purchase on is in training; bob bought nothing.
    assert lines(parts.train) == {"ann": "ab", "bob": "abcd", "cid": "abc"}
    refit = split(interactions, config.model_copy(update={"refit": "train-and-validation"}))
    assert lines(refit.final) == {"ann": "abbcd", "bob": "abcd", "cid": "abc"}
    assert parts.protocol["users_without_a_target"] == 1
    assert parts.protocol["interactions_after_the_test_target"] == 1
    assert parts.protocol["test_targets_by_event"] == {"purchase": 2}


@pytest.mark.parametrize("protocol", [LeaveLastOutConfig, GlobalTimeConfig, ColdItemsConfig])
def test_all_kinds_as_targets_are_the_split_without_target_events(protocol) -> None:
    rng = np.random.default_rng(3)
    histories = {
        f"user{at}": " ".join(
            rng.choice(list("vcp")) + rng.choice(list("abcdefgh")) for _ in range(rng.integers(9))
        )
        for at in range(30)
    }
    interactions = shop(histories)
    more = {"warm": "last"} if protocol is ColdItemsConfig else {}
    if protocol is ColdItemsConfig:
        more["share"] = 0.25
    one = split(interactions, protocol(**more))
    other = split(interactions, protocol(target_events=tuple(KINDS.values()), **more))
    for part in ("validation", "test"):
        assert read(getattr(one, part), interactions) == read(getattr(other, part), interactions)
    assert lines(one.train) == lines(other.train)


def test_targets_of_the_other_protocols() -> None:
    interactions = shop(ANN)
    config = GlobalTimeConfig(
        validation_from=3, test_from=5, target_events=PURCHASES, repeats="keep"
    )
    parts = split(interactions, config)
    assert read(parts.validation, interactions) == [("ann", "ab", "b"), ("cid", "abc", "c")]
    assert read(parts.test, interactions) == [("ann", "abbcd", "d")]
    assert lines(parts.train) == {"ann": "ab", "bob": "ab", "cid": "ab"}

    interactions = shop(
        {"ann": "va pb vc pd ve", "bob": "va pb pc vd"}, parts={"ann": "rrvtt", "bob": "rrvt"}
    )
    parts = split(interactions, FixedConfig(target_events=PURCHASES))
    assert read(parts.test, interactions) == [("ann", "ab", "d")]
    assert read(parts.validation, interactions) == [("bob", "ab", "c")]
    train, rest = interactions.take(interactions.time < 3), interactions.take(interactions.time > 3)
    drawn = split_fixed(
        train, rest, config=FixedConfig(target_events=PURCHASES, validation_share=1 - 1e-9)
    )
    assert not len(drawn.validation)  # less than one purchase per user

    interactions = shop({f"user{at}": "va pb vc pd ve pf vg ph" for at in range(3)})
    parts = split(interactions, ColdItemsConfig(share=0.5, target_events=PURCHASES, min_history=0))
    assert set(kinds(parts.test)) <= {"purchase"}


BOUGHT = {"ann": "va vb vc pb", "bob": "va vb pb vb", "cid": "va pb vc pb"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("keep", [("ann", "abc", "b"), ("bob", "abb", "b"), ("cid", "abc", "b")]),
        ("keep-last", [("ann", "ac", "b"), ("bob", "a", "b"), ("cid", "ac", "b")]),
        # bob's last event is a view of what he bought; cid bought b before.
        ("keep-strongest", [("ann", "ac", "b")]),
    ],
)
def test_policies_for_repeats(policy: str, expected: list[tuple[str, str, str]]) -> None:
    interactions = shop(BOUGHT)
    parts = split(interactions, LeaveLastOutConfig(repeats=policy))
    assert read(parts.test, interactions) == expected
    assert parts.protocol["removed"]["test_repeats"] == 3 - len(expected)
    assert bool(parts.notes) == (policy == "keep-strongest")
    # Training is the same under every policy, and the times of a history are those of its items.
    assert lines(parts.train) == {"ann": "ab", "bob": "ab", "cid": "ab"}
    if policy == "keep-last":
        assert [times.tolist() for times in parts.test.times()] == [[1, 3], [1], [1, 3]]


def test_dropped_repeats_are_counted_by_kind_and_the_advice_keeps_them() -> None:
    more = BOUGHT | {"dan": "va vb vc vd"}
    parts = split(shop(more), LeaveLastOutConfig())
    assert parts.protocol["removed"]["test_repeats_by_event"] == {"view": 1, "purchase": 2}
    (note,) = parts.notes
    assert note.startswith("3 of 4 test targets are left out")
    assert "(view: 1 of 2, purchase: 2 of 2)" in note
    with pytest.raises(DataError, match="3 test targets .*duplicate_interactions.*'keep-last'"):
        split(shop(BOUGHT), LeaveLastOutConfig())
    assert len(split(shop(BOUGHT), LeaveLastOutConfig(repeats="keep-last")).test) == 3


def test_a_history_may_be_too_short_once_repeats_have_left_it() -> None:
    interactions = shop({"ann": "va va pa", "bob": "va vb pc"})
    config = GlobalTimeConfig(validation_from=2, test_from=3, repeats="keep-last", min_history=1)
    parts = split(interactions, config)
    assert read(parts.test, interactions) == [("bob", "ab", "c")]
    assert parts.protocol["removed"]["test_short_histories"] == 1


def test_kinds_of_targets_must_be_in_the_log() -> None:
    config = LeaveLastOutConfig(target_events=("Purchase",))
    with pytest.raises(DataError, match="split.target_events names 'Purchase'.*mean 'purchase'"):
        split(shop(ANN), config)
    with pytest.raises(DataError, match="the interactions have none: name their column"):
        split(log({"ann": [("a", 1)]}), config)
