"""Times that are written as numbers or text: units, and formats of dates."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.tseries.api import guess_datetime_format

from recsys.formats.sources import TimestampUnit

PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DATES = (
    (19_000_101, 21_001_231, "%Y%m%d"),
    (190_001_010_000, 210_012_312_359, "%Y%m%d%H%M"),
    (19_000_101_000_000, 21_001_231_235_959, "%Y%m%d%H%M%S"),
)
"""Smallest and largest number of each format of dates that is written with digits only."""


@dataclass(frozen=True)
class TimeFormat:
    """How the times of a column are written.

    Attributes:
        unit: Unit of numbers since 1970; None where it is not configured.
        date_format: Format of all values, as of ``strptime``; None for ISO-8601 text.
        digits: Format of the numbers where they are dates, such as 20240131, and all other values
            are ISO-8601 text; None where numbers count units since 1970.

    Example:
        >>> TimeFormat().describe()
        "a number in 's' since 1970 or ISO-8601 text"
    """

    unit: TimestampUnit | None = None
    date_format: str | None = None
    digits: str | None = None

    def describe(self) -> str:
        """The expected values, in messages."""
        if self.digits is not None:
            return f"a date written as '{self.digits}' or ISO-8601 text"
        if self.date_format is not None:
            return f"a time written as date_format = '{self.date_format}'"
        return f"a number in '{self.unit or 's'}' since 1970 or ISO-8601 text"


def parsed_times(text: pa.ChunkedArray, times: TimeFormat) -> npt.NDArray[np.float64]:
    """Times in the unit of ``times`` since 1970, NaN where text is no time.

    Text without a time zone is UTC. The zone may also be written as " UTC", " GMT" or "[UTC]".
    """
    found = _moments(text, times.date_format or "ISO8601")
    odd = np.isnan(found)
    if times.date_format is None and odd.any():
        found[odd] = _moments(_iso_zones(text.filter(pa.array(odd))), "ISO8601")
    return found * PER_SECOND[times.unit or "s"]


def _moments(text: pa.ChunkedArray, written: str) -> npt.NDArray[np.float64]:
    """Seconds since 1970, NaN where text is not written as ``written``."""
    moments = pd.to_datetime(text.to_pandas(), format=written, utc=True, errors="coerce")
    seconds = moments.dt.tz_localize(None).to_numpy("datetime64[s]")
    return np.where(np.isnat(seconds), np.nan, seconds.astype(np.int64))


def _iso_zones(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text with the zone and the fraction of a second as in ISO-8601."""
    text = pc.replace_substring_regex(text, r"\s*([+-]\d{2}:?\d{2})\s*(?i:UTC|GMT)$", r"\1")
    text = pc.replace_substring_regex(text, r"Z?\s*\[?(?i:UTC|GMT)\]?$", "Z")
    return pc.replace_substring_regex(text, r"(:\d{2}),(\d+)", r"\1.\2")


def date_format_of(values: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> str | None:
    """The format in which most numbers are dates, such as 20240131; None where there is none.

    Example:
        >>> date_format_of(np.array([20240131, 20231224, 0])), date_format_of(np.array([20240132]))
        ('%Y%m%d', None)
    """
    values = values[~np.isnan(values)]
    for first, last, written in _DATES:
        inside = values[(values >= first) & (values <= last)]
        if 2 * len(inside) > len(values):
            distinct, counts = np.unique(inside, return_counts=True)
            are_dates = ~np.isnan(parsed_digits(distinct.astype(np.float64), written))
            return written if 2 * counts[are_dates].sum() > len(values) else None
    return None


def text_date_format(text: pa.ChunkedArray) -> str | None:
    """The format of ``strptime`` of all values; None for ISO-8601, and where day and month could
    be either.

    Example:
        >>> text_date_format(pa.chunked_array([["01/02/2024", "31/01/2024"]]))
        '%d/%m/%Y'
    """
    values = text.drop_null()
    if not len(values) or not np.isnan(_moments(values.slice(0, 1), "ISO8601")).any():
        return None
    known = {form for value in values.slice(0, 100).to_pylist() for form in _guesses(value)}
    fitting = [form for form in sorted(known) if not np.isnan(_moments(values, form)).any()]
    return fitting[0] if len(fitting) == 1 else None


def _guesses(value: str) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where the order of day and month is certain
        guesses = [guess_datetime_format(value, dayfirst=day_first) for day_first in (True, False)]
    return list(dict.fromkeys(each for each in guesses if each is not None))


def parsed_digits(
    values: npt.NDArray[np.int64] | npt.NDArray[np.float64], written: str
) -> npt.NDArray[np.float64]:
    """Seconds since 1970 of numbers that are dates written as ``written``; NaN for others."""
    found = np.full(len(values), np.nan)
    whole = np.isfinite(values) & (np.abs(values) < 2.0**53)
    whole[whole] = values[whole] % 1 == 0
    digits = pa.array(values[whole].astype(np.int64)).cast(pa.large_string())
    found[whole] = _moments(pa.chunked_array([digits]), written)
    return found


def remedy_of(value: str) -> str:
    """What helps to read a text that is no time.

    Example:
        >>> remedy_of("31/12/2024"), remedy_of("soon")
        ("set date_format = '%d/%m/%Y' if that is how it is written", 'fix it, or set date_format')
    """
    known = [f"date_format = '{each}'" for each in _guesses(value)]
    if not known:
        return "fix it, or set date_format"
    return f"set {' or '.join(known)} if that is how it is written"
