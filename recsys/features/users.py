"""Given vectors of users as a feature block over the users of a log."""

from __future__ import annotations

import numpy as np

from recsys.errors import DataError
from recsys.features.block import FeatureBlock
from recsys.formats.vectors import NamedVectors
from recsys.ids import IdMap

USER_VECTORS = "user_vectors"
"""Name of the block."""


def user_block(named: NamedVectors, users: IdMap) -> tuple[FeatureBlock, list[str]]:
    """The block of ``users``, in row order, and the ids of ``named`` that are not users.

    Raises:
        DataError: None of the users has a vector.

    Example:
        >>> named = NamedVectors(("bob", "eve"), np.eye(2, dtype=np.float32))
        >>> block, unknown = user_block(named, IdMap.of("user", ["ann", "bob"]))
        >>> block.mask.tolist(), unknown
        ([False, True], ['eve'])
    """
    vectors = np.zeros((len(users), named.vectors.shape[1]), np.float32)
    mask = np.zeros(len(users), np.bool_)
    known = np.array([name in users for name in named.ids], np.bool_)
    rows = users.rows(named.ids, unknown="skip")
    if not len(rows):
        raise DataError(
            f"none of the {len(named.ids):,} users with a vector is among the {len(users):,} of the"
            f" log: the first are {named.ids[0]!r:.80} and {users.id(0)!r:.80}; are they named the"
            " same way?"
        )
    vectors[rows], mask[rows] = named.vectors[known], True
    unknown = [name for name, found in zip(named.ids, known) if not found]
    return FeatureBlock(vectors, mask, USER_VECTORS), unknown
