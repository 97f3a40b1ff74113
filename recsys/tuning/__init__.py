"""Studies: many trials of a run's configuration, compared on validation data only.

A study either searches a space of options with Optuna or trains an explicit list of variants; see
``docs/how-to/tune.md``.
"""

from __future__ import annotations

from recsys.tuning.config import StudyConfig, VariantStudyConfig, load_study_config

__all__ = ["StudyConfig", "VariantStudyConfig", "load_study_config"]
