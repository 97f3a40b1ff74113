"""TensorFlow, imported with legacy Keras, which TensorFlow Recommenders requires.

``TF_USE_LEGACY_KERAS`` must be set before the first import. Parts that need TensorFlow import it
from this module, lazily.
"""

from __future__ import annotations

import os
from functools import partial

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras

__all__ = ["compiled", "tf", "tf_keras", "tfrs"]

compiled = partial(tf.function, autograph=False)
"""``tf.function`` without AutoGraph: no function here branches on a tensor in Python."""
