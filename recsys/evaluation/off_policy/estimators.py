"""IPS, SNIPS, the direct method and the doubly robust estimator, with bootstrap intervals.

A record of the log is one item that was shown in one slot. Its weight is the probability that the
new policy shows the item in this slot, divided by that of the policy that was served. The reward of
a slot is taken to depend on its own item, not on the others (the independent estimator of Li et
al., 2018), so that the reward of a feed is the sum over its slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError, InvalidRequestError, suggestion
from recsys.evaluation.bootstrap import Interval, resampled_sums
from recsys.evaluation.metrics import Values
from recsys.progress import silent

METHODS = ("ips", "snips", "dm", "dr")


@dataclass(frozen=True, eq=False)
class PredictedRewards:
    """What a model of the rewards predicts, for the direct method and the doubly robust estimator.

    The model must not have been fitted on the records that it predicts (cross-fitting).

    Attributes:
        logged: Reward of each logged item in its slot, float64 ``[n]``.
        target: Reward of each record's slot under the new policy, float64 ``[n]``: the sum over all
            items of the policy's probability times the predicted reward.
    """

    logged: Values
    target: Values


@dataclass(frozen=True, eq=False)
class LoggedFeedback:
    """A log of n items that were shown, with what became of them.

    Attributes:
        rewards: Reward of each item, such as 1 for a click, float64 ``[n]``.
        propensities: Probability with which the served policy showed the item in its slot, in
            (0, 1], float64 ``[n]``.
        target: The same probability under the new policy, in [0, 1], float64 ``[n]``.
        requests: Number of the request of each record, int64 ``[n]``; None if each record is a
            request of its own. Requests are resampled as a whole.
        predicted: Rewards predicted by a model; None without one.

    Raises:
        DataError: The log is empty, shapes differ, or a number is not finite or out of range.

    Example:
        >>> log = LoggedFeedback(np.ones(2), np.full(2, 0.5), np.array([0.5, 0.25]))
        >>> log.weights.tolist()
        [1.0, 0.5]
    """

    rewards: Values
    propensities: Values
    target: Values
    requests: npt.NDArray[np.int64] | None = None
    predicted: PredictedRewards | None = None

    def __post_init__(self) -> None:
        columns = {"rewards": self.rewards, "propensities": self.propensities}
        columns["target"] = self.target
        if self.predicted is not None:
            columns["predicted.logged"] = self.predicted.logged
            columns["predicted.target"] = self.predicted.target
        size = len(self.rewards)
        for name, column in columns.items():
            if not size or column.shape != (size,) or not np.isfinite(column).all():
                raise DataError(f"'{name}' must be [n], n > 0, and finite; got {column.shape}")
        if self.propensities.min() <= 0 or self.propensities.max() > 1:
            raise DataError(
                "propensities are in (0, 1]; an item with the probability 0 cannot have been shown"
            )
        if self.target.min() < 0 or self.target.max() > 1:
            raise DataError("probabilities of the new policy are in [0, 1]")
        if self.requests is not None and self.requests.shape != (size,):
            raise DataError(f"'requests' must be [{size}]; got {self.requests.shape}")

    @property
    def weights(self) -> Values:
        """Weight of each record, float64 ``[n]``."""
        return self.target / self.propensities


@dataclass(frozen=True)
class Estimate:
    """The estimated value of a policy: the mean reward per request.

    Attributes:
        method: Estimator.
        value: Estimate.
        interval: Bootstrap interval over requests.
        effective: Effective number of records, ``sum(w)**2 / sum(w**2)`` (Kong, 1992). An estimate
            from a small share of the log is not to be trusted.
        mean_weight: Mean of the weights. It is near 1 where the served policy shows everything
            that the new one shows; below 1, the new policy shows items that were never logged.
    """

    method: str
    value: float
    interval: Interval
    effective: float
    mean_weight: float


def estimate(
    feedback: LoggedFeedback,
    methods: Sequence[str] | None = None,
    *,
    clip: float | None = None,
    share: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Estimate the value of the new policy by each method.

    "ips" is inverse propensity scoring (Horvitz and Thompson, 1952): unbiased if the propensities
    are right. "snips" divides by the weights instead of their expectation (Swaminathan and
    Joachims, 2015): a small bias, less variance. "dm" is the direct method, which trusts the model
    of the rewards. "dr" is doubly robust (Dudík et al., 2011): unbiased if either is right.

    Args:
        methods: Names of the methods; None for all for which ``feedback`` has the data.
        clip: Largest weight; None for no limit. A limit trades bias for variance.
        share: Share of the resampled values within the interval.

    Raises:
        InvalidRequestError: An unknown method, one that needs predicted rewards that are missing,
            or a clip that is not above 0.

    Example:
        >>> log = LoggedFeedback(np.array([1.0, 0.0]), np.full(2, 0.5), np.array([0.75, 0.25]))
        >>> estimate(log)["ips"].value
        0.75
    """
    chosen = methods if methods is not None else METHODS[: 4 if feedback.predicted else 2]
    _check(chosen, feedback, clip)
    weights = feedback.weights if clip is None else np.minimum(feedback.weights, clip)
    added = _added(feedback, weights)
    table = np.stack([*(added[method] for method in chosen), weights], axis=1)
    if feedback.requests is not None:
        _, request = np.unique(feedback.requests, return_inverse=True)
        totals = np.zeros((int(request.max()) + 1, table.shape[1]))
        np.add.at(totals, request, table)
        table = totals
    sums = resampled_sums(table, seed=seed, resamples=resamples, progress=silent)
    sums = np.concatenate([table.sum(axis=0)[None], sums])
    total, per_request = sums[:, -1], len(weights) / len(table)
    found = {}
    for at, method in enumerate(chosen):
        values = sums[:, at] / len(table)
        if method == "snips":
            values = per_request * sums[:, at] / np.where(total > 0, total, 1)
        low, high = np.quantile(values[1:], [(1 - share) / 2, (1 + share) / 2])
        found[method] = Estimate(
            method=method,
            value=float(values[0]),
            interval=(float(low), float(high)),
            effective=float(weights.sum() ** 2 / max(np.square(weights).sum(), 1e-300)),
            mean_weight=float(weights.mean()),
        )
    return found


def _added(feedback: LoggedFeedback, weights: Values) -> dict[str, Values]:
    """Per method the numbers that are added up over the records, float64 ``[n]``."""
    weighted = weights * feedback.rewards
    added = {"ips": weighted, "snips": weighted}
    if feedback.predicted is not None:
        added["dm"] = feedback.predicted.target
        residuals = feedback.rewards - feedback.predicted.logged
        added["dr"] = feedback.predicted.target + weights * residuals
    return added


def _check(methods: Sequence[str], feedback: LoggedFeedback, clip: float | None) -> None:
    for method in methods:
        if method not in METHODS:
            raise InvalidRequestError(
                f"methods are {', '.join(METHODS)}; got '{method}'" + suggestion(method, METHODS),
                field="methods",
            )
        if method in ("dm", "dr") and feedback.predicted is None:
            raise InvalidRequestError(f"'{method}' needs predicted rewards", field="methods")
    if clip is not None and not clip > 0:
        raise InvalidRequestError(f"clip must be above 0; got {clip}", field="clip")
