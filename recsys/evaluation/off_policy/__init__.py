"""The value of a policy that was not served, from what another policy served and logged."""

from __future__ import annotations

from recsys.evaluation.off_policy.estimators import (
    METHODS,
    Estimate,
    LoggedFeedback,
    PredictedRewards,
    estimate,
)

__all__ = ["METHODS", "Estimate", "LoggedFeedback", "PredictedRewards", "estimate"]
