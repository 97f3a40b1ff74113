"""Imports that are slow, made once by the fork server of ``tests/forked.py``."""

from __future__ import annotations

import os

import sklearn.decomposition
import sklearn.linear_model  # noqa: F401

import recsys.cli
import recsys.comparison.pages
import recsys.evaluation.query_sheet
import recsys.evaluation.report
import recsys.towers.training.fitting
import recsys.tuning.running  # noqa: F401
from recsys._tf import tf

# As in the tests' own process (conftest.py).
os.fsync = lambda descriptor: None
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
