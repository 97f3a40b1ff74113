"""Test figures of ``docs/explanation/quality.md``, written from the record ``quality.json``.

``python -m benchmarks.quality.page`` writes them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.pages import bold, markdown_table, metric_title, read_record, update_page
from benchmarks.quality.datasets import DATA_SETS, DataSet
from benchmarks.quality.record import table_lines

PAGE, RESULT = Path("docs/explanation/quality.md"), Path("benchmarks/results/quality.json")
NAMES = {
    "ours": "**ours**",
    "ensemble": "ours, an ensemble of six",
    "als": "ALS (implicit)",
    "bpr": "BPR (implicit)",
    "item_knn": "item-kNN (implicit)",
    "ease": "EASE",
    "tfrs_tutorial": "TFRS' retrieval tutorial",
    "sasrec_rectools": "SASRec (RecTools)",
}


def write_page(record: Mapping[str, Any], page: Path = PAGE) -> None:
    """Write the tables of the page."""
    update_page(page, sections(record))


def sections(record: Mapping[str, Any]) -> dict[str, str]:
    """Tables of the page by name."""
    return {f"figures of {name}": _table(record, data) for name, data in DATA_SETS.items()}


def _table(record: Mapping[str, Any], data: DataSet) -> str:
    header = ["model", *map(metric_title, data.metrics), "minutes", "GiB"]
    return markdown_table(
        header,
        [
            [NAMES.get(model, model), *(bold(cells) if model == "ours" else cells)]
            for model, cells in table_lines(record, data.name, data.metrics)
        ],
    )


if __name__ == "__main__":
    write_page(read_record(RESULT))
