"""Resident memory of a process that has loaded the libraries of a worker, and nothing else.

``python -m benchmarks.serving.libraries`` prints MB.
"""

from __future__ import annotations

import importlib
import os

from benchmarks.serving.running import resident_mb

LIBRARIES = (
    *("recsys._tf", "scann.scann_ops.py.scann_ops_pybind", "numba"),
    *("recsys.bundle", "recsys.live", "recsys_server.processes.worker"),
)

if __name__ == "__main__":
    for name in LIBRARIES:  # in this order: ScaNN imports TensorFlow, which must be configured
        importlib.import_module(name)
    print(resident_mb(os.getpid()))
