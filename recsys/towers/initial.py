"""How trained vectors begin."""

from __future__ import annotations

from typing import Any

from recsys._tf import tf_keras


def short() -> Any:
    """Short random vectors, which turn quickly.

    Both towers end in a normalisation, and the gradient through it grows as vectors shrink; vectors
    that begin at length 1 sit on a plateau for epochs.
    """
    return tf_keras.initializers.RandomNormal(stddev=0.02)
