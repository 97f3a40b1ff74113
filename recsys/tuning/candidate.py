"""A trial as a run of its own: its configuration over data that all trials share, without a test.

The test queries are taken out where the split is made. No trial can be judged by them, whatever
the code that trains it would do.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from recsys.features import FeatureBlock
from recsys.ids import Vectors
from recsys.ingestion import IngestedData
from recsys.pipeline import Job, RunConfig
from recsys.progress import Progress
from recsys.splits import Split, split


@dataclass(frozen=True, eq=False)
class Material(Job):
    """What is encoded once for all trials with the same encoders; its split has no test."""

    @cached_property
    def split(self) -> Split:
        """What is learned from and what chooses."""
        whole = split(self.ingested.interactions, self.config.split)
        return replace(whole, test=whole.test.slice(0, 0))


@dataclass(frozen=True, eq=False)
class Candidate(Material):
    """One trial.

    Attributes:
        material: Where its data and its encoded contents come from.
    """

    material: Material = field(kw_only=True)

    @classmethod
    def of(cls, material: Material, config: RunConfig, *, progress: Progress) -> Candidate:
        """The trial ``config`` over the ``material``."""
        return cls(
            config, material.base, material.folder, material.cache, progress, material=material
        )

    @cached_property
    def ingested(self) -> IngestedData:
        """The log and the catalogue."""
        return self.material.ingested

    @cached_property
    def split(self) -> Split:
        """What is learned from and what chooses."""
        return self.material.split

    @cached_property
    def blocks(self) -> dict[str, FeatureBlock]:
        """The feature blocks, by name."""
        return self.material.blocks

    @cached_property
    def phrases(self) -> Vectors:
        """The encoded search terms of the log."""
        return self.material.phrases
