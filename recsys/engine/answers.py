"""DataFrames of answers, with ids of the caller's types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recsys.retrieval import Candidate, Response

_TEXT = pd.Series(["text"]).dtype  # that of text depends on the version of pandas
SCORE, RANK, TITLE, NOTES, EXPLANATIONS = "score", "rank", "title", "notes", "explanations"


@dataclass(frozen=True)
class IdTypes:
    """Conversion between the ids of a caller's tables and the engine's, which are text.

    Attributes:
        integers: "user" and "item", where the caller's tables hold integers.

    Example:
        >>> IdTypes(frozenset({"user"})).column("user", ["7", "12"]).tolist()
        [7, 12]
    """

    integers: frozenset[str] = frozenset()

    def column(self, kind: str, ids: Sequence[str]) -> pd.Series[Any]:
        """Ids of the engine as a column of the caller's type: int64 or text."""
        column = pd.Series(list(ids), dtype=_TEXT)
        return column.astype("int64") if kind in self.integers else column


def frame_of(
    answers: Sequence[Response],
    types: IdTypes,
    *,
    queries: pd.Series[Any] | None = None,
    titles: bool = False,
) -> pd.DataFrame:
    """One row per candidate, in the order of the answers.

    Args:
        queries: Named column that identifies the query of each answer.
        titles: Whether the items have titles.

    Returns:
        Columns: that of ``queries``, item_id, score (float32), rank (int64, from 1); the title, if
        requested; with several spaces one of the score in each, NaN where an item has no vector.
        ``attrs["notes"]`` holds the reasons for short answers and for parts of a query without
        effect, per query, and ``attrs["explanations"]`` the explanations of the answers, if any.
    """
    candidates = [candidate for answer in answers for candidate in answer.candidates]
    columns: dict[str, Any] = {}
    if queries is not None:
        counts = [len(answer.candidates) for answer in answers]
        columns[str(queries.name)] = queries.repeat(counts).reset_index(drop=True)
    columns["item_id"] = types.column("item", [candidate.id for candidate in candidates])
    columns[SCORE] = np.array([candidate.score for candidate in candidates], np.float32)
    columns[RANK] = np.array([candidate.rank for candidate in candidates], np.int64)
    if titles:
        columns[TITLE] = [candidate.title for candidate in candidates]
    columns |= _parts(candidates)
    frame = pd.DataFrame(columns)
    labels = [""] * len(answers) if queries is None else [str(label) for label in queries]
    notes = {label: found for label, answer in zip(labels, answers) if (found := answer.notes)}
    frame.attrs[NOTES] = notes
    frame.attrs[EXPLANATIONS] = {
        label: answer.explanation
        for label, answer in zip(labels, answers)
        if answer.explanation is not None
    }
    return frame


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows, notes and explanations of several frames of answers."""
    attrs = {
        name: {label: each for frame in frames for label, each in frame.attrs.pop(name).items()}
        for name in (NOTES, EXPLANATIONS)
    }
    joined = pd.concat(frames, ignore_index=True)
    joined.attrs |= attrs if attrs[EXPLANATIONS] else {NOTES: attrs[NOTES]}
    return joined


def _parts(candidates: Sequence[Candidate]) -> dict[str, Any]:
    names = sorted({name for candidate in candidates for name in candidate.parts})
    return {
        f"{SCORE}_{name}": np.array(
            [candidate.parts.get(name, np.nan) for candidate in candidates], np.float32
        )
        for name in names
    }
