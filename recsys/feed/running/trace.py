"""What happened to the candidates of one request, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.feed.candidates import Candidates, Retrieved
from recsys.feed.stages import Role
from recsys.ids import Rows, Vectors
from recsys.ranking import FeatureTable
from recsys_client.feed import StageReport, StageStatus


@dataclass(frozen=True, eq=False)
class State:
    """The candidates at one point of the pipeline.

    Attributes:
        candidates: Candidates in their current order.
        kinds: ``SlotKind`` of each position, int8 ``[n]``; None where all are ranked.
        propensities: Probability of each position, float32 ``[n]``; None where all are 1.
    """

    candidates: Candidates
    kinds: npt.NDArray[np.int8] | None = None
    propensities: Vectors | None = None


@dataclass(frozen=True, eq=False)
class StageRecord:
    """One stage in one request.

    Attributes:
        stage: Name of the stage.
        role: Role of the stage.
        status: State as in ``recsys_client.feed.StageReport``.
        seconds: Duration.
        message: Reason of a status other than "ok", or "".
        before: Candidates before the stage; None for a source.
        after: Candidates after the stage; None for a source.
        retrieved: List of a source; None for other stages and without one.
        reasons: Reasons why candidates are missing after the stage, in words.
        codes: Index in ``reasons`` per candidate of ``before``; None where there is one reason.
        because: Row of the item kept in place of each candidate of ``before``, -1 without one; or
            None.
        table: Features of the candidates of ``before`` that a scorer has read, or None.
    """

    stage: str
    role: Role
    status: StageStatus
    seconds: float = 0.0
    message: str = ""
    before: Candidates | None = None
    after: Candidates | None = None
    retrieved: Retrieved | None = None
    reasons: tuple[str, ...] = ()
    codes: npt.NDArray[np.int8] | None = None
    because: Rows | None = None
    table: FeatureTable | None = None

    def report(self) -> StageReport:
        """The record in the form of a response."""
        given = 0 if self.before is None else len(self.before)
        if self.role == "source":
            returned = 0 if self.retrieved is None else len(self.retrieved.rows)
        else:
            returned = 0 if self.after is None else len(self.after)
        return StageReport(
            *(self.stage, self.role, self.status, given, returned, self.seconds, self.message)
        )


@dataclass(frozen=True, eq=False)
class Trace:
    """A feed in rows, and the record of every stage.

    Attributes:
        state: The feed: its candidates are the items in the order in which they are shown.
        records: One record per stage, in the order of the pipeline, with the merge after the
            sources.
        seconds: Duration of the whole pipeline.
    """

    state: State
    records: tuple[StageRecord, ...]
    seconds: float = 0.0

    @property
    def rows(self) -> Rows:
        """Item rows of the feed."""
        return self.state.candidates.rows

    def features(self) -> FeatureTable | None:
        """Features of the feed's items, as the last scorer that worked has read them, or None."""
        for record in reversed(self.records):
            if record.role == "scorer" and record.status == "ok" and record.table is not None:
                assert record.before is not None
                at = record.before.positions_of(self.rows)
                return FeatureTable(record.table.names, record.table.values[at], self.rows)
        return None

    def chances(self) -> Vectors:
        """Probability of each item at its position, float32 ``[n]``."""
        given = self.state.propensities
        return np.ones(len(self.rows), np.float32) if given is None else given

    def reports(self) -> tuple[StageReport, ...]:
        """The report of every stage."""
        return tuple(record.report() for record in self.records)


EMPTY = Candidates(
    np.empty(0, np.int32),
    (),
    np.empty((0, 0), np.float32),
    np.empty((0, 0), np.float32),
    np.empty(0, np.float32),
)
"""No candidates."""
