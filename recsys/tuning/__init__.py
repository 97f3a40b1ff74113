"""A study: many trials of a configuration's options, chosen on validation and on nothing else.

Optuna proposes them and remembers; what a study asks and leaves is told in ``docs/tuning.md``.
"""

from __future__ import annotations

from recsys.tuning.config import StudyConfig, load_study_config

__all__ = ["StudyConfig", "load_study_config"]
