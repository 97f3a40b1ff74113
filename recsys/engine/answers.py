"""DataFrames of answers, and the ids of a DataFrame as the engine's text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recsys.errors import InvalidRequestError
from recsys.retrieval import Candidate, Response

SCORE, RANK, TITLE = "score", "rank", "title"


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
        column = pd.Series(list(ids), dtype=None if len(ids) else object)
        return column.astype("int64") if kind in self.integers else column


def text_ids(values: Any, name: str) -> list[str]:
    """One id or several as text; integers, and whole floats, become their digits.

    Raises:
        InvalidRequestError: An id is missing, or neither text nor a whole number.

    Example:
        >>> text_ids(pd.Series([7, 12]), "users"), text_ids("ann", "users")
        (['7', '12'], ['ann'])
    """
    if isinstance(values, str | int | float | np.generic):
        values = [values]
    if isinstance(values, Mapping | bytes) or not isinstance(values, Iterable):
        raise InvalidRequestError(
            f"{name} must be an id, or a list or column of ids; got {type(values).__name__}",
            field=name,
        )
    return [_text_id(value, position, name) for position, value in enumerate(values)]


def _text_id(value: Any, position: int, name: str) -> str:
    if isinstance(value, str) and value:
        return str(value)
    whole = isinstance(value, int | float | np.integer | np.floating) and not isinstance(
        value, bool
    )
    if whole and value == value and value % 1 == 0:
        return str(int(value))
    raise InvalidRequestError(
        f"{name} must hold ids, text or whole numbers; position {position} holds {value!r:.80}",
        field=f"{name}[{position}]",
    )


def frame_of(
    answers: Sequence[Response],
    types: IdTypes,
    *,
    queries: tuple[str, pd.Series[Any]] | None = None,
    titles: bool = False,
) -> pd.DataFrame:
    """One row per candidate, in the order of the answers.

    Args:
        queries: Name and values of the column that identifies the query of each answer.
        titles: Whether the items have titles.

    Returns:
        Columns: that of ``queries``, item_id, score (float32), rank (int64, from 1); the title, if
        requested; with several spaces one of the score in each, NaN where an item has no vector.
        ``attrs["notes"]`` holds the reasons for short answers and for parts of a query without
        effect, per query.
    """
    candidates = [candidate for answer in answers for candidate in answer.candidates]
    columns: dict[str, Any] = {}
    if queries is not None:
        name, values = queries
        counts = [len(answer.candidates) for answer in answers]
        columns[name] = values.repeat(counts).reset_index(drop=True)
    columns["item_id"] = types.column("item", [candidate.id for candidate in candidates])
    columns[SCORE] = np.array([candidate.score for candidate in candidates], np.float32)
    columns[RANK] = np.array([candidate.rank for candidate in candidates], np.int64)
    if titles:
        columns[TITLE] = [candidate.title for candidate in candidates]
    columns |= _parts(candidates)
    frame = pd.DataFrame(columns)
    labels = [""] * len(answers) if queries is None else [str(label) for label in queries[1]]
    notes = {label: found for label, answer in zip(labels, answers) if (found := _notes(answer))}
    frame.attrs["notes"] = notes
    return frame


def _parts(candidates: Sequence[Candidate]) -> dict[str, Any]:
    names = sorted({name for candidate in candidates for name in candidate.parts})
    return {
        f"{SCORE}_{name}": np.array(
            [candidate.parts.get(name, np.nan) for candidate in candidates], np.float32
        )
        for name in names
    }


def _notes(answer: Response) -> list[str]:
    notes = [answer.short] if answer.short else []
    if answer.unknown_history:
        notes.append(f"unknown ids in the history were skipped: {answer.unknown_history}")
    if answer.unknown_exclude:
        notes.append(f"unknown ids to exclude had no effect: {answer.unknown_exclude}")
    if answer.unread_terms:
        notes.append(f"the text encoder knows no word of {answer.unread_terms!r}")
    return notes
