"""The whole way from files to a published bundle, in stages that are reused while they stand.

Each stage is a thin call into the part of the library that does the work; what is kept, where, and
when it is done anew is told in ``docs/concepts.md``. Serving is the business of ``server``.
"""

from __future__ import annotations

from recsys.pipeline.config import CallConfig, RunConfig, load_run_config
from recsys.pipeline.job import Job
from recsys.pipeline.running import STAGE_NAMES, open_job, run_job, write_run_report
from recsys.pipeline.stage import Observer, StageResult

__all__ = [
    "STAGE_NAMES",
    "CallConfig",
    "StageResult",
    "Job",
    "Observer",
    "RunConfig",
    "load_run_config",
    "open_job",
    "run_job",
    "write_run_report",
]
