"""The Jinja environment of the pages, and the addresses of static files."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from recsys_console.rendering.formats import FILTERS
from recsys_console.rendering.plots import bar_plot, column_plot, line_plot, spark
from recsys_console.rendering.quality_plots import difference_bar, interval_bars
from recsys_console.rendering.quality_words import figure_name, scorer_name, segment_badge

STATIC = Path(__file__).resolve().parent.parent / "static"


@functools.cache
def asset(name: str) -> str:
    """Address of a static file, with a digest, so that browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def create_environment(**values: Any) -> Environment:
    """The environment of the templates; ``values`` are known in all of them."""
    environment = Environment(
        loader=PackageLoader("recsys_console"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.filters.update(
        {each.__name__: each for each in (figure_name, scorer_name, segment_badge)}
    )
    drawn = (bar_plot, column_plot, difference_bar, interval_bars, line_plot, spark)
    plots = {each.__name__: each for each in drawn}
    environment.globals.update(asset=asset, formats=FILTERS, **plots, **values)
    return environment
