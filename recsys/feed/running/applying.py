"""The effect of one stage on the candidates, with the check of what it returned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.feed.candidates import Retrieved
from recsys.feed.context import FeedContext
from recsys.feed.running.trace import State
from recsys.feed.stages import (
    DiversityStage,
    Filter,
    Hydrator,
    Scored,
    ScoringStage,
    Selected,
    SlotStage,
    Source,
    Stage,
)
from recsys.ids import Rows
from recsys.ranking import FeatureTable


@dataclass(frozen=True, eq=False)
class Effect:
    """The state after a stage, and the reason why candidates are missing.

    Attributes:
        state: Candidates after the stage.
        reasons: Reasons in words.
        codes: Index in ``reasons`` per candidate before; None where there is one reason.
        because: Row of the item kept in place of each candidate before, or None.
        table: Features of the candidates before, or None.
    """

    state: State
    reasons: tuple[str, ...] = ()
    codes: npt.NDArray[np.int8] | None = None
    because: Rows | None = None
    table: FeatureTable | None = None


def retrieve(source: Source, context: FeedContext) -> Retrieved:
    """The list of a source: at most k rows, each once, without those of no item.

    Raises:
        DataError: The source returned scores of another number than rows.
    """
    found = source.run(context)
    if found.rows.shape != found.scores.shape or found.rows.ndim != 1:
        raise DataError(f"it returned {found.rows.shape} rows and {found.scores.shape} scores")
    rows = found.rows.astype(np.int32, copy=False)
    keep = context.view.present(rows)
    ascending = np.sort(rows)
    if (ascending[1:] == ascending[:-1]).any():
        first = np.zeros(len(rows), np.bool_)
        first[np.unique(rows, return_index=True)[1]] = True
        keep &= first
    scores = found.scores.astype(np.float32, copy=False)
    if keep.all():
        return Retrieved(rows[: source.k], scores[: source.k])
    return Retrieved(rows[keep][: source.k], scores[keep][: source.k])


def apply(stage: Stage, context: FeedContext, state: State) -> Effect:
    """Run a stage after the merge.

    Raises:
        DataError: The stage returned arrays of another length, or rows that are not candidates.
    """
    candidates = state.candidates
    if isinstance(stage, Hydrator):
        columns = stage.run(context, candidates)
        for name, values in columns.items():
            if len(values) != len(candidates):
                raise DataError(f"column '{name}' has {len(values)} values, not {len(candidates)}")
        return Effect(replace(state, candidates=candidates.with_columns(columns)))
    if isinstance(stage, Filter):
        kept = stage.run(context, candidates)
        if kept.kept.dtype != np.bool_ or kept.kept.shape != (len(candidates),):
            raise DataError(f"it returned a mask of {kept.kept.shape}, not {len(candidates)}")
        if kept.kept.all():
            return Effect(state)
        return Effect(
            replace(state, candidates=candidates.take(kept.kept)),
            (kept.reason,),
            None,
            kept.because,
        )
    if isinstance(stage, ScoringStage):
        scored = stage.run(context, candidates)
        table = scored.table if isinstance(scored, Scored) else None
        scores = np.asarray(scored.scores if isinstance(scored, Scored) else scored)
        if scores.shape != (len(candidates),):
            raise DataError(f"it returned {scores.shape} scores, not {len(candidates)}")
        if table is not None and not np.array_equal(table.rows, candidates.rows):
            raise DataError("it returned features of other rows")
        return Effect(replace(state, candidates=candidates.ordered_by(scores)), table=table)
    assert isinstance(stage, DiversityStage | SlotStage), stage
    return _selected(stage.run(context, candidates), state)


def _selected(selected: Selected, state: State) -> Effect:
    rows, candidates = selected.rows, state.candidates
    positions = candidates.positions_of(rows)
    if (positions < 0).any():
        raise DataError(f"it returned the row {rows[positions < 0][0]}, which is no candidate")
    if len(np.unique(rows)) < len(rows):
        raise DataError("it returned a row twice")
    for name in ("kinds", "propensities"):
        values = getattr(selected, name)
        if values is not None and values.shape != rows.shape:
            raise DataError(f"it returned {values.shape} {name}, not {len(rows)}")
    chances = selected.propensities
    if chances is not None and not ((chances > 0) & (chances <= 1)).all():
        raise DataError("it returned a propensity that is not above 0 and at most 1")
    state = replace(state, candidates=candidates.take(positions))
    kinds = state.kinds if selected.kinds is None else selected.kinds
    chances = state.propensities if chances is None else chances
    after = replace(state, kinds=kinds, propensities=chances)
    return Effect(after, selected.reasons, selected.codes)
