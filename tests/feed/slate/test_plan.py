"""Properties of slates: nothing lost or doubled, caps, spacing, fixed slots, exact propensities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import ConfigError, DataError, InvalidRequestError
from recsys.feed.slate import (
    Beliefs,
    Exploration,
    FixedSlots,
    Outcome,
    Slate,
    SlatePlan,
    SlotKind,
    ValueLimit,
    plan_slate,
    thompson_probabilities,
)
from recsys.ids import Rows


def some_plan(data: st.DataObject) -> tuple[SlatePlan, Rows, int, list[ValueLimit], FixedSlots]:
    """Any plan: shapes and options are drawn by hypothesis, codes and orders by a seed."""
    n, k = data.draw(st.integers(0, 25), "n"), data.draw(st.integers(1, 12), "k")
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), "seed"))
    order = rng.permutation(n).astype(np.int32)
    shapes = st.sampled_from([(n,), (n, 1), (n, 3)])
    limits = [
        ValueLimit(
            f"attribute {at}",
            rng.integers(-1, 4, data.draw(shapes)).astype(np.int32),
            most=data.draw(st.none() | st.integers(1, 4)),
            gap=data.draw(st.integers(0, 3)),
        )
        for at in range(data.draw(st.integers(0, 2), "limits"))
    ]
    slots = rng.permutation(k)[: data.draw(st.integers(0, min(k, n, 4)), "fixed")].tolist()
    rows = rng.permutation(n)[: len(slots)].tolist()
    cut = len(slots) // 2
    fixed = FixedSlots(
        dict(zip(slots[:cut], rows[:cut])), tuple(rows[cut:]), tuple(sorted(slots[cut:]))
    )
    exploration = None
    if data.draw(st.booleans(), "explores"):
        exploration = Exploration(
            slots=tuple(sorted(data.draw(st.sets(st.integers(0, k), max_size=4)))),
            rate=data.draw(st.sampled_from([0.1, 0.5, 1.0])),
            eligible=rng.random(n) < 0.7 if data.draw(st.booleans()) else None,
            beliefs=Beliefs.from_counts(rng.integers(0, 5, n), np.full(n, 5))
            if data.draw(st.booleans())
            else None,
            most=data.draw(st.integers(1, 6)),
        )
    plan = plan_slate(order, k, limits=limits, fixed=fixed, exploration=exploration)
    return plan, order, k, limits, fixed


def values(limit: ValueLimit, position: int) -> set[int]:
    return set(np.atleast_1d(limit.codes[position]).tolist()) - {-1}


def slots_of(slate: Slate, limit: ValueLimit) -> dict[int, list[int]]:
    """The slots of the items of each value."""
    found: dict[int, list[int]] = {}
    for slot, position in enumerate(slate.positions.tolist()):
        for value in values(limit, position):
            found.setdefault(value, []).append(slot)
    return found


@given(st.data())
def test_a_slate_is_a_part_of_the_candidates(data: st.DataObject) -> None:
    plan, order, k, limits, _ = some_plan(data)
    slate = plan.draw(np.random.default_rng(0))
    shown = slate.positions.tolist()
    assert len(set(shown)) == len(shown) <= k
    assert sorted(np.flatnonzero(slate.outcomes == Outcome.SHOWN).tolist()) == sorted(shown)
    assert len(slate.outcomes) == len(order)
    if not any(limit.most for limit in limits):
        assert len(shown) == min(k, len(order))
        assert not (slate.outcomes == Outcome.CAPPED).any()


@given(st.data())
def test_caps_hold_for_every_slate_that_can_be_drawn(data: st.DataObject) -> None:
    plan, _, _, limits, fixed = some_plan(data)
    certain = {*fixed.pinned.values(), *fixed.promoted[: len(fixed.promoted_slots)]}
    for seed in range(5):
        slate = plan.draw(np.random.default_rng(seed))
        for limit in limits:
            for value, slots in slots_of(slate, limit).items():
                forced = sum(value in values(limit, each) for each in certain)
                assert limit.most is None or len(slots) <= max(limit.most, forced)


@given(st.data())
def test_spacing_is_kept_except_where_reported(data: st.DataObject) -> None:
    plan, _, k, limits, _ = some_plan(data)
    if plan.pools or len(plan.slots) < k:
        return  # items have moved
    slate = plan.draw(np.random.default_rng(0))
    for limit in limits:
        for slots in slots_of(slate, limit).values():
            for one, other in zip(slots, slots[1:]):
                if other - one <= limit.gap:
                    ranked = slate.kinds[[one, other]] == SlotKind.RANKED
                    assert not slate.spaced[[one, other]][ranked].all() or not ranked.any()


@given(st.data())
def test_pinned_and_promoted_items_are_in_their_slots(data: st.DataObject) -> None:
    plan, _, k, _, fixed = some_plan(data)
    slate = plan.draw(np.random.default_rng(0))
    pinned = np.flatnonzero(slate.kinds == SlotKind.PINNED)
    promoted = np.flatnonzero(slate.kinds == SlotKind.PROMOTED)
    in_order = [position for _, position in sorted(fixed.pinned.items())]
    assert slate.positions[pinned].tolist() == in_order
    assert slate.positions[promoted].tolist() == list(fixed.promoted)
    assert (slate.propensities[np.concatenate([pinned, promoted])] == 1).all()
    if len(slate.positions) == k:
        assert pinned.tolist() == sorted(fixed.pinned)
        assert promoted.tolist() == list(fixed.promoted_slots)


@given(st.data())
def test_probabilities_of_each_slot_sum_to_1_and_are_the_propensities(
    data: st.DataObject,
) -> None:
    plan, _, _, _, _ = some_plan(data)
    table = plan.probabilities
    assert np.allclose(table.sum(axis=1), 1)
    assert (table.sum(axis=0) <= 1 + 1e-9).all()  # an item is in one slot at most
    slate = plan.draw(np.random.default_rng(1))
    assert np.allclose(slate.propensities, table[np.arange(len(table)), slate.positions])
    assert (slate.propensities > 0).all()


def test_without_limits_the_slate_is_the_head_of_the_order() -> None:
    order = np.array([3, 1, 2, 0], np.int32)
    slate = plan_slate(order, 2).draw(np.random.default_rng(0))
    assert slate.positions.tolist() == [3, 1]
    assert slate.propensities.tolist() == [1, 1]
    beyond, shown = Outcome.BEYOND, Outcome.SHOWN
    assert slate.outcomes.tolist() == [beyond, shown, beyond, shown]


def test_spacing_sees_a_pinned_item_further_down() -> None:
    brand = ValueLimit("brand", np.array([1, 2, 1], np.int32), gap=1)
    plan = plan_slate(
        np.array([0, 1, 2], np.int32), 3, limits=[brand], fixed=FixedSlots(pinned={1: 2})
    )
    assert plan.slots.tolist() == [1, 2, 0]
    assert plan.spaced.tolist() == [True, True, False]


def enumerated(plan: SlatePlan) -> np.ndarray:
    """Probability of each candidate in each slot, by adding up every slate there is."""
    found = np.zeros((len(plan.slots), len(plan.outcomes)))

    def visit(at: int, slots: list[int], probability: float) -> None:
        if at == len(plan.pools):
            rest = iter(plan.ranked.tolist())
            for slot, position in enumerate(slots):
                if position < 0:
                    position = next(rest)
                found[slot, position] += probability
            return
        slot, pool, weights = plan.pools[at]
        visit(at + 1, slots, probability * (1 - plan.rate))
        for position, weight in zip(pool.tolist(), weights.tolist()):
            chosen = [*slots]
            chosen[slot] = position
            visit(at + 1, chosen, probability * plan.rate * weight)

    fixed = plan.kinds != SlotKind.RANKED
    if plan.rate < 1:
        visit(0, np.where(fixed, plan.slots, -1).tolist(), 1.0)
    return found


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_probabilities_are_those_of_all_slates_enumerated(rate: float) -> None:
    exploration = Exploration(
        slots=(1, 2, 5),
        rate=rate,
        beliefs=Beliefs.from_counts(np.arange(14) % 4, np.full(14, 6)),
    )
    brand = ValueLimit("brand", (np.arange(14) % 5).astype(np.int32), most=2)
    plan = plan_slate(
        np.arange(14, dtype=np.int32)[::-1],
        6,
        limits=[brand],
        fixed=FixedSlots(pinned={3: 0}),
        exploration=exploration,
    )
    assert len(plan.pools) == 3
    assert np.allclose(plan.probabilities, enumerated(plan))


def test_frequencies_of_drawn_slates_are_the_probabilities() -> None:
    exploration = Exploration(slots=(0, 2, 3), rate=0.4)
    plan = plan_slate(np.arange(9, dtype=np.int32), 4, exploration=exploration)
    rng, draws = np.random.default_rng(5), 4000
    counts = np.zeros((4, 9))
    for _ in range(draws):
        slate = plan.draw(rng)
        assert len(set(slate.positions.tolist())) == 4
        counts[np.arange(4), slate.positions] += 1
    expected = plan.probabilities
    deviation = np.sqrt(expected * (1 - expected) / draws)
    assert (np.abs(counts / draws - expected) <= 4.5 * deviation + 1e-12).all()


def test_a_slot_that_always_explores_displaces_no_ranked_item() -> None:
    plan = plan_slate(np.arange(8, dtype=np.int32), 4, exploration=Exploration(slots=(1,)))
    slate = plan.draw(np.random.default_rng(2))
    assert np.delete(slate.positions, 1).tolist() == [0, 1, 2]
    assert slate.kinds[1] == SlotKind.EXPLORED
    assert slate.propensities[1] == pytest.approx(1 / 5)  # 3 is in the pool, too
    assert not (slate.outcomes == Outcome.DISPLACED).any()


def test_slots_without_a_pool_are_filled_in_order() -> None:
    exploration = Exploration(slots=(0, 1, 2), eligible=np.array([True, True, True, True, False]))
    plan = plan_slate(np.arange(5, dtype=np.int32), 5, exploration=exploration)
    slate = plan.draw(np.random.default_rng(0))
    assert sorted(slate.positions.tolist()) == [0, 1, 2, 3, 4]


def test_thompson_probabilities_are_frequencies_of_the_largest() -> None:
    rng = np.random.default_rng(0)
    for successes, failures in (
        ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0]),
        ([30.0, 2.0, 1.0], [970.0, 38.0, 19.0]),
        ([200.0, 210.0, 1.0], [9800.0, 9790.0, 9.0]),
    ):
        one, other = np.array(successes), np.array(failures)
        largest = rng.beta(one, other, size=(200_000, 3)).argmax(axis=1)
        drawn = np.bincount(largest, minlength=3) / 200_000
        assert np.abs(thompson_probabilities(one, other) - drawn).max() < 0.01


def test_refusals_state_the_remedy() -> None:
    order = np.arange(3, dtype=np.int32)
    with pytest.raises(InvalidRequestError, match="1 slot or more"):
        plan_slate(order, 0)
    with pytest.raises(DataError, match=r"permutation of 0 .. 2"):
        plan_slate(np.array([0, 0, 1], np.int32), 2)
    with pytest.raises(DataError, match="'brand' is known of 2 candidates, of 3"):
        plan_slate(order, 2, limits=[ValueLimit("brand", np.zeros(2, np.int32), most=1)])
    with pytest.raises(InvalidRequestError, match=r"slots are different numbers from 0 to 1"):
        plan_slate(order, 2, fixed=FixedSlots(pinned={2: 0}))
    with pytest.raises(InvalidRequestError, match="candidates are different numbers"):
        plan_slate(order, 2, fixed=FixedSlots(pinned={0: 1}, promoted=(1,), promoted_slots=(1,)))
    with pytest.raises(ConfigError, match="a cap is 1 or more"):
        ValueLimit("brand", np.zeros(2, np.int32), most=0)
    with pytest.raises(ConfigError, match="rate is in"):
        Exploration(slots=(1,), rate=0)
    with pytest.raises(ConfigError, match="ascend"):
        Exploration(slots=(2, 1))
    with pytest.raises(DataError, match="above 0"):
        Beliefs(np.zeros(2), np.ones(2))
