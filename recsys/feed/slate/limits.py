"""Caps and spacing: how many items of one value a slate holds, and how far apart they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recsys.errors import ConfigError, DataError
from recsys.ids import Mask, Rows

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class ValueLimit:
    """A cap and a spacing for the values of one attribute.

    Attributes:
        name: Name of the attribute, for messages.
        codes: Values of each candidate as numbers, int32 ``[n]``, or ``[n, m]`` for an attribute
            with several values; -1 for none. An item without a value is never limited.
        most: Cap: largest number of items of the slate with the same value; None for no cap.
        gap: Spacing: number of other items between two items with the same value, 0 or more.

    Raises:
        ConfigError: A cap below 1 or a negative gap.
        DataError: Codes of another shape, or below -1.

    Example:
        >>> ValueLimit("brand", np.array([7, 7, -1], np.int32), most=1).gap
        0
    """

    name: str
    codes: Codes
    most: int | None = None
    gap: int = 0

    def __post_init__(self) -> None:
        if (self.most is not None and self.most < 1) or self.gap < 0:
            raise ConfigError(
                f"'{self.name}': a cap is 1 or more and a gap 0 or more; "
                f"got {self.most} and {self.gap}"
            )
        if self.codes.ndim not in (1, 2) or self.codes.min(initial=0) < -1:
            raise DataError(f"'{self.name}': codes are [n] or [n, m], -1 for none")


@dataclass(eq=False)
class ValueCounts:
    """The values of the items in a slate so far, for one limit.

    Attributes:
        limit: Cap and spacing.
        codes: Values of each candidate, int64 ``[n, m]``, numbered from 0; the last number means
            no value.
        counts: Number of items in the slate per value.
        full: Whether a candidate has a value whose cap is reached, bool ``[n]``.
    """

    limit: ValueLimit
    codes: npt.NDArray[np.int64] = field(init=False)
    counts: npt.NDArray[np.int64] = field(init=False)
    full: Mask = field(init=False)

    def __post_init__(self) -> None:
        codes = self.limit.codes
        codes = codes[:, None] if codes.ndim == 1 else codes
        values, numbers = np.unique(codes, return_inverse=True)
        numbers = numbers.reshape(codes.shape)
        if len(values) and values[0] == -1:
            numbers = np.where(codes < 0, len(values) - 1, numbers - 1)
            none = len(values) - 1
        else:
            none = len(values)
        self.codes, self.counts = numbers, np.zeros(none, np.int64)
        self.full = np.zeros(len(codes), np.bool_)

    def add(self, position: int) -> None:
        """Count the values of a candidate that enters the slate."""
        if self.limit.most is None:
            return
        for value in set(self.codes[position].tolist()) - {len(self.counts)}:
            self.counts[value] += 1
            if self.counts[value] == self.limit.most:
                self.full |= (self.codes == value).any(axis=1)

    def near(self, slots: Rows, slot: int) -> Mask:
        """Whether a candidate shares a value with an item within the gap of a slot, bool ``[n]``.

        ``slots`` holds the position of the candidate in each slot, -1 for none so far.
        """
        window = slots[max(slot - self.limit.gap, 0) : slot + self.limit.gap + 1]
        flags = np.zeros(len(self.counts) + 1, np.bool_)
        flags[self.codes[window[window >= 0]]] = True
        flags[-1] = False
        found: Mask = np.any(flags[self.codes], axis=1)
        return found


def fill(slots: Rows, empty: Rows, order: Rows, uses: Sequence[ValueCounts]) -> Mask:
    """Fill the slots ``empty`` of ``slots`` from ``order``, and return which broke the spacing.

    Each slot takes the first candidate of the order whose values are below their caps and not
    within the gap. If every remaining candidate is within a gap, the slot takes the first below
    its caps; if there is none, the slot and all later ones remain empty (-1).

    Args:
        slots: int32 ``[k]``, changed; position of the candidate per slot, -1 for none.
        empty: Slots to fill, ascending.
        order: Positions of the candidates that may be taken, best first.
        uses: Values of the items in ``slots``, which count those that this function adds.
    """
    broken = np.zeros(len(slots), np.bool_)
    spaced = [each for each in uses if each.limit.gap]
    free = np.ones(len(order), np.bool_)
    for slot in empty.tolist():
        allowed = free.copy()
        for use in uses:
            allowed &= ~use.full[order]
        chosen = allowed
        for use in spaced:
            chosen = chosen & ~use.near(slots, slot)[order]
        at = int(chosen.argmax()) if len(order) else 0
        if not (len(order) and chosen[at]):
            if not allowed.any():
                break
            at, broken[slot] = int(allowed.argmax()), True
        slots[slot], free[at] = order[at], False
        for use in uses:
            use.add(int(order[at]))
    return broken


def within_caps(order: Rows, uses: Sequence[ValueCounts], most: int) -> Rows:
    """The first ``most`` candidates of an order that together stay within the caps.

    ``uses`` counts them, too. A slate that contains any of them breaks no cap.
    """
    capped = [each for each in uses if each.limit.most is not None]
    if not capped:
        return order[:most]
    found: list[int] = []
    for position in order.tolist():
        if len(found) == most:
            break
        if not any(use.full[position] for use in capped):
            found.append(position)
            for use in capped:
                use.add(position)
    return np.array(found, np.int32)
