"""From files to a published bundle, in stages that are reused while they are up to date.

See ``docs/explanation/concepts.md`` for the folders of a run and when a stage is recomputed.
"""

from __future__ import annotations

from recsys.pipeline.config import RunConfig, load_run_config
from recsys.pipeline.data_report import data_lines
from recsys.pipeline.defaults.partial import PartialConfig
from recsys.pipeline.defaults.profile import DataProfile
from recsys.pipeline.defaults.rules import Choice
from recsys.pipeline.job import Job
from recsys.pipeline.running import STAGE_NAMES, open_job, run_job, write_run_report
from recsys.pipeline.stage import Observer, StageResult

__all__ = [
    "STAGE_NAMES",
    "Choice",
    "DataProfile",
    "data_lines",
    "PartialConfig",
    "StageResult",
    "Job",
    "Observer",
    "RunConfig",
    "load_run_config",
    "open_job",
    "run_job",
    "write_run_report",
]
