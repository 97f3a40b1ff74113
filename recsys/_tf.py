"""The one door to TensorFlow: it must be told to use legacy Keras before it is first imported.

TensorFlow Recommenders is written against Keras 2 and refuses to load otherwise. Parts that need
TensorFlow import it from here, and only when they are used.
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
"""``tf.function`` as it is used here: nothing branches on a tensor in Python, so AutoGraph, which
would read and rewrite every function on the way, has only its time to take."""
