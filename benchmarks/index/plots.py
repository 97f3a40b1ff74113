"""Plots of the record: speed at a recall, filters, and growth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from benchmarks.index.figures import cells_of
from benchmarks.index.peers.libraries import PEERS
from benchmarks.index.peers.search_tuning import TARGETS
from recsys.evaluation.plots import COLOURS, GRID, STYLE

Record = Mapping[str, Any]
OURS = "ours"
COLOUR_OF = {OURS: COLOURS[0], **dict(zip(PEERS, COLOURS[1:]))}
TITLES = {"r95": "recall@10 ≥ .95", "r99": "recall@10 ≥ .99", "r99k100": "recall@100 ≥ .99"}


def draw(record: Record, folder: Path) -> None:
    """Write the plots as PNG next to the record."""
    plots = {"index-speed": _speed, "index-filters": _filters, "index-growth": _growth}
    for name, paint in plots.items():
        if name.removeprefix("index-") not in record:
            continue
        with rc_context(STYLE):
            paint(record).savefig(folder / f"{name}.png", dpi=110, metadata={"Software": None})


def _speed(record: Record) -> Figure:
    """Queries per second of each index, a row per data set and a column per target."""
    names = [name for name in record["speed"] if not name.endswith("-200000")]
    figure = Figure(figsize=(11, 2.2 * len(names)), layout="constrained")
    grid: Any = figure.subplots(len(names), len(TARGETS), squeeze=False)
    for line, name in zip(grid, names):
        for axes, target in zip(line, TARGETS):
            results = record["speed"][name]["targets"][target.name]
            rates = {each: results[each]["batched_qps"] for each in COLOUR_OF if each in results}
            order = sorted(rates, key=lambda each: rates[each])
            colours = [COLOUR_OF[each] for each in order]
            axes.barh(order, [rates[each] for each in order], color=colours)
            axes.set_title(f"{title(name)}, {TITLES[target.name]}", loc="left", fontsize=9)
            axes.xaxis.set_major_formatter(EngFormatter(sep=""))
            axes.grid(axis="x", color=GRID)
            axes.set_axisbelow(True)
    for axes in grid[-1]:
        axes.set_xlabel("queries per second, batched, one core")
    return figure


def _filters(record: Record) -> Figure:
    """Recall@10 and median latency per filter, a row per distribution."""
    section = record["filters"]
    figure = Figure(figsize=(11, 3.8 * len(section)), layout="constrained")
    grid: Any = figure.subplots(len(section), 2, squeeze=False)
    for line, (name, parts) in zip(grid, section.items()):
        series = {OURS: cells_of(parts["ours 0.99"])}
        series |= {peer: cells_of(cells) for peer, cells in parts["peers"].items() if peer in PEERS}
        filters = [cell.removesuffix(", 10") for cell in series[OURS] if cell.endswith(", 10")]
        for axes, figure_name, scale in zip(line, ("recall", "p50_us"), (1.0, 1e-3)):
            for each, cells in series.items():
                values = [scale * cells[f"{cell}, 10"][_key(each, figure_name)] for cell in filters]
                axes.plot(filters, values, "o-", color=COLOUR_OF[each], label=each, markersize=4)
            axes.set_xticks(
                range(len(filters)), [cell.replace(" and ", "\nand ") for cell in filters]
            )
            axes.tick_params(axis="x", rotation=90)
            axes.grid(axis="y", color=GRID)
        line[0].set_title(f"{title(name)}: recall@10 with filters", loc="left")
        line[1].set_title("median latency, ms", loc="left")
        line[1].set_yscale("log")
        line[0].legend(loc="lower left")
    return figure


def _key(series: str, name: str) -> str:
    return f"ours_{name}" if series == OURS and name == "p50_us" else name


def _growth(record: Record) -> Figure:
    """Build, memory and speed over the number of rows."""
    section = record["growth"]
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    panels: Any = figure.subplots(1, 3)
    sizes = [int(size) for size in section if size.isdigit()]
    ours = [section[str(size)] for size in sizes]
    peer = [(size, each["hnswlib"]) for size, each in zip(sizes, ours) if "hnswlib" in each]
    lines: Sequence[tuple[Axes, str, Sequence[float], Sequence[float]]] = (
        (
            panels[0],
            "build with tuning, seconds",
            [each["build"]["build_seconds"] for each in ours],
            [each["build_seconds"] for _, each in peer],
        ),
        (
            panels[1],
            "memory with the vectors, bytes",
            [each["memory_bytes"] + each["vectors_bytes"] for each in ours],
            [each["memory_bytes"] for _, each in peer],
        ),
        (
            panels[2],
            "queries per second, recall@10 of .95",
            [each["batched_qps"] for each in ours],
            [each["batched_qps"] for _, each in peer],
        ),
    )
    for axes, name, own, other in lines:
        axes.plot(sizes, own, "o-", color=COLOUR_OF[OURS], label=OURS)
        axes.plot(
            [size for size, _ in peer], other, "o-", color=COLOUR_OF["hnswlib"], label="hnswlib"
        )
        axes.set(xscale="log", yscale="log", xlabel="rows")
        axes.set_title(name, loc="left", fontsize=9)
        axes.grid(color=GRID)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_xticks(np.array(sizes))
        axes.minorticks_off()
    panels[0].legend()
    return figure


def title(name: str) -> str:
    """A data set's name in titles: ``clustered, 1,000,000`` of ``clustered-1000000``."""
    kind, _, items = name.partition("-")
    return f"{kind}, {int(items):,} rows" if items else f"{kind.capitalize()}, 40,981 rows"
