"""Record of the ablations, and the tables of ``docs/explanation/quality.md`` written from it.

Variants whose options were removed from the code keep their entries in the record, which name the
last commit with the option. ``python -m benchmarks.ablations.page`` writes the tables again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pages import bold, markdown_table, metric_title, read_record, update_page
from benchmarks.quality.page import PAGE
from recsys.config import load_config
from recsys.evaluation.record import write_record
from recsys.files import lock
from recsys.tuning.config import VariantStudyConfig
from recsys.tuning.table import figure_cell, variant_lines

RESULT = Path("benchmarks/results/ablations.json")
STUDIES = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}
ON_VALIDATION = ("beauty", "gowalla", "gowalla-order", "movielens-1m", "movielens-1m-full")
"""Studies of the page, in its order."""
WARM, COLD = "recall_of_warm@10", "cold_recall@10"
IDS, CONTENT = ("ids", "ids-dropout"), "ids+words"
Record = Mapping[str, Any]


def merge(name: str, content: Record, path: Path = RESULT) -> dict[str, Any]:
    """Merge the content of a study into the record; entries of other variants stay."""
    with lock(path.parent / f".{path.name}.lock"):
        parts = dict(read_record(path)["parts"])
        for variant, entry in content["variants"].items():
            parts[f"{name}.{variant}"] = {**entry, "base": content["reference"]}
        figures = {
            f"{part}.{figure}": value
            for part, entry in parts.items()
            for figure, value in entry["figures"].items()
        }
        write_record(
            path,
            name="ablations",
            command="python -m benchmarks.ablations",
            seeds=sorted({seed for entry in parts.values() for seed in entry["seeds"]}),
            figures=dict(sorted({**figures, **_cold_figures(parts)}.items())),
            parts=dict(sorted(parts.items())),
        )
        return read_record(path)


def shown_variants(record: Record, name: str) -> dict[str, Any]:
    """Entries of a study by variant: those trained with the recorded base, and removed ones."""
    prefix = f"{name}."
    entries = {
        part.removeprefix(prefix): entry
        for part, entry in record["parts"].items()
        if part.startswith(prefix)
    }
    base = entries.get(_study(name).variants[0].name)
    if base is None:
        return {}
    return {
        variant: entry
        for variant, entry in entries.items()
        if entry["base"] == base["base"] or "last_commit" in entry
    }


def write_page(record: Record, page: Path = PAGE) -> None:
    """Write the tables of the page."""
    update_page(page, sections(record))


def sections(record: Record) -> dict[str, str]:
    """Tables of the page by name."""
    tables = {f"ablations of {name}": _table(record, name) for name in ON_VALIDATION}
    return {**tables, "cold items": _cold_table(record)}


def _table(record: Record, name: str) -> str:
    entries, study = shown_variants(record, name), _study(name)
    base = study.variants[0].name
    lines = []
    for variant, *cells in variant_lines(entries, study.metrics, reference=base):
        entry = entries[variant]
        description = entry["description"]
        if "last_commit" in entry:
            description += f"; removed, last in `{entry['last_commit']}`"
        if "stopped" in entry:
            description += f"; stopped: {entry['stopped']}"
        line = [f"`{variant}`", description, *cells]
        lines.append(bold(line) if variant == base else line)
    titles = map(metric_title, study.metrics)
    return markdown_table(
        ["variant", "description", *titles, "difference in std of the base", "minutes"], lines
    )


def _cold_table(record: Record) -> str:
    entries, figures = shown_variants(record, "cold"), record["figures"]
    lines = [
        [
            entry["description"],
            *(figure_cell(entry["figures"], metric) for metric in (WARM, COLD)),
            figure_cell(entry["figures"], "minutes", digits=1),
        ]
        for entry in sorted(entries.values(), key=lambda each: -each["figures"].get(WARM, -1))
    ]
    if f"cold.chance.{COLD}" in figures:
        lines.append(["chance", "", f"{figures[f'cold.chance.{COLD}']:.4f}", ""])
    header = ["inputs of the towers", "recall@10 of warm targets", "cold recall@10", "minutes"]
    table, gap = markdown_table(header, lines), figures.get("cold.no_loss")
    if gap is None:
        return table
    return (
        f"{table}\n\nRecall of warm targets with words is {gap:+.1f} standard deviations above that"
        " of ids only."
    )


def _cold_figures(parts: Record) -> dict[str, float]:
    """Cold recall of a random order, and the gain of words in recall of warm targets.

    The gain is in standard deviations, the root of the mean of both variances.
    """
    entries = {name: parts.get(f"cold.{name}", {"figures": {}}) for name in (*IDS, CONTENT)}
    content = entries[CONTENT]
    items = content["figures"].get("cold_items", content.get("cold_items", 0))
    figures = {f"cold.chance.{COLD}": min(1.0, 10 / items)} if items else {}
    if all(f"{WARM}.std" in entry["figures"] for entry in entries.values()):
        ids = [entries[name] for name in IDS]
        best = max(ids, key=lambda entry: float(np.mean(list(entry["validation"].values()))))
        spread = [entry["figures"][f"{WARM}.std"] for entry in (best, content)]
        pooled = float(np.sqrt(np.mean(np.square(spread))))
        gap = content["figures"][WARM] - best["figures"][WARM]
        if pooled > 0:
            figures["cold.no_loss"] = float(gap / pooled)
    return figures


def _study(name: str) -> VariantStudyConfig:
    return load_config(STUDIES[name], VariantStudyConfig)


if __name__ == "__main__":
    write_page(read_record(RESULT))
