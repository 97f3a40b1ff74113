"""Pinned and promoted items: slots that the order of the candidates does not fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from recsys.errors import InvalidRequestError
from recsys.ids import Rows


@dataclass(frozen=True)
class FixedSlots:
    """Slots of pinned and promoted items.

    Attributes:
        pinned: Position of a candidate per slot.
        promoted: Positions of promoted candidates, best first. Those beyond the number of
            ``promoted_slots`` compete in the order like all others.
        promoted_slots: Slots of promoted items, ascending. Slots without one are filled in order.

    Example:
        >>> FixedSlots(pinned={0: 4}, promoted=(2,), promoted_slots=(5,)).promoted
        (2,)
    """

    pinned: Mapping[int, int] = field(default_factory=dict)
    promoted: tuple[int, ...] = ()
    promoted_slots: tuple[int, ...] = ()

    def assign(self, k: int, candidates: int) -> tuple[Rows, Rows]:
        """Position of the candidate per slot, int32 ``[k]`` (-1 for none), and the promoted slots.

        Raises:
            InvalidRequestError: A slot or a candidate that does not exist, or one used twice.
        """
        _check("slots", [*self.pinned, *self.promoted_slots], k)
        _check("candidates", [*self.pinned.values(), *self.promoted], candidates)
        slots = np.full(k, -1, np.int32)
        for slot, position in self.pinned.items():
            slots[slot] = position
        used = min(len(self.promoted_slots), len(self.promoted))
        at = np.array(sorted(self.promoted_slots)[:used], np.int32)
        slots[at] = self.promoted[:used]
        return slots, at


def _check(kind: str, numbers: list[int], size: int) -> None:
    if len(set(numbers)) < len(numbers) or any(not 0 <= number < size for number in numbers):
        raise InvalidRequestError(
            f"pinned and promoted {kind} are different numbers from 0 to {size - 1}; got {numbers}",
            field="slots",
        )
