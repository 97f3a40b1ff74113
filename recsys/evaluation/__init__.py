"""Evaluation: how good a scorer is, over the whole catalogue, beside honest baselines."""

from __future__ import annotations

from recsys.evaluation.record import record, write_record

__all__ = ["record", "write_record"]
