"""The fusion of a command line; ``recsys.retrieval.fusion_search`` applies fusions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from recsys_client.errors import InvalidRequestError
from recsys_client.fusion import Fusion, ReciprocalRank, WeightedSum


def fusion_from(form: str | None, weights: Sequence[str]) -> Fusion | None:
    """The fusion of a command line: "rrf" or "sum", and weights as ``SPACE=NUMBER``.

    Raises:
        InvalidRequestError: The form or a weight is not valid.

    Example:
        >>> fusion_from("sum", ["text=2"])
        WeightedSum(weights={'text': 2.0})
    """
    read: dict[str, float] = {}
    for text in weights:
        name, _, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not name or math.isnan(value) or name in read:
            raise InvalidRequestError(
                f"a weight must be SPACE=NUMBER, such as text=2, once per space; got {text!r:.80}",
                field="fusion.weights",
            )
        read[name] = value
    if form is None:
        return ReciprocalRank(weights=read) if read else None
    if form not in ("rrf", "sum"):
        raise InvalidRequestError(
            f"fusion must be 'rrf' (reciprocal ranks) or 'sum' (weighted scores); got {form!r:.80}",
            field="fusion",
        )
    return ReciprocalRank(weights=read) if form == "rrf" else WeightedSum(read)
