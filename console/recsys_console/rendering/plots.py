"""Plots as SVG: lines and columns over time, bars per category, and small lines within text.

The drawings stretch to the width of the page. Labels are text of the page around the drawing, so
that they keep their size. Colours are those of console.css; no style is inline.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone

from markupsafe import Markup

from recsys_console.rendering.formats import number

WIDTH, HEIGHT = 600.0, 120.0
Values = Sequence[float | None]
Format = Callable[[float | None], str]


def line_plot(
    title: str, times: Sequence[float], series: Mapping[str, Values], *, unit: Format = number
) -> Markup:
    """Lines over time.

    Args:
        title: Title of the plot.
        times: Times of the points in seconds since 1970, ascending.
        series: Values of each line by its name; None leaves a gap.
        unit: Format of the values.
    """
    top = _ceiling(series.values())
    drawn = Markup("").join(
        Markup('<path class="line series-{}" d="{}"/>').format(at, _path(values, top))
        for at, values in enumerate(series.values(), 1)
    )
    return _figure(title, times, series, drawn, top, unit)


def column_plot(
    title: str, times: Sequence[float], series: Mapping[str, Values], *, unit: Format = number
) -> Markup:
    """Columns over time, those of several series on top of each other; arguments as of lines."""
    columns = list(zip(*series.values(), strict=True))
    top = _ceiling([[sum(value or 0.0 for value in column) for column in columns]])
    step = WIDTH / max(len(times), 1)
    drawn = []
    for position, column in enumerate(columns):
        below = 0.0
        for at, value in enumerate(column, 1):
            size = HEIGHT * (value or 0.0) / top
            below += size
            drawn.append(
                Markup(
                    '<rect class="column series-{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" '
                    'height="{:.1f}"/>'
                ).format(at, (position + 0.1) * step, HEIGHT - below, 0.8 * step, size)
            )
    return _figure(title, times, series, Markup("").join(drawn), top, unit)


def bar_plot(title: str, bars: Mapping[str, float], *, unit: Format = number) -> Markup:
    """Horizontal bars, one per category, as long as their values; none is negative."""
    top = max(bars.values(), default=0.0) or 1.0
    rows = Markup("").join(
        Markup(
            '<li><span class="bar-name">{}</span><svg class="bar" aria-hidden="true">'
            '<rect class="series-1" width="{:.1f}%" height="100%" rx="3"/></svg>'
            '<span class="bar-value">{}</span></li>'
        ).format(name, 100 * value / top, unit(value))
        for name, value in bars.items()
    )
    return Markup('<ul class="bars" aria-label="{}">{}</ul>').format(title, rows)


def spark(values: Values) -> Markup:
    """A small line within text, without labels."""
    return Markup(
        '<svg class="spark" viewBox="0 0 {:g} {:g}" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="line series-1" d="{}"/></svg>'
    ).format(WIDTH, HEIGHT, _path(values, _ceiling([values])))


def _figure(
    title: str,
    times: Sequence[float],
    series: Mapping[str, Values],
    drawn: Markup,
    top: float,
    unit: Format,
) -> Markup:
    key = Markup("").join(
        Markup('<li class="key series-{}">{}</li>').format(at, name)
        for at, name in enumerate(series, 1)
        if len(series) > 1
    )
    scale = Markup("").join(Markup("<span>{}</span>").format(unit(top * at)) for at in (1, 0.5, 0))
    return Markup(
        '<figure class="plot"><figcaption>{}<ul class="keys">{}</ul></figcaption>'
        '<div class="plot-area"><div class="plot-scale" aria-hidden="true">{}</div>'
        '<svg viewBox="0 0 {:g} {:g}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="grid" d="M0 0H{:g}M0 {:g}H{:g}M0 {:g}H{:g}"/>{}{}</svg></div>'
        '<div class="plot-times" aria-hidden="true">{}</div></figure>'
    ).format(
        *(title, key, scale, WIDTH, HEIGHT, _summary(title, series, unit)),
        *(WIDTH, HEIGHT / 2, WIDTH, HEIGHT, WIDTH),
        *(drawn, _points(times, series, unit), _times(times)),
    )


def _points(times: Sequence[float], series: Mapping[str, Values], unit: Format) -> Markup:
    """Invisible columns that show the values under the pointer."""
    step = WIDTH / max(len(times), 1)
    found = []
    for position, time in enumerate(times):
        values = ", ".join(f"{name} {unit(each[position])}" for name, each in series.items())
        found.append(
            Markup(
                '<rect class="point" x="{:.1f}" y="0" width="{:.1f}" height="{:g}"><title>{}'
                "</title></rect>"
            ).format(position * step, step, HEIGHT, f"{_clock(time)}: {values}")
        )
    return Markup("").join(found)


def _summary(title: str, series: Mapping[str, Values], unit: Format) -> str:
    latest = ", ".join(f"{name} {unit(each[-1])}" for name, each in series.items() if each)
    return f"{title}; latest: {latest or 'no values'}"


def _times(times: Sequence[float]) -> Markup:
    shown = [times[0], times[len(times) // 2], times[-1]] if len(times) > 2 else list(times)
    return Markup("").join(Markup("<span>{}</span>").format(_clock(each)) for each in shown)


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%H:%M")


def _ceiling(series: Iterable[Values]) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that no value exceeds."""
    largest = max((value for values in series for value in values if value is not None), default=0)
    if not math.isfinite(largest) or largest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    steps = (factor * power for factor in (1.0, 2.0, 2.5, 5.0))
    return next((step for step in steps if step >= largest), 10 * power)


def _path(values: Values, top: float) -> str:
    """The points of a line in the middle of their columns; a value without neighbours is a dot."""
    step = WIDTH / max(len(values), 1)
    parts, drawing = [], False
    for position, value in enumerate(values):
        if value is None or not math.isfinite(value):
            drawing = False
            continue
        x, y = (position + 0.5) * step, HEIGHT * (1 - value / top)
        parts.append(f"L{x:.1f} {y:.1f}" if drawing else f"M{x:.1f} {y:.1f}h0")
        drawing = True
    return "".join(parts)
