"""The table of a comparison, from its record: for the command line and for the pages alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsys.comparison.scoring import COLUMNS, SLICES

HEADS = {"alone": "alone", "towers": "towers", "towers_without_ids": "no ids"}
COSTS = {"dimension": "dim", "encode_seconds_per_1000": "s/1,000", "size_mb": "MB"}


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        head: What stands above it.
        figure: The figure that it shows.
        digits: After the point.
        best: Whether the highest figure is worth marking.
    """

    head: str
    figure: str
    digits: int = 3
    best: bool = True


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        label: Its row's.
        cells: One text a column, "" where there is no figure.
        best: The places of the cells that no other row exceeds.
        failed: Why it has no figures, or "".
    """

    label: str
    cells: tuple[str, ...]
    best: frozenset[int] = frozenset()
    failed: str = ""


def columns_of(content: Mapping[str, Any]) -> list[Column]:
    """The columns of a comparison; those that no row fills are left out."""
    k = content["k"]
    columns = [
        Column(head, name, 3 if head == "s/1,000" else 0, False) for name, head in COSTS.items()
    ]
    columns[-1] = Column("MB", "size_mb", 1, False)
    for name in content["probes"]:
        asked = name.replace(".", " ")
        columns.append(Column(f"{asked} acc", f"probe.{name}.accuracy"))
        columns.append(Column(f"{asked} AUC", f"probe.{name}.auc"))
    for name in COLUMNS:
        columns += [
            Column(f"{HEADS[name]} {part}", f"{name}.{part}.recall@{k}", 4) for part in SLICES
        ]
    filled = {figure for row in content["rows"] for figure in row["figures"]}
    return [column for column in columns if column.figure in filled]


def lines_of(content: Mapping[str, Any], columns: Sequence[Column]) -> list[Line]:
    """The rows in their order; before them, where there are probes, what needs no vector."""
    highest = {
        column.figure: max(
            row["figures"].get(column.figure, float("-inf")) for row in content["rows"]
        )
        for column in columns
        if column.best
    }
    lines = []
    for row in content["rows"]:
        figures = row["figures"]
        cells = tuple(
            f"{figures[column.figure]:.{column.digits}f}" if column.figure in figures else ""
            for column in columns
        )
        best = frozenset(
            place
            for place, column in enumerate(columns)
            if figures.get(column.figure) == highest.get(column.figure, object())
        )
        lines.append(Line(row["label"], cells, best, row["failed"] or ""))
    chance = _chance(content, columns)
    return [chance, *lines] if any(chance.cells) else lines


def _chance(content: Mapping[str, Any], columns: Sequence[Column]) -> Line:
    """What naming the most frequent value reaches, under each probe."""
    known = {}
    for name, probe in content["probes"].items():
        known[f"probe.{name}.accuracy"] = f"{probe['majority']:.3f}"
        known[f"probe.{name}.auc"] = "0.500"
    return Line("majority class", tuple(known.get(column.figure, "") for column in columns))
