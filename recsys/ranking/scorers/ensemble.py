"""Weighted sums of the scores of several scorers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from recsys.files import save_arrays, write_json
from recsys.ids import Vectors
from recsys.ranking.inputs import FeatureTable, PairContext
from recsys.ranking.scorers.api import Scorer


@dataclass(frozen=True, eq=False)
class EnsembleScorer:
    """score = sum of weight * score of each member.

    Attributes:
        members: Scorers.
        weights: Weight per member.

    Example:
        >>> from recsys.ranking import LinearScorer
        >>> members = (LinearScorer.of_weights({"a": 1.0}), LinearScorer.of_weights({"b": 2.0}))
        >>> both = EnsembleScorer(members, (0.5, 0.25))
        >>> values, rows = np.array([[4, 6]], np.float32), np.array([7], np.int32)
        >>> both.score(FeatureTable(both.features, values, rows), PairContext()).tolist()
        [5.0]
    """

    kind: ClassVar[str] = "ensemble"
    members: tuple[Scorer, ...]
    weights: tuple[float, ...]

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features that any member reads."""
        return tuple(dict.fromkeys(name for each in self.members for name in each.features))

    @property
    def reads_vectors(self) -> bool:
        """Whether any member reads the towers' vectors."""
        return any(each.reads_vectors for each in self.members)

    def score(self, table: FeatureTable, context: PairContext) -> Vectors:
        """float32 ``[n]``."""
        scores = np.zeros(len(table), np.float32)
        for member, weight in zip(self.members, self.weights):
            scores += np.float32(weight) * member.score(table, context)
        return scores

    def explain(self, table: FeatureTable, context: PairContext, at: int) -> Mapping[str, float]:
        """Weighted sums of the members' contributions."""
        sums: dict[str, float] = {}
        for member, weight in zip(self.members, self.weights):
            for name, part in member.explain(table, context, at).items():
                sums[name] = sums.get(name, 0.0) + weight * part
        return sums

    def save(self, folder: Path) -> None:
        """Write ``scorer.json``, ``scorer.npz`` and a folder per member into ``folder``."""
        for at, member in enumerate(self.members):
            (folder / f"{at:02d}").mkdir(parents=True, exist_ok=True)
            member.save(folder / f"{at:02d}")
        save_arrays(folder / "scorer.npz", {"weights": np.array(self.weights, np.float32)})
        write_json(folder / "scorer.json", {"kind": self.kind, "features": list(self.features)})
