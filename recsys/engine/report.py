"""The figures of an evaluated run as a DataFrame, next to the report's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

SHOWN = ("recall", "hr", "ndcg", "mrr", "coverage", "cold_recall")


@dataclass(frozen=True, eq=False)
class EngineReport:
    """An evaluation on the test queries, shown as a table in a notebook.

    Attributes:
        record: Content of ``report.json``: all figures, with date, machine and seeds.
        folder: Folder of ``report.html``, ``report.md`` and ``report.json``.
        k: The k of the table that is shown.

    Example:
        >>> figures = {"two_tower.recall@10": 0.5, "random.recall@10": 0.1, "seconds": 2.0}
        >>> EngineReport({"figures": figures}, Path("runs/shop"), 10).figures
                   recall@10
        two_tower        0.5
        random           0.1
    """

    record: Mapping[str, Any]
    folder: Path
    k: int

    @property
    def figures(self) -> pd.DataFrame:
        """One row per scorer, the model first, and one column per metric; NaN where missing."""
        rows: dict[str, dict[str, float]] = {}
        for name, value in self.record["figures"].items():
            scorer, _, metric = name.rpartition(".")
            if "@" in metric and scorer and scorer != "index":
                rows.setdefault(scorer, {})[metric] = value
        return pd.DataFrame.from_dict(rows, orient="index")

    @property
    def html(self) -> Path:
        """The report as a page with plots and pictures."""
        return self.folder / "report.html"

    def __repr__(self) -> str:
        return f"{self._table().to_string(float_format=_figure)}\nreport: {self.html}"

    def _repr_html_(self) -> str:
        table: str = self._table().to_html(float_format=_figure)
        address = escape(self.html.resolve().as_uri(), quote=True)
        return f'{table}<p>Report: <a href="{address}">{escape(str(self.html))}</a></p>'

    def _table(self) -> pd.DataFrame:
        figures = self.figures
        wanted = [f"{metric}@{self.k}" for metric in SHOWN]
        return figures[[name for name in wanted if name in figures.columns]]


def _figure(value: float) -> str:
    return f"{value:.4f}"
