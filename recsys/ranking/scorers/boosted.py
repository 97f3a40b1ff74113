"""Gradient-boosted trees of LightGBM, which the extra ``lightgbm`` installs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from recsys.errors import ConfigError, DataError
from recsys.files import sha256_bytes, write_json, write_text
from recsys.ids import Vectors
from recsys.ranking.inputs import FeatureTable, PairContext
from recsys.ranking.scorers.files import ScorerFiles


def lightgbm() -> Any:
    """The module LightGBM.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import lightgbm as module
    except ImportError as error:
        raise ConfigError(
            "the scorer 'lightgbm' needs LightGBM: pip install 'recsys[lightgbm]'"
        ) from error
    return module


@dataclass(frozen=True, eq=False)
class BoostedScorer:
    """A sum of trees; the score is the raw one, log-odds for a binary objective.

    Attributes:
        features: Names of the features.
        model: The trees in LightGBM's text format.

    Example:
        See ``docs/how-to/rank-candidates.md``.
    """

    kind: ClassVar[str] = "lightgbm"
    features: tuple[str, ...]
    model: str = field(repr=False)

    @property
    def reads_vectors(self) -> bool:
        """False: features are all that is read."""
        return False

    @cached_property
    def _booster(self) -> Any:
        module = lightgbm()
        try:
            booster = module.Booster(model_str=self.model)
        except module.basic.LightGBMError as error:
            raise DataError(f"the LightGBM model cannot be read: {error}; train again") from error
        if booster.num_feature() != len(self.features):
            raise DataError(
                f"the LightGBM model reads {booster.num_feature()} features; "
                f"{len(self.features)} are named: train again"
            )
        return booster

    def score(self, table: FeatureTable, context: PairContext) -> Vectors:
        """float32 ``[n]``."""
        return np.asarray(self._predict(table.select(self.features).values), np.float32)

    def explain(self, table: FeatureTable, context: PairContext, at: int) -> Mapping[str, float]:
        """SHAP values, which add up to the score without the mean score of training."""
        row = table.select(self.features).values[at : at + 1]
        parts = self._predict(row, pred_contrib=True)[0, :-1]
        return dict(zip(self.features, parts.tolist()))

    def save(self, folder: Path) -> None:
        """Write ``scorer.json`` and ``model.txt`` into ``folder``."""
        write_text(folder / "model.txt", self.model)
        facts = {"kind": self.kind, "features": list(self.features)}
        write_json(folder / "scorer.json", {**facts, "sha256": sha256_bytes(self.model.encode())})

    def _predict(self, values: Vectors, **options: Any) -> Any:
        if not len(values):
            return np.zeros(0, np.float32)
        return self._booster.predict(values, raw_score=True, num_threads=1, **options)


def load_boosted(files: ScorerFiles) -> BoostedScorer:
    """Read what :meth:`BoostedScorer.save` wrote.

    Raises:
        DataError: A file is missing or damaged.
        ConfigError: LightGBM is not installed.
    """
    try:
        model = (files.folder / "model.txt").read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the scorer in {files.folder}: {error}") from error
    digest = sha256_bytes(model.encode())
    if files.facts.get("sha256") != digest:  # LightGBM ends the process on a truncated model
        raise files.fault("sha256", f"that of model.txt, {digest}", files.facts.get("sha256"))
    scorer = BoostedScorer(files.features, model)
    scorer._booster  # noqa: B018  a model of other features is reported when it is opened
    return scorer
