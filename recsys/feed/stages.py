"""Stages of a feed: small frozen objects with a name, a time budget and one method ``run``.

A stage is its own section of the configuration. It never sees threads, clocks or counters: the
runner owns order, concurrency, budgets, failure and counting.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from recsys.config import Config
from recsys.feed.candidates import Candidates, Columns, Retrieved
from recsys.feed.context import FeedContext
from recsys.ids import Mask, Rows, Vectors
from recsys.ranking import FeatureTable

Role = Literal["source", "merge", "hydrator", "filter", "scorer", "diversity", "slots"]
Contributions = Mapping[str, tuple[float | None, float]]
"""Value of each feature, and the amount by which it moves a score, by its name."""


@dataclass(frozen=True, eq=False)
class Filtered:
    """What a filter keeps of n candidates.

    Attributes:
        kept: Whether each candidate is kept, bool ``[n]``.
        reason: Reason why the others are removed, in words.
        because: Row of the item that is kept in place of each removed one, int32 ``[n]``, -1
            without one; None where there is none at all.
    """

    kept: Mask
    reason: str
    because: Rows | None = None


@dataclass(frozen=True, eq=False)
class Selected:
    """The rows that a stage of diversity or slots selects, in the order of the feed.

    Attributes:
        rows: Item rows, int32 ``[m]``, each a candidate and there once.
        reasons: Reasons why others are left out, in words.
        codes: Index in ``reasons`` per candidate, int8 ``[n]``; None where there is one reason.
        kinds: ``recsys.feed.slate.SlotKind`` of each position, int8 ``[m]``; None where all are
            ranked.
        propensities: Probability of each row at its position, float32 ``[m]``, above 0 and at most
            1; None where no chance is involved.
    """

    rows: Rows
    reasons: tuple[str, ...] = ()
    codes: npt.NDArray[np.int8] | None = None
    kinds: npt.NDArray[np.int8] | None = None
    propensities: Vectors | None = None


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of n candidates and the features that they were computed from.

    Attributes:
        scores: Score per candidate, float32 ``[n]``.
        table: Features of the candidates in their order; what is shown is recorded with them.
    """

    scores: Vectors
    table: FeatureTable


class Stage(Config):
    """One stage of a feed, and its section of the configuration.

    Attributes:
        stage: Kind of the stage.
        name: Name in explanations and counts; the kind if left out. Names are unique in a pipeline.
        enabled: Whether the stage runs.
        budget_ms: Time in milliseconds after which the feed continues without the stage; less
            where the budget of the pipeline or the deadline of the call is nearer.
    """

    role: ClassVar[Role]
    stage: str = ""
    name: str = ""
    enabled: bool = True
    budget_ms: float = Field(100.0, gt=0)

    @property
    def title(self) -> str:
        """Name in explanations and counts."""
        return self.name or self.stage

    def idle(self, context: FeedContext) -> str:
        """Why the stage has nothing to do for a request, or ""."""
        return ""


class Source(Stage):
    """A stage that finds candidates.

    Attributes:
        k: Largest number of candidates.
        weight: Weight of the source in the order of the merged candidates.
    """

    role: ClassVar[Role] = "source"
    k: int = Field(100, ge=1, le=10_000)
    weight: float = Field(1.0, ge=0)

    @abstractmethod
    def run(self, context: FeedContext) -> Retrieved:
        """Candidates, best first."""


class Hydrator(Stage):
    """A stage that reads values of the candidates which later stages use."""

    role: ClassVar[Role] = "hydrator"

    @abstractmethod
    def run(self, context: FeedContext, candidates: Candidates) -> Columns:
        """Arrays by name, each with one entry per candidate."""


class Filter(Stage):
    """A stage that removes candidates.

    Attributes:
        on_failure: Effect of the filter when it fails, is late or is busy: "remove" removes all
            candidates, so that none is shown unchecked, and "keep" keeps all.
    """

    role: ClassVar[Role] = "filter"
    on_failure: Literal["remove", "keep"] = "keep"

    @abstractmethod
    def run(self, context: FeedContext, candidates: Candidates) -> Filtered:
        """The candidates that are kept, and the reason why the others are not."""


class ScoringStage(Stage):
    """A stage that gives every candidate a score; the highest is shown first."""

    role: ClassVar[Role] = "scorer"

    @abstractmethod
    def run(self, context: FeedContext, candidates: Candidates) -> Vectors | Scored:
        """Score per candidate, float32 ``[n]``; the highest comes first, non-finite ones last."""

    def contributions(
        self, context: FeedContext, candidates: Candidates, positions: Sequence[int]
    ) -> list[Contributions]:
        """Value and contribution of each feature to the scores at some positions."""
        return [{} for _ in positions]


class DiversityStage(Stage):
    """A stage that selects and orders candidates with regard to one another."""

    role: ClassVar[Role] = "diversity"

    @abstractmethod
    def run(self, context: FeedContext, candidates: Candidates) -> Selected:
        """The selected rows in their order."""


class SlotStage(Stage):
    """A stage that gives positions to items which the ranking alone would not put there."""

    role: ClassVar[Role] = "slots"

    @abstractmethod
    def run(self, context: FeedContext, candidates: Candidates) -> Selected:
        """The rows in their order, and the probability of each at its position."""
