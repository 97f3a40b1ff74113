"""Default settings: sections that a configuration leaves out are chosen from the ingested data.

A section that is present takes its class's defaults for missing keys. Sections that are chosen:
``split``, ``text``, ``image``, ``towers``, ``train`` and ``spaces``.

Example:
    >>> log = {"format": "csv", "path": "log.csv"}
    >>> given = PartialConfig({"name": "mine", "data": {"interactions": log}})
    >>> complete = given.complete(DataProfile(users=900, items=500, interactions=9_000))
    >>> print(complete.choices[0])
    [split] leave-last-out: few interactions: the last item of each user is the test

:func:`recsys.pipeline.open_job` makes a :class:`PartialConfig` of a file. A caller with values
instead of a file passes one to :meth:`recsys.pipeline.Job.from_config`.
"""

from __future__ import annotations

from recsys.pipeline.defaults.partial import CompleteConfig, PartialConfig, merge
from recsys.pipeline.defaults.profile import DataProfile
from recsys.pipeline.defaults.rules import Choice, choose

__all__ = ["Choice", "CompleteConfig", "DataProfile", "PartialConfig", "choose", "merge"]
