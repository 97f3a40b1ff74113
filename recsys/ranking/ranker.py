"""A ranker: features, a scorer and its calibration, as one part of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.files import read_json, write_json
from recsys.ids import Vectors
from recsys.ranking.inputs import (
    FeatureSet,
    FeatureTable,
    PairContext,
    RetrievedItems,
    Statistics,
    load_statistics,
)
from recsys.ranking.inputs.feature_set import VECTOR
from recsys.ranking.scorers import PlattCalibration, Scorer, load_scorer

FORMAT_VERSION = 1


@dataclass(frozen=True, eq=False)
class RankedItems:
    """Scores of the items of one request.

    Attributes:
        table: Features that were read.
        scores: Scores, float32 ``[n]``.
        probabilities: Calibrated probabilities that the user takes each item, float32 ``[n]``.
    """

    table: FeatureTable
    scores: Vectors
    probabilities: Vectors

    @property
    def order(self) -> npt.NDArray[np.int64]:
        """Positions of the items, best first; of equal scores the earlier item, int64 ``[n]``."""
        return np.argsort(-self.scores, kind="stable").astype(np.int64)


@dataclass(frozen=True, eq=False)
class Ranker:
    """Scores retrieved items with the features that the scorer was trained on.

    Attributes:
        features: Features, with the statistics that they are computed from.
        scorer: Scorer of the features.
        calibration: From scores to probabilities.

    Example:
        >>> from recsys.ids import IdMap
        >>> from recsys.interactions import Interactions
        >>> from recsys.ranking import LinearScorer
        >>> log = Interactions.of(IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug"]),
        ...     user=[0, 0], item=[0, 0], time=[10, 20])
        >>> ranker = Ranker.of(LinearScorer.of_weights({"popularity": 1.0}), Statistics.of(log))
        >>> items = RetrievedItems.of_list("two_tower", np.array([1, 0], np.int32), [0.75, 0.5])
        >>> ranker.rank(PairContext(), items).order.tolist()
        [1, 0]
    """

    features: FeatureSet
    scorer: Scorer
    calibration: PlattCalibration = PlattCalibration()

    @classmethod
    def of(
        cls,
        scorer: Scorer,
        statistics: Statistics,
        calibration: PlattCalibration | None = None,
    ) -> Ranker:
        """A ranker whose features are those that the scorer reads."""
        features = FeatureSet(scorer.features, statistics)
        return cls(features, scorer, calibration or PlattCalibration())

    @property
    def reads_vectors(self) -> bool:
        """Whether items and context need the towers' vectors."""
        return self.scorer.reads_vectors or bool(set(VECTOR) & set(self.features.names))

    def rank(self, context: PairContext, items: RetrievedItems) -> RankedItems:
        """Scores of every item.

        Raises:
            DataError: The items lack a column or vectors that a feature needs, or a score is not
                finite.
        """
        table = self.features.compute(context, items)
        scores = self.scorer.score(table, context)
        if not np.isfinite(scores).all():
            raise DataError(f"the scorer '{self.scorer.kind}' gave a score that is not finite")
        return RankedItems(table, scores, self.calibration.probability(scores))

    def explain(self, ranked: RankedItems, context: PairContext, at: int) -> Mapping[str, float]:
        """Contributions of the features to the score of the item at position ``at``."""
        return self.scorer.explain(ranked.table, context, at)

    def save(self, folder: Path) -> None:
        """Write the statistics, the scorer and ``ranker.json`` into ``folder``, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scorer").mkdir(exist_ok=True)
        self.features.statistics.save(folder)
        self.scorer.save(folder / "scorer")
        platt = {"slope": self.calibration.slope, "offset": self.calibration.offset}
        write_json(folder / "ranker.json", {"format": FORMAT_VERSION, "calibration": platt})


def load_ranker(folder: Path) -> Ranker:
    """Read what :meth:`Ranker.save` wrote.

    Raises:
        DataError: A file is missing or damaged, or of another format.
        ConfigError: A library that the scorer needs is not installed.
    """
    try:
        facts = read_json(folder / "ranker.json")
        if facts["format"] != FORMAT_VERSION:
            raise ValueError(f"format {facts['format']!r}; expected {FORMAT_VERSION}")
        platt = PlattCalibration(*(float(facts["calibration"][k]) for k in ("slope", "offset")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"cannot read the ranker in {folder}: {error}; train again") from error
    return Ranker.of(load_scorer(folder / "scorer"), load_statistics(folder), platt)
