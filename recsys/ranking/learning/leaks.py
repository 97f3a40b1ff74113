"""Features that see the future of a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from recsys.errors import DataError
from recsys.interactions import Interactions
from recsys.ranking.inputs import FeatureSet
from recsys.ranking.learning.collecting import AnsweredRequest


def features_of_the_future(
    make: Callable[[Interactions], FeatureSet],
    log: Interactions,
    requests: Sequence[AnsweredRequest],
) -> tuple[str, ...]:
    """Names of the features that change when the log ends before the first of the requests.

    Such a feature reads interactions that were unknown when the requests were made. It looks
    useful in training, and is wrong in serving.

    Args:
        make: Features from a log.
        log: The whole log.
        requests: Requests with a time, and one or more items.

    Raises:
        DataError: There is no request.
    """
    if not requests:
        raise DataError("no request is given, by which features could be compared")
    moment = min(request.time for request in requests)
    whole, past = make(log), make(log.take(log.time < moment))
    names: dict[str, None] = {}
    for request in requests:
        tables = [each.compute(request.context, request.items) for each in (whole, past)]
        differs = (tables[0].values != tables[1].values).any(axis=0)
        names |= dict.fromkeys(np.array(tables[0].names)[differs].tolist())
    return tuple(name for name in whole.names if name in names)
