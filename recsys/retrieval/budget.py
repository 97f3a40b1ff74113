"""Until when the work on a request is worth doing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from recsys.errors import ServiceError


class AbandonedError(ServiceError):
    """A request whose answer is no longer wanted; the work on it was ended."""


@dataclass(frozen=True, eq=False)
class Budget:
    """Whether the answers to requests are still wanted, which each stage of the work checks first.

    Attributes:
        is_wanted: Function of the position of a request. It is called often, and fast.

    Example:
        >>> budget = Budget(lambda position: position != 1)
        >>> budget.unwanted(range(3)), budget.select([1, 2]).unwanted(range(2))
        ([1], [0])
    """

    is_wanted: Callable[[int], bool]

    def unwanted(self, positions: Iterable[int]) -> list[int]:
        """Those of the requests that are no longer wanted."""
        return [position for position in positions if not self.is_wanted(position)]

    def select(self, positions: Sequence[int]) -> Budget:
        """The budget of some of the requests, by their index in ``positions``."""
        return Budget(lambda index: self.is_wanted(positions[index]))


UNLIMITED = Budget(lambda position: True)
"""The budget of requests whose answers are wanted however long they take."""
