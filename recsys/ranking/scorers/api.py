"""The interface of scorers: from features of retrieved items to one score per item."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol

from recsys.ids import Vectors
from recsys.ranking.inputs import FeatureTable, PairContext


class Scorer(Protocol):
    """Scores the items of one request; immutable, and called by any number of threads.

    Attributes:
        kind: Name of the implementation, which a saved scorer states.
        features: Names of the features that are read, in their order.
    """

    kind: ClassVar[str]

    @property
    def features(self) -> tuple[str, ...]: ...

    @property
    def reads_vectors(self) -> bool:
        """Whether the towers' vectors of the items and the history are read."""
        ...

    def score(self, table: FeatureTable, context: PairContext) -> Vectors:
        """Log-odds, or another score that grows with them, of every item, float32 ``[n]``.

        Raises:
            DataError: The table lacks a feature.
        """
        ...

    def explain(self, table: FeatureTable, context: PairContext, at: int) -> Mapping[str, float]:
        """Contribution of each feature to the score of the item at position ``at``.

        A contribution is the part of the score that is due to the difference of the feature from a
        usual value; they may add up to less or more than the score.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write the scorer into ``folder``, without pickle."""
        ...
