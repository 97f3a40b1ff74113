"""Recognition of the columns of a log, by their names and types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.config import parse_config
from recsys.engine.column_names import (
    EVENT_NAMES,
    ITEM_NAMES,
    POSITION_NAMES,
    TERMS_NAMES,
    TIME_NAMES,
    USER_NAMES,
    Ranks,
    find_column,
    quoted,
    remedy,
)
from recsys.errors import DataError
from recsys.formats.sources import InteractionColumns, TimestampUnit
from recsys.formats.times import date_format_of, text_date_format
from recsys.tables import is_text, require_columns

SAMPLE = 20_000
"""Number of rows whose values are examined."""
_MOST_KINDS, _MOST_NUMBERS = 30, 8
"""Largest numbers of distinct kinds of event."""
_ISO_DATE = r"^\d{4}-\d{2}-\d{2}"
_UNITS: tuple[tuple[float, TimestampUnit], ...] = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"))
_TIME_KEYS = {"timestamp_unit", "date_format"}


@dataclass(frozen=True)
class RecognisedLog:
    """Meaning of the columns of a table of interactions or searches.

    Attributes:
        columns: Columns by meaning.
        unused: Names of the other columns.
    """

    columns: InteractionColumns
    unused: tuple[str, ...]

    def describe(self, table: str) -> str:
        """One line for a person."""
        used = self.columns.model_dump(exclude_unset=True, exclude={*_TIME_KEYS, "context"})
        parts = [f"{meaning} = '{name}'" for meaning, name in used.items() if name is not None]
        if self.columns.context:
            parts.append(f"context = {quoted(self.columns.context)}")
        if self.columns.date_format is not None:
            parts.append(f"times as '{self.columns.date_format}'")
        if self.columns.timestamp_unit not in (None, "s"):
            parts.append(f"times in {self.columns.timestamp_unit}")
        if self.columns.timestamp is None and self.columns.position is None:
            parts.append("no times: the order of the rows is the order in time")
        unused = f"; not used: {quoted(self.unused)}" if self.unused else ""
        return f"{table}: {', '.join(parts)}{unused}"


def recognise_log(
    table: pa.Table, given: Mapping[str, Any] | None = None, *, name: str, needs_terms: bool = False
) -> RecognisedLog:
    """Recognise the columns of a table of interactions, or of searches (``needs_terms``).

    Args:
        given: Fields of :class:`~recsys.formats.InteractionColumns` that are known; the others are
            recognised. None as a value means that there is no such column.

    Raises:
        DataError: A column is missing, not recognised, or one of several equally likely ones.
        ConfigError: ``given`` has an unknown field.

    Example:
        >>> log = pa.table({"userId": [1], "movieId": [7], "at": [1_700_000_000_000]})
        >>> recognise_log(log, name="log").describe("log")
        "log: user = 'userId', item = 'movieId', timestamp = 'at', times in ms"
    """
    chosen = dict(given or {})
    known = parse_config(
        {key: value for key, value in chosen.items() if value is not None}, InteractionColumns
    )
    given_names = known.model_dump(exclude_unset=True, exclude=_TIME_KEYS)
    named = [*known.context, *(v for key, v in given_names.items() if key != "context")]
    require_columns(named, table.column_names, name)
    free = [column for column in table.column_names if column not in named]

    def find(meaning: str, ranks: Ranks) -> str | None:
        if meaning in chosen:
            return None
        column = find_column(ranks, free, table=name, meaning=meaning)
        if column is not None:
            free.remove(column)
            chosen[meaning] = column
        return column

    for meaning, ranks in (("user", USER_NAMES), ("item", ITEM_NAMES)):
        if find(meaning, ranks) is None and meaning not in chosen:
            raise _not_recognised(name, meaning, table.column_names)
    if find("terms", TERMS_NAMES) is None and needs_terms and "terms" not in chosen:
        raise _not_recognised(name, "terms", table.column_names)
    if "position" not in chosen and find("timestamp", TIME_NAMES) is None:
        _find_time_by_values(table, free, chosen, name)
    if chosen.get("timestamp") is None:
        find("position", POSITION_NAMES)
    elif not _TIME_KEYS & set(chosen):
        chosen |= time_keys_of(table[chosen["timestamp"]])
    if "event" not in chosen:
        kinds = [column for column in free if holds_kinds(table[column])]
        event = find_column(EVENT_NAMES, kinds, table=name, meaning="event")
        chosen |= {} if event is None else {"event": event}
    columns = parse_config({k: v for k, v in chosen.items() if v is not None}, InteractionColumns)
    used = set(columns.named().values())
    return RecognisedLog(columns, tuple(c for c in table.column_names if c not in used))


def time_keys_of(column: pa.ChunkedArray) -> dict[str, str]:
    """``date_format`` of dates in text or numbers such as 20240131, else ``timestamp_unit`` of
    numeric times since 1970, by their size; empty for seconds, ISO-8601 text and other types.
    """
    values = column.slice(0, SAMPLE).drop_null()
    if is_text(values.type):
        form = text_date_format(values)
        return {} if form is None else {"date_format": form}
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        return {}
    times = np.abs(values.to_numpy().astype(np.float64))
    times = times[np.isfinite(times)]
    if not len(times):
        return {}
    written = date_format_of(times)
    if written is not None:
        return {"date_format": written}
    middle = float(np.median(times))
    return next(({"timestamp_unit": unit} for least, unit in _UNITS if middle >= least), {})


def holds_dates(column: pa.ChunkedArray) -> bool:
    """Whether the values are dates or times, as a type or as ISO-8601 text."""
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return True
    if not is_text(column.type):
        return False
    values = column.slice(0, SAMPLE).drop_null()
    return bool(len(values)) and bool(pc.all(pc.match_substring_regex(values, _ISO_DATE)).as_py())


def holds_kinds(column: pa.ChunkedArray) -> bool:
    """Whether the values are a few kinds: texts, or whole numbers of which there are even fewer."""
    if not (is_text(column.type) or pa.types.is_integer(column.type)):
        return False
    values = column.slice(0, SAMPLE).drop_null()
    most = _MOST_KINDS if is_text(column.type) else _MOST_NUMBERS
    return 0 < len(pc.unique(values)) <= min(most, max(len(values) // 2, 1))


def _find_time_by_values(
    table: pa.Table, free: list[str], chosen: dict[str, Any], name: str
) -> None:
    """The only column of dates or times, if no name is known."""
    if "timestamp" in chosen:
        return
    found = [column for column in free if holds_dates(table[column])]
    if len(found) > 1:
        raise DataError(
            f"{name}: the columns {quoted(found)} all hold times; choose one with "
            f"{remedy(name, 'timestamp')}"
        )
    if found:
        free.remove(found[0])
        chosen["timestamp"] = found[0]


def _not_recognised(table: str, meaning: str, columns: Sequence[str]) -> DataError:
    return DataError(
        f"{table}: no column was recognised as the {meaning} (its columns: {quoted(columns)}); "
        f"name it with {remedy(table, meaning)}"
    )
