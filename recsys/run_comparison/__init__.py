"""Paired comparison of evaluated runs, side by side (``recsys compare``).

Encoders are compared by :mod:`recsys.comparison`, hyper-parameters by :mod:`recsys.tuning`.
"""

from __future__ import annotations

from recsys.run_comparison.comparing import compare_runs
from recsys.run_comparison.evaluated_runs import EvaluatedRun, open_evaluated_run
from recsys.run_comparison.published import ComparedFigure, ComparedReports, compare_reports

__all__ = [
    "ComparedFigure",
    "ComparedReports",
    "EvaluatedRun",
    "compare_reports",
    "compare_runs",
    "open_evaluated_run",
]
