"""Times of a history's items, as history encoders read them."""

from __future__ import annotations

from typing import Any, NamedTuple

from recsys._tf import tf
from recsys.towers.histories.configs import BUCKETS


class Times(NamedTuple):
    """Times of b histories.

    Attributes:
        seconds: Seconds since the first item that is read, float32 ``[b, t]``; arbitrary in the
            padding.
        known: 1 where the times of a history are known, else 0, float32 ``[b]``.
    """

    seconds: Any
    known: Any


def buckets_of(seconds: Any) -> Any:
    """Bucket of the time from token i to token j, int32 ``[b, t + 1, t + 1]``.

        bucket = min( floor( 2 log2(1 + seconds between) ), 63 )

    Each bucket is about 1.4 times as long as the one before; the last begins at 96 years. Token 0,
    the start of the history, has the time of the first item.
    """
    at = tf.pad(seconds, [[0, 0], [1, 0]])
    between = tf.maximum(at[:, :, None] - at[:, None, :], 0.0)
    halves = 2 / tf.math.log(2.0) * tf.math.log1p(between)
    return tf.cast(tf.minimum(halves, BUCKETS - 1.0), tf.int32)
