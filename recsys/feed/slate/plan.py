"""The plan of a slate: what is certain, what is drawn, and the probability of every item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError, InvalidRequestError
from recsys.feed.slate.exploration import Exploration, Probabilities, deal
from recsys.feed.slate.fixed_slots import FixedSlots
from recsys.feed.slate.limits import ValueCounts, ValueLimit, fill, within_caps
from recsys.ids import Mask, Rows

Kinds = npt.NDArray[np.int8]


class SlotKind(IntEnum):
    """Why an item is in its slot."""

    RANKED = 0
    EXPLORED = 1
    PINNED = 2
    PROMOTED = 3


class Outcome(IntEnum):
    """What happened to a candidate."""

    SHOWN = 0
    CAPPED = 1
    """Passed over, since a value of it was in the slate as often as its cap allows."""
    BEYOND = 2
    """The slate was full."""
    DISPLACED = 3
    """Moved out of the slate by explored items."""


@dataclass(frozen=True, eq=False)
class Slate:
    """The items of one feed.

    Attributes:
        positions: Position of the candidate per slot, int32 ``[s]``.
        kinds: ``SlotKind`` per slot, int8 ``[s]``.
        propensities: Probability that the plan shows this item in this slot, float64 ``[s]``.
        spaced: Whether the item is as far as requested from items with the same value, bool
            ``[s]``. Explored items, and those that they moved down, keep the value of their plan.
        outcomes: ``Outcome`` per candidate, int8 ``[n]``.
    """

    positions: Rows
    kinds: Kinds
    propensities: Probabilities
    spaced: Mask
    outcomes: Kinds


@dataclass(frozen=True, eq=False)
class SlatePlan:
    """A distribution of slates.

    Attributes:
        slots: Position of the candidate per slot without exploration, int32 ``[s]``; -1 for a slot
            that always explores.
        kinds: ``SlotKind`` per slot, int8 ``[s]``.
        spaced: Whether each slot keeps the spacing, bool ``[s]``.
        pools: Per exploring slot its slot, its candidates and their probabilities if it explores.
        rate: Probability that each of these slots explores.
        outcomes: ``Outcome`` per candidate without exploration, int8 ``[n]``.
    """

    slots: Rows
    kinds: Kinds
    spaced: Mask
    pools: tuple[tuple[int, Rows, Probabilities], ...]
    rate: float
    outcomes: Kinds

    @property
    def ranked(self) -> Rows:
        """Candidates of the slots that are neither pinned nor promoted, best first."""
        found: Rows = self.slots[(self.kinds == SlotKind.RANKED) & (self.slots >= 0)]
        return found

    @cached_property
    def probabilities(self) -> Probabilities:
        """Probability of each candidate in each slot, float64 ``[s, n]``; each row sums to 1.

        Each explored item moves the ranked items after it down by one slot. The number of explored
        slots before a slot has a binomial distribution.
        """
        from scipy.stats import binom  # Half a second, which only slates that explore pay for.

        found = np.zeros((len(self.slots), len(self.outcomes)))
        fixed = np.flatnonzero(self.kinds != SlotKind.RANKED)
        found[fixed, self.slots[fixed]] = 1
        free, ranked = np.flatnonzero(self.kinds == SlotKind.RANKED), self.ranked
        exploring = np.isin(free, [slot for slot, _, _ in self.pools])
        before: npt.NDArray[np.int64] = np.cumsum(exploring) - exploring
        moved = np.arange(len(free))[:, None] - np.arange(len(ranked))
        shown = binom.pmf(moved, before[:, None], self.rate)
        shown *= np.where(exploring, 1 - self.rate, 1)[:, None]
        found[np.ix_(free, ranked)] = shown
        for slot, pool, weights in self.pools:
            found[slot, pool] = self.rate * weights
        return found

    def draw(self, generator: np.random.Generator) -> Slate:
        """Draw one slate."""
        if not self.pools:
            ones = np.ones(len(self.slots))
            return Slate(self.slots, self.kinds, ones, self.spaced, self.outcomes)
        slots, kinds = self.slots.copy(), self.kinds.copy()
        for slot, pool, weights in self.pools:
            if self.rate == 1 or generator.random() < self.rate:
                slots[slot] = generator.choice(pool, p=weights)
                kinds[slot] = SlotKind.EXPLORED
        free = np.flatnonzero(kinds == SlotKind.RANKED)
        slots[free] = self.ranked[: len(free)]
        outcomes = self.outcomes.copy()
        outcomes[self.ranked[len(free) :]] = Outcome.DISPLACED
        outcomes[slots] = Outcome.SHOWN
        propensities = self.probabilities[np.arange(len(slots)), slots]
        return Slate(slots, kinds, propensities, self.spaced, outcomes)


def plan_slate(
    order: Rows,
    k: int,
    *,
    limits: Sequence[ValueLimit] = (),
    fixed: FixedSlots | None = None,
    exploration: Exploration | None = None,
) -> SlatePlan:
    """Plan a slate of at most k items.

    Pinned and promoted items come first, whatever their values, and count towards the caps. Other
    slots are filled in the order of the candidates. A cap is never exceeded by the order or by
    exploration, so that a slate may be shorter than k; later items then move up. Spacing is broken
    only by a slot for which every remaining candidate would break it; exploration ignores it.

    The pools of exploration hold candidates beyond the slate. Slots for which there are none do
    not explore.

    Args:
        order: Positions of all candidates, best first: a permutation of ``0 .. n-1``, int32.
        k: Number of slots, 1 or more.
        limits: Caps and spacing per attribute.
        fixed: Pinned and promoted items; None for none.
        exploration: Exploring slots; None for none.

    Raises:
        DataError: The order is no permutation, or the codes of a limit have another length.
        InvalidRequestError: k is below 1, or a slot or candidate of ``fixed`` does not exist.

    Example:
        >>> brands = ValueLimit("brand", np.array([1, 1, 2], np.int32), most=1)
        >>> plan = plan_slate(np.arange(3, dtype=np.int32), 3, limits=[brands])
        >>> plan.draw(np.random.default_rng(0)).positions.tolist()
        [0, 2]
    """
    _check(order, k, limits, exploration)
    start, promoted_slots = (fixed or FixedSlots()).assign(k, len(order))
    kinds = np.where(start < 0, SlotKind.RANKED, SlotKind.PINNED).astype(np.int8)
    kinds[promoted_slots] = SlotKind.PROMOTED
    filled = _filled(start, order, limits, exploration)
    present = (filled.slots >= 0) | np.isin(np.arange(k), filled.exploring)
    number = np.cumsum(present) - 1  # of each slot once the empty ones are left out
    return SlatePlan(
        slots=filled.slots[present],
        kinds=kinds[present],
        spaced=~filled.broken[present],
        pools=tuple(
            (int(number[slot]), pool, weights)
            for slot, pool, weights in _dealt(filled, exploration)
        ),
        rate=exploration.rate if exploration else 0.0,
        outcomes=filled.outcomes(),
    )


@dataclass(frozen=True, eq=False)
class _Filled:
    """The slots of a plan before the empty ones are left out.

    Attributes:
        slots: Position of the candidate per slot, int32 ``[k]``; -1 for none.
        broken: Whether a slot breaks the spacing, bool ``[k]``.
        exploring: Slots that explore, ascending.
        pool: Candidates that may be explored.
        capped: Whether a value of a candidate has reached its cap, bool ``[n]``.
    """

    slots: Rows
    broken: Mask
    exploring: list[int]
    pool: Rows
    capped: Mask

    def outcomes(self) -> Kinds:
        """``Outcome`` per candidate without exploration, int8 ``[n]``."""
        found = np.where(self.capped, Outcome.CAPPED, Outcome.BEYOND).astype(np.int8)
        found[self.slots[self.slots >= 0]] = Outcome.SHOWN
        return found


def _filled(
    start: Rows, order: Rows, limits: Sequence[ValueLimit], exploration: Exploration | None
) -> _Filled:
    """Fill the slots that ``start`` leaves empty; as many explore as the pool has candidates."""
    rest = _others(order, start, len(order))
    empty = np.flatnonzero(start < 0).astype(np.int32)
    exploring = [slot for slot in empty.tolist() if exploration and slot in exploration.slots]
    always = exploration is not None and exploration.rate == 1
    while True:
        slots, uses = start.copy(), [ValueCounts(each) for each in limits]
        for position in start[start >= 0].tolist():
            for use in uses:
                use.add(position)
        certain = empty[~np.isin(empty, exploring)] if always else empty
        broken = fill(slots, certain, rest, uses)
        capped = np.logical_or.reduce([use.full for use in uses] or [np.zeros(len(order), bool)])
        pool = _pool(_others(rest, slots, len(order)), uses, exploration, len(exploring))
        if len(pool) >= len(exploring):
            return _Filled(slots, broken, exploring, pool, capped)
        exploring = exploring[: len(pool)]  # with rate 1, the others are filled in order


def _dealt(
    filled: _Filled, exploration: Exploration | None
) -> Iterator[tuple[int, Rows, Probabilities]]:
    """Per exploring slot its candidates and their probabilities if it explores."""
    if exploration is not None and filled.exploring:
        for slot, pool in zip(filled.exploring, deal(filled.pool, filled.exploring)):
            yield slot, pool, exploration.probabilities(pool)


def _pool(
    rest: Rows, uses: Sequence[ValueCounts], exploration: Exploration | None, slots: int
) -> Rows:
    """Candidates beyond the slate that may be explored."""
    if exploration is None or not slots:
        return rest[:0]
    if exploration.eligible is not None:
        rest = rest[exploration.eligible[rest]]
    return within_caps(rest, uses, exploration.most * slots)


def _others(order: Rows, slots: Rows, candidates: int) -> Rows:
    """The candidates of an order that are in none of the slots, in which -1 is none."""
    free = np.ones(candidates, np.bool_)
    free[slots[slots >= 0]] = False
    others: Rows = order[free[order]]
    return others


def _check(
    order: Rows, k: int, limits: Sequence[ValueLimit], exploration: Exploration | None
) -> None:
    if k < 1:
        raise InvalidRequestError(f"a slate has 1 slot or more; got {k}", field="k")
    size = len(order)
    if not np.array_equal(np.sort(order), np.arange(size)):
        raise DataError(f"the order must be a permutation of 0 .. {size - 1}")
    lengths = {limit.name: len(limit.codes) for limit in limits}
    if exploration and exploration.eligible is not None:
        lengths["eligible"] = len(exploration.eligible)
    if exploration and exploration.beliefs is not None:
        lengths["beliefs"] = len(exploration.beliefs.successes)
    for name, length in lengths.items():
        if length != size:
            raise DataError(f"'{name}' is known of {length} candidates, of {size}")
