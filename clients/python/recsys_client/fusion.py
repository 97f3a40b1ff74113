"""The two forms of fusion and their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from numbers import Real
from typing import Any

from recsys_client.errors import InvalidRequestError

MAX_WEIGHT = 1_000_000
MIN_WEIGHT = 1e-6
"""Smallest weight above 0; fused scores are float32, in which much smaller ones vanish."""
MAX_CONSTANT = 1_000_000
MAX_DEPTH = 10_000


@dataclass(frozen=True)
class ReciprocalRank:
    """Reciprocal rank fusion: the ranks in each space's list count, not the scores.

    ``score(item) = sum over spaces s of weight_s / (constant + rank_s(item))``, with ranks from 1
    among the eligible items; a space adds nothing for items below its first ``depth``. The scores
    of the spaces need not be comparable. Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion
    outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009.

    Attributes:
        constant: Constant added to each rank; a larger one lets the first ranks stand out less.
            60 in the paper.
        depth: Number of items read from each list; k where that is larger.
        weights: Weight per name of a space, 0 or from 0.000001 to 1,000,000; 1 by default.

    Raises:
        InvalidRequestError: A number is out of range; ``field`` names it.

    Example:
        >>> ReciprocalRank(weights={"text": 2}).weight("text"), ReciprocalRank().weight("image")
        (2.0, 1.0)
    """

    constant: int = 60
    depth: int = 1_000
    weights: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _check_whole("constant", self.constant, 0, MAX_CONSTANT)
        _check_whole("depth", self.depth, 1, MAX_DEPTH)
        object.__setattr__(self, "weights", _checked(self.weights))

    def weight(self, space: str) -> float:
        """Weight of ``space``."""
        return self.weights.get(space, 1.0)


@dataclass(frozen=True)
class WeightedSum:
    """The weighted sum of the inner products.

    ``score(item) = sum over spaces s of weight_s * <query_s, item_s>``; a space in which the item
    has no vector adds 0. With exact indexes the candidates are the exact best of that sum (Fagin,
    Lotem and Naor, "Optimal aggregation algorithms for middleware", JCSS 2003, section 4: the
    threshold algorithm); an item that an approximate index misses can still be found through
    another space.

    Attributes:
        weights: Weight per name of a space, 0 or from 0.000001 to 1,000,000; 1 by default.

    Raises:
        InvalidRequestError: A weight is out of range; ``field`` names it.

    Example:
        >>> WeightedSum({"text": 0.7, "image": 0.3}).weight("image")
        0.3
    """

    weights: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", _checked(self.weights))

    def weight(self, space: str) -> float:
        """Weight of ``space``."""
        return self.weights.get(space, 1.0)


Fusion = ReciprocalRank | WeightedSum
FUSIONS: Mapping[str, type[ReciprocalRank | WeightedSum]] = {
    "reciprocal_rank": ReciprocalRank,
    "weighted_sum": WeightedSum,
}
"""The forms of fusion by their name in messages and in JSON."""


def fusion_to_json(fusion: Fusion) -> dict[str, Any]:
    """A fusion as an object with one key, its form.

    Example:
        >>> fusion_to_json(WeightedSum({"text": 2}))
        {'weighted_sum': {'weights': {'text': 2.0}}}
    """
    return {name: asdict(fusion) for name, kind in FUSIONS.items() if type(fusion) is kind}


def check_fusion(fusion: Fusion | None, spaces: Sequence[str]) -> None:
    """Refuse a fusion that does not fit the spaces of its request."""
    if fusion is None:
        return
    if not isinstance(fusion, (ReciprocalRank, WeightedSum)):
        raise InvalidRequestError(
            f"fusion must be a ReciprocalRank or a WeightedSum; got {fusion!r:.80}", field="fusion"
        )
    if len(spaces) == 1:
        raise InvalidRequestError(
            f"fusion joins several spaces, and only {spaces[0]!r:.80} is searched; leave it out, "
            "or join spaces with '+', such as 'text+image'",
            field="fusion",
        )
    for name in fusion.weights:
        if name not in spaces:
            raise InvalidRequestError(
                f"there is a weight for {name!r:.80}, which is none of the spaces searched: "
                f"{', '.join(spaces):.200}",
                field="fusion.weights",
            )
    if not any(fusion.weight(name) for name in spaces):
        raise InvalidRequestError(
            "the weight of every space is 0; give one a weight above 0",
            field="fusion.weights",
        )


def _check_whole(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidRequestError(
            f"{name} must be a whole number from {low} to {high:,}; got {value!r:.80}",
            field=f"fusion.{name}",
        )


def _checked(weights: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(weights, Mapping):
        raise InvalidRequestError(
            f"weights must be a mapping from names of spaces to numbers; got {weights!r:.80}",
            field="fusion.weights",
        )
    for name, value in weights.items():
        number = isinstance(value, Real) and not isinstance(value, bool)
        fits = number and (value == 0 or MIN_WEIGHT <= value <= MAX_WEIGHT)
        if not isinstance(name, str) or not fits:
            raise InvalidRequestError(
                f"a weight must be a number, 0 or from {MIN_WEIGHT:f} to {MAX_WEIGHT:,}, for the "
                f"name of a space; got {value!r:.80} for {name!r:.80}. Only the ratio of weights "
                "changes the order",
                field="fusion.weights",
            )
    return {name: float(value) for name, value in weights.items()}
