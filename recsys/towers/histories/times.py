"""When a history's items were met, as the encoders that read times are told."""

from __future__ import annotations

from typing import Any, NamedTuple

from recsys._tf import tf

BUCKETS = 64


class Times(NamedTuple):
    """The moments of b histories.

    Attributes:
        seconds: Since the first item that is read, float32 ``[b, t]``; anything where padded.
        known: 1 where a history's times are known, else 0: float32 ``[b]``.
    """

    seconds: Any
    known: Any


def buckets_of(seconds: Any) -> Any:
    """How long before token j token i was met, as a bucket: int32 ``[b, t + 1, t + 1]``.

        bucket = min( floor( 2 log2(1 + seconds between) ), 63 )

    so that each is about 1.4 times as long as the one before it; the last begins at 96 years.
    Token 0, which stands before the first item, has the first item's time.
    """
    at = tf.pad(seconds, [[0, 0], [1, 0]])
    between = tf.maximum(at[:, :, None] - at[:, None, :], 0.0)
    halves = 2 / tf.math.log(2.0) * tf.math.log1p(between)
    return tf.cast(tf.minimum(halves, BUCKETS - 1.0), tf.int32)
