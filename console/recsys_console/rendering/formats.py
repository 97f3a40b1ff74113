"""Numbers, times and shares as people read them; filters of the templates."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from urllib.parse import urlencode


def number(value: float | None) -> str:
    """A number with thousands separators and as many decimals as its size needs.

    Example:
        >>> number(1234567), number(29.04), number(0.12345), number(None)
        ('1,234,567', '29.04', '0.123', '–')
    """
    if value is None:
        return "–"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) < 1:
        return f"{value:.3g}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """A share as a percentage.

    Example:
        >>> percent(0.1234), percent(1.0)
        ('12.3%', '100%')
    """
    return "–" if share is None else f"{100 * share:.3g}%"


def duration(seconds: float | None) -> str:
    """A span of time in the unit that fits.

    Example:
        >>> duration(0.0123), duration(75), duration(7200), duration(3 * 86400)
        ('12.3 ms', '1 min 15 s', '2 h', '3 d')
    """
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    for unit, size, smaller, step in (("min", 60, "s", 1), ("h", 3600, "min", 60)):
        if seconds < 60 * size * (1 if unit == "min" else 24 / 60):
            whole, rest = divmod(int(seconds), size)
            return f"{whole} {unit}" + (f" {rest // step} {smaller}" if rest // step else "")
    return f"{int(seconds // 86400)} d"


def moment(seconds: float | None) -> str:
    """A time in seconds since 1970, in UTC.

    Example:
        >>> moment(1704067200)
        '2024-01-01 00:00 UTC'
    """
    if seconds is None:
        return "–"
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def iso(seconds: float) -> str:
    """A time in seconds since 1970 as the attribute of a ``<time>``.

    Example:
        >>> iso(1704067200)
        '2024-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(seconds: float | None) -> str:
    """Time since a moment, in seconds since 1970."""
    if seconds is None:
        return "–"
    past = time.time() - seconds
    if past < 5:
        return "just now"
    words = duration(float(int(past))).split()
    return f"{' '.join(words[:2])} ago"


def byte_size(count: float) -> str:
    """A number of bytes in the unit that fits.

    Example:
        >>> byte_size(900), byte_size(2_500_000)
        ('900 B', '2.5 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def item_href(item_id: str) -> str:
    """Address of the page of an item, whatever its id holds.

    Example:
        >>> item_href("a/b?")
        '/items/item?id=a%2Fb%3F'
    """
    return f"/items/item?{urlencode({'id': item_id})}"


def user_href(user_id: str) -> str:
    """Address of the page of a user."""
    return f"/users/user?{urlencode({'id': user_id})}"


def picture_src(item_id: str, size: int = 256) -> str:
    """Address of the picture of an item, of at most ``size`` pixels."""
    return f"/pictures?{urlencode({'id': item_id, 'size': size})}"


FILTERS = {
    "item_href": item_href,
    "picture_src": picture_src,
    "user_href": user_href,
    "number": number,
    "percent": percent,
    "duration": duration,
    "moment": moment,
    "iso": iso,
    "ago": ago,
    "byte_size": byte_size,
}
