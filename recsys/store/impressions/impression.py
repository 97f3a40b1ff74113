"""One feed as it was shown."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recsys.errors import InvalidRequestError
from recsys_client.checks import id_fault

MAX_HISTORY = 100
"""Number of last items of a history that are recorded."""
Values = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Impression:
    """n items as they were shown, and what their scores were computed from.

    Attributes:
        request_id: Identifier, by which an interaction names the impression that it answers.
        user_id: Id of the user, or None.
        time: Time of the request in seconds since 1970.
        item_ids: Ids of the items in their order; the first has position 1.
        scores: Score of each item, float32 ``[n]``.
        propensities: Probability of each item at its position, float32 ``[n]``.
        slots: Reason of each position, as "ranked" or "explored".
        feature_names: Names of f features.
        features: Features that the scorer read, float32 ``[n, f]``; NaN where an item has none.
        history: Ids of the user's last items, at most 100, oldest first.
        bundle_version: Version of the bundle that answered.
        pipeline: Name of the pipeline.
        pipeline_version: Digest of its configuration.
        watermark: Sequence number of the last change of the store that the answer includes.
        request: The request as JSON.

    Raises:
        InvalidRequestError: An id cannot be stored, or lengths differ.

    Example:
        >>> one = np.ones(1, np.float32)
        >>> shown = Impression("r1", "ann", 10, ("lamp",), one, one, ("ranked",))
        >>> len(shown), shown.features.shape
        (1, (1, 0))
    """

    request_id: str
    user_id: str | None
    time: int
    item_ids: tuple[str, ...]
    scores: Values
    propensities: Values
    slots: tuple[str, ...]
    feature_names: tuple[str, ...] = ()
    features: Values = field(default_factory=lambda: np.empty((0, 0), np.float32))
    history: tuple[str, ...] = ()
    bundle_version: str = ""
    pipeline: str = ""
    pipeline_version: str = ""
    watermark: int = 0
    request: str = ""

    def __post_init__(self) -> None:
        n, f = len(self.item_ids), len(self.feature_names)
        if not f:
            object.__setattr__(self, "features", np.empty((n, 0), np.float32))
        for name in ("scores", "propensities", "features"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float32))
        shapes = (self.scores.shape, self.propensities.shape, self.features.shape)
        if shapes != ((n,), (n,), (n, f)) or len(self.slots) != n:
            raise InvalidRequestError(
                f"an impression of {n} items and {f} features has arrays of the shapes {shapes} and"
                f" {len(self.slots)} slots"
            )
        for name in ("request_id", "user_id"):
            value = getattr(self, name)
            if value is not None and (fault := id_fault(value)):
                raise InvalidRequestError(f"{name} is {fault}: {value!r:.80}", field=name)
        object.__setattr__(self, "history", self.history[-MAX_HISTORY:])

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def size(self) -> int:
        """Approximate number of bytes in memory."""
        texts = sum(map(len, (*self.item_ids, *self.history, self.request)))
        return 2_000 + self.features.nbytes + 2 * texts + 100 * (len(self) + len(self.history))


def new_request_id() -> str:
    """A new identifier: the milliseconds since 1970 and 80 random bits, in 32 characters.

    Identifiers ascend with time, so that a database appends them at the end of its index.
    """
    return f"{int(1000 * time.time()):012x}{secrets.token_hex(10)}"
