"""Plots of figures: bars with intervals, differences around zero, and curves over epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 600.0, 120.0


@dataclass(frozen=True)
class Bar:
    """A bar.

    Attributes:
        name: Name.
        value: Length, at least 0.
        interval: Bounds of its interval, or None.
        series: Number of its colour, from 1 to 6.

    Example:
        >>> Bar("Popularity", 0.1).series
        1
    """

    name: str
    value: float
    interval: tuple[float, float] | None = None
    series: int = 1


def interval_bars(title: str, bars: Sequence[Bar], *, top: float = 0.0) -> Markup:
    """Horizontal bars with whiskers.

    Args:
        title: Title for readers of screens.
        bars: Bars.
        top: Value of a bar of the full width; 0 for the largest bound.
    """
    largest = top or max((_high(bar) for bar in bars), default=0.0) or 1.0
    rows = Markup("").join(_row(bar, largest) for bar in bars)
    return Markup('<ul class="bars" aria-label="{}">{}</ul>').format(title, rows)


def _high(bar: Bar) -> float:
    return bar.value if bar.interval is None else max(bar.interval[1], bar.value)


def _row(bar: Bar, top: float) -> Markup:
    whisker, text = Markup(""), f"{bar.value:.3f}"
    if bar.interval is not None:
        low, high = (100 * bound / top for bound in bar.interval)
        whisker = Markup(
            '<line class="whisker" x1="{0:.2f}%" x2="{1:.2f}%" y1="50%" y2="50%"/>'
            '<line class="whisker" x1="{0:.2f}%" x2="{0:.2f}%" y1="20%" y2="80%"/>'
            '<line class="whisker" x1="{1:.2f}%" x2="{1:.2f}%" y1="20%" y2="80%"/>'
        ).format(low, high)
    return Markup(
        '<li title="{}"><span class="bar-name">{}</span><svg class="bar bar-high" '
        'aria-hidden="true"><rect class="series-{}" width="{:.2f}%" height="100%" rx="3"/>{}</svg>'
        '<span class="bar-value">{}</span></li>'
    ).format(_words(bar), bar.name, bar.series, 100 * bar.value / top, whisker, text)


def _words(bar: Bar) -> str:
    if bar.interval is None:
        return f"{bar.name}: {bar.value:.4f}"
    return f"{bar.name}: {bar.value:.4f}, 95% {bar.interval[0]:.4f} to {bar.interval[1]:.4f}"


def difference_bar(value: float, interval: tuple[float, float] | None, *, top: float) -> Markup:
    """A difference around zero, in the middle, with its interval; ``top`` is half the width."""
    scale = 50 / (top or 1.0)
    left, width = (50.0, value * scale) if value >= 0 else (50 + value * scale, -value * scale)
    whisker = Markup("")
    if interval is not None:
        low, high = (50 + bound * scale for bound in interval)
        whisker = Markup(
            '<line class="whisker" x1="{:.2f}%" x2="{:.2f}%" y1="50%" y2="50%"/>'
        ).format(low, high)
    kind = "more" if value >= 0 else "less"
    return Markup(
        '<svg class="difference" aria-hidden="true"><line class="zero" x1="50%" x2="50%" y1="0" '
        'y2="100%"/><rect class="{}" x="{:.2f}%" y="25%" width="{:.2f}%" height="50%"/>{}</svg>'
    ).format(kind, left, width, whisker)


def curve_plot(title: str, values: Mapping[int, float]) -> Markup:
    """A line over the numbers of epochs, between its smallest and its largest value."""
    numbers = sorted(values)
    low, high = min(values.values()), max(values.values())
    span, first = (high - low) or 1.0, numbers[0]
    width = max(numbers[-1] - first, 1)
    points = [
        (WIDTH * (number - first) / width, HEIGHT * (1 - (values[number] - low) / span))
        for number in numbers
    ]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "h0"
    step = WIDTH / len(numbers)
    hits = Markup("").join(
        Markup(
            '<rect class="point" x="{:.1f}" y="0" width="{:.1f}" height="{:g}"><title>{}</title>'
            "</rect>"
        ).format(max(0.0, x - step / 2), step, HEIGHT, f"epoch {number}: {values[number]:.4g}")
        for (x, _), number in zip(points, numbers)
    )
    ends = values[first], values[numbers[-1]]
    latest = f"{title}: {ends[0]:.4g} in epoch {first}, {ends[1]:.4g} in epoch"
    scale = Markup("").join(
        Markup("<span>{:.4g}</span>").format(at) for at in (high, (low + high) / 2, low)
    )
    return Markup(
        '<figure class="plot"><figcaption>{}</figcaption><div class="plot-area">'
        '<div class="plot-scale" aria-hidden="true">{}</div><svg viewBox="0 0 {:g} {:g}" '
        'preserveAspectRatio="none" role="img" aria-label="{} {}">'
        '<path class="grid" d="M0 0H{:g}M0 {:g}H{:g}M0 {:g}H{:g}"/>'
        '<path class="line series-1" d="{}"/>{}</svg></div>'
        '<div class="plot-times" aria-hidden="true"><span>epoch {}</span><span>epoch {}</span>'
        "</div></figure>"
    ).format(
        *(title, scale, WIDTH, HEIGHT, latest, numbers[-1]),
        *(WIDTH, HEIGHT / 2, WIDTH, HEIGHT, WIDTH),
        *(path, hits, first, numbers[-1]),
    )
