"""Data of trials: a trial is a run of its own over data that all trials share, without a test set.

The test queries are removed where the split is made, so that no trial can be evaluated on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from recsys.files import sha256_json
from recsys.pipeline import Job, Observer, RunConfig
from recsys.pipeline.stage import load_record, run_stages
from recsys.pipeline.stages import STAGES
from recsys.progress import Progress
from recsys.splits import Split, split

ENCODED = ("text", "image", "attributes")
"""Sections of a run that decide how its contents are encoded."""
SHARED = ("ingested", "split", "blocks", "phrases")
"""Cached parts of the data that trials share."""


@dataclass(frozen=True, eq=False)
class TrialData(Job):
    """Encoded data shared by all trials with the same encoders; its split has no test queries."""

    @cached_property
    def split(self) -> Split:
        """Training and validation data."""
        whole = split(self.ingested.interactions, self.config.split)
        return replace(whole, test=whole.test.slice(0, 0))

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the encoded data."""
        return str((load_record(self.folder / "encode") or {})["fingerprint"])

    def trial(self, config: RunConfig, *, progress: Progress) -> TrialData:
        """The run of one trial over this data."""
        run = replace(self, given=config, progress=progress)
        vars(run).update({name: getattr(self, name) for name in SHARED})
        return run


@dataclass(frozen=True, eq=False)
class TrialDataCache:
    """Trial data by encoder settings, brought up to date once per process."""

    base: Path
    folder: Path
    cache: Path
    progress: Progress
    loaded: dict[str, TrialData] = field(default_factory=dict, repr=False)

    def get(self, config: RunConfig, observer: Observer) -> TrialData:
        """Data of a configuration, ingested and encoded where that was not done before."""
        settings = config.model_dump(mode="json", include=set(ENCODED))
        key = sha256_json(settings)[:12]
        if key not in self.loaded:
            data = TrialData(config, self.base, self.folder / key, self.cache, self.progress)
            run_stages(STAGES, data, data.folder, until="encode", observer=observer)
            self.loaded[key] = data
        return self.loaded[key]
