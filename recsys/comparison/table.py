"""The table of a comparison, built from its record for the command line and the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsys.comparison.scoring import SLICES, USAGES

HEADINGS = {"alone": "alone", "towers": "towers", "towers_without_ids": "no ids"}


@dataclass(frozen=True)
class TableColumn:
    """A column of one figure; its highest value is emphasised if ``marked``."""

    heading: str
    figure: str
    digits: int = 3
    marked: bool = True


@dataclass(frozen=True)
class TableEntry:
    """A variant's line: text per column, indices of the best cells, and reason of a failure."""

    label: str
    cells: tuple[str, ...]
    best: frozenset[int] = frozenset()
    failed: str = ""


def table_columns(content: Mapping[str, Any]) -> list[TableColumn]:
    """The columns of a comparison that at least one variant fills."""
    k = content["k"]
    columns = [
        TableColumn("dim", "dimension", 0, False),
        TableColumn("s/1,000", "encode_seconds_per_1000", 3, False),
        TableColumn("MB", "size_mb", 1, False),
    ]
    for name in content["probes"]:
        heading = name.replace(".", " ")
        columns.append(TableColumn(f"{heading} acc", f"probe.{name}.accuracy"))
        columns.append(TableColumn(f"{heading} AUC", f"probe.{name}.auc"))
    for usage in USAGES:
        columns += [
            TableColumn(f"{HEADINGS[usage]} {part}", f"{usage}.{part}.recall@{k}", 4)
            for part in SLICES
        ]
    filled = {figure for variant in content["variants"] for figure in variant["figures"]}
    return [column for column in columns if column.figure in filled]


def table_entries(content: Mapping[str, Any], columns: Sequence[TableColumn]) -> list[TableEntry]:
    """The variants in their order, after the majority class if there are probes."""
    figures = [variant["figures"] for variant in content["variants"]]
    best = {
        column.figure: max(each[column.figure] for each in figures if column.figure in each)
        for column in columns
        if column.marked
    }
    entries = [
        TableEntry(
            variant["label"],
            tuple(
                f"{found[column.figure]:.{column.digits}f}" if column.figure in found else ""
                for column in columns
            ),
            frozenset(
                at
                for at, column in enumerate(columns)
                if column.marked and found.get(column.figure) == best[column.figure]
            ),
            variant["failed"] or "",
        )
        for variant, found in zip(content["variants"], figures)
    ]
    majority = _majority(content, columns)
    return [majority, *entries] if any(majority.cells) else entries


def _majority(content: Mapping[str, Any], columns: Sequence[TableColumn]) -> TableEntry:
    """Scores of always predicting the most frequent value, for each probe."""
    known = {}
    for name, probe in content["probes"].items():
        known[f"probe.{name}.accuracy"] = f"{probe['majority']:.3f}"
        known[f"probe.{name}.auc"] = "0.500"
    return TableEntry("majority class", tuple(known.get(each.figure, "") for each in columns))
