"""Saved scorers, by the kind that they state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from recsys.ranking.scorers.api import Scorer
from recsys.ranking.scorers.boosted import BoostedScorer, load_boosted
from recsys.ranking.scorers.cross import CrossScorer, load_cross
from recsys.ranking.scorers.ensemble import EnsembleScorer
from recsys.ranking.scorers.files import ScorerFiles
from recsys.ranking.scorers.linear import LinearScorer, load_linear
from recsys.ranking.scorers.pairs import (
    SparseNetworkScorer,
    VectorNetworkScorer,
    load_sparse_scorer,
    load_vector_scorer,
)

_LOADERS: Mapping[str, Callable[[ScorerFiles], Scorer]] = {
    LinearScorer.kind: load_linear,
    BoostedScorer.kind: load_boosted,
    CrossScorer.kind: load_cross,
    SparseNetworkScorer.kind: load_sparse_scorer,
    VectorNetworkScorer.kind: load_vector_scorer,
}


def load_scorer(folder: Path) -> Scorer:
    """Read a scorer that its ``save`` wrote.

    Raises:
        DataError: A file is missing or damaged, or the kind is unknown.
        ConfigError: A library that the scorer needs is not installed.
    """
    files = ScorerFiles.read(folder)
    if files.kind == EnsembleScorer.kind:
        return _load_ensemble(files)
    if files.kind not in _LOADERS:
        raise files.fault("kind", f"one of {', '.join(_LOADERS)}", files.kind)
    return _LOADERS[files.kind](files)


def _load_ensemble(files: ScorerFiles) -> EnsembleScorer:
    weights = files.array("weights", None)
    members = [load_scorer(files.folder / f"{at:02d}") for at in range(len(weights))]
    return EnsembleScorer(tuple(members), tuple(weights.astype(np.float64).tolist()))
