"""The only import of TensorFlow, with legacy Keras, which TensorFlow Recommenders needs.

Parts that need TensorFlow import it from here, when they are first used.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras

__all__ = ["compiled", "tf", "tf_keras", "tfrs"]

compiled = partial(tf.function, autograph=False)
"""``tf.function`` without AutoGraph, which costs time and is deprecated since Python 3.13."""


def _length(sized: Any) -> int:
    return sized.shape[0] if tf.is_tensor(sized) else len(sized)


# TFRS' retrieval task reads ranks as ``len(tf.shape(x))``, for which a graph would need AutoGraph.
tfrs.tasks.retrieval.len = _length
