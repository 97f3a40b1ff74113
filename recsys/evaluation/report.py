"""The report of a run: figures as JSON, a Markdown page, and an HTML page with plots and pictures.

Differences between evaluations are computed here; everything else is shown as given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys.catalogue import Catalogue
from recsys.encoders import Illustration
from recsys.errors import DataError, InvalidRequestError
from recsys.evaluation.evaluation import Evaluation, difference
from recsys.evaluation.plots import draw_plots
from recsys.evaluation.record import record
from recsys.evaluation.rendering import (
    COVERAGE_COLUMNS,
    SCRIPT_COLUMNS,
    coverage_rows,
    render,
    script_rows,
)
from recsys.evaluation.sheets import UserSheet, sheet_view
from recsys.evaluation.thumbnails import data_url
from recsys.files import write_json, write_text

PACKAGE = "recsys.evaluation"
COLUMNS = ("recall", "hr", "ndcg", "mrr", "coverage", "cold_recall")
"""Metrics of the main table, each at the report's k."""


@dataclass(frozen=True, eq=False)
class Report:
    """Content of a report.

    Attributes:
        name: Name of the run.
        command: Command that reproduces it.
        seeds: All seeds that the figures depend on.
        evaluations: Evaluations by scorer. The first is the model; those whose name begins with the
            model's name are the model with other queries; the rest are baselines.
        protocol: Statement of the split.
        figures: Further figures by full name: ``oracle.recall@10``, ``index.ann_recall@100``,
            ``seconds``.
        training: Figures per epoch or step: ``epoch``, losses, figures on validation.
        data: Lines about the data: rows that were read and left out, values read as missing. A line
            that begins with blanks belongs to the one before it.
        ingest: Report of the ingestion, for ``report.json``.
        words: Coverage of the words, by kind of text.
        illustrations: Illustrations that the encoders left.
        sheets: Users whose history and recommendations are shown with pictures.
        catalogue: Titles and pictures for the sheets.
        index: Facts of the index of each space; those with a curve are drawn.
        notes: Sentences that help to read the figures.
        feed: Content of ``feeds.json``, which an evaluation of the run's feed left; empty without.

    Example:
        >>> found = {"two_tower": Evaluation("two_tower", {"recall@10": 0.5}, {}, {}, {}, 0.1)}
        >>> summary(Report("demo", "make demo", [1], found, {"name": "fixed"}))[0]["recall@10"]
        0.5
    """

    name: str
    command: str
    seeds: Sequence[int]
    evaluations: Mapping[str, Evaluation]
    protocol: Mapping[str, Any]
    figures: Mapping[str, float] = field(default_factory=dict)
    training: Sequence[Mapping[str, float]] = ()
    data: Sequence[str] = ()
    ingest: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    illustrations: Sequence[Illustration] = ()
    sheets: Sequence[UserSheet] = ()
    catalogue: Catalogue | None = None
    index: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    feed: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.evaluations:
            raise InvalidRequestError("a report needs at least one evaluation", field="evaluations")
        if self.sheets and self.catalogue is None:
            raise InvalidRequestError("sheets need the catalogue", field="catalogue")

    @property
    def model(self) -> str:
        """Name of the scorer that the report is about."""
        return next(iter(self.evaluations))

    @property
    def ks(self) -> list[int]:
        """Values of k for which every scorer has a recall, ascending."""
        found = [
            {int(name[7:]) for name in each.figures if re.fullmatch(r"recall@\d+", name)}
            for each in self.evaluations.values()
        ]
        return sorted(set.intersection(*found))

    @property
    def k(self) -> int:
        """The k of the main table: 10 if it was measured, else the smallest."""
        if not self.ks:
            raise DataError("the evaluations share no recall@k; evaluate all with the same ks")
        return 10 if 10 in self.ks else self.ks[0]


def all_figures(report: Report) -> dict[str, float]:
    """All figures by full name: ``two_tower.recall@10``, ``index.ann_recall@100``, ..."""
    measured = {
        f"{scorer}.{metric}": value
        for scorer, result in report.evaluations.items()
        for metric, value in result.figures.items()
    }
    twice = sorted(measured.keys() & report.figures.keys())
    if twice:
        raise DataError(f"figure '{twice[0]}' is given twice: by its evaluation and in figures")
    return {**measured, **report.figures}


def summary(report: Report) -> list[dict[str, Any]]:
    """The main table: one dict per scorer in the given order, then the oracle if known.

    Keys: ``scorer``; each metric at the report's k, None if it was not measured; ``low`` and
    ``high``, the 95% interval of recall.
    """
    k, figures = report.k, all_figures(report)
    names = [*report.evaluations, *(["oracle"] if f"oracle.recall@{k}" in figures else [])]
    entries = []
    for name in names:
        result = report.evaluations.get(name)
        low, high = (result.intervals if result else {}).get(f"recall@{k}", (None, None))
        metrics = {f"{metric}@{k}": figures.get(f"{name}.{metric}@{k}") for metric in COLUMNS}
        entries.append({"scorer": name, **metrics, "low": low, "high": high})
    return entries


def slices(report: Report) -> list[dict[str, Any]]:
    """The table of slices: one dict per slice of the targets with a figure.

    Keys: ``slice``, its name; ``queries``, the number of queries with such targets; ``recalls``,
    recall at the report's k per scorer, None where it was not measured.
    """
    k, model = report.k, report.evaluations[report.model]
    names = [
        found[1] for name in model.figures if (found := re.fullmatch(rf"recall_of_(.+)@{k}", name))
    ]
    return [
        {
            "slice": name,
            "queries": model.counts.get(f"{name}_queries"),
            "recalls": [
                each.figures.get(f"recall_of_{name}@{k}") for each in report.evaluations.values()
            ],
        }
        for name in names
    ]


def write_report(folder: Path, report: Report) -> dict[str, Any]:
    """Write ``report.json``, ``report.md`` and ``report.html`` into a folder, each atomically.

    The result is the content of ``report.json``.
    """
    differences = _differences(report)
    content = record(
        name=report.name,
        command=report.command,
        seeds=report.seeds,
        figures=all_figures(report),
        protocol=dict(report.protocol),
        evaluations={name: each.as_json() for name, each in report.evaluations.items()},
        differences=differences,
        training=[dict(line) for line in report.training],
        data=list(report.data),
        ingest=dict(report.ingest),
        words={texts: dict(found) for texts, found in report.words.items()},
        notes=list(report.notes),
    )
    values = {
        "report": report,
        "record": content,
        "k": report.k,
        "ks": report.ks,
        "columns": COLUMNS,
        "word_columns": COVERAGE_COLUMNS,
        "entries": summary(report),
        "slices": slices(report),
        "differences": differences,
        "protocol": _flat(report.protocol),
        "words": coverage_rows(report.words),
        "script_columns": SCRIPT_COLUMNS,
        "scripts": script_rows(report.words),
        "machine": _flat(content["machine"]),
    }
    text = render(PACKAGE, "report.md.j2", values)
    plots = draw_plots(
        report.evaluations,
        ks=report.ks,
        k=report.k,
        figures=report.figures,
        training=report.training,
        index=report.index,
    )
    pictures = {
        "headline": list(_headline(report)),
        "plots": plots,
        "illustrations": [
            (each.title, each.caption, data_url(each.png)) for each in report.illustrations
        ],
        "sheets": [
            sheet_view(sheet, report.catalogue) for sheet in report.sheets if report.catalogue
        ],
    }
    page = render(PACKAGE, "report.html.j2", {**values, **pictures})
    write_text(folder / "report.html", page)
    write_text(folder / "report.md", text)
    write_json(folder / "report.json", content)
    return content


def _differences(report: Report) -> dict[str, dict[str, float]]:
    """Difference of the model's recall and each other scorer's, with its interval."""
    metric, model = f"recall@{report.k}", report.evaluations[report.model]
    found = {}
    for name, other in report.evaluations.items():
        if name != report.model and metric in model.values and metric in other.values:
            mean, (low, high) = difference(model, other, metric)
            found[name] = {"difference": mean, "low": low, "high": high}
    return found


def _headline(report: Report) -> Iterator[tuple[str, str, str]]:
    """Name, value and note of the main figures."""
    k, figures, model = report.k, all_figures(report), report.model
    recall = figures[f"{model}.recall@{k}"]
    low, high = report.evaluations[model].intervals.get(f"recall@{k}", (recall, recall))
    yield f"recall@{k}", f"{recall:.3f}", f"{model}; 95% {low:.3f} to {high:.3f}"
    baselines = [name for name in report.evaluations if not name.startswith(model)]
    recalls = {name: figures[f"{name}.recall@{k}"] for name in baselines}
    best = max(recalls, key=lambda name: recalls[name], default=None)
    if best is not None and recalls[best] > 0:
        note = f"{best}; {model} has {recall / recalls[best]:.1f} times that"
        yield "best baseline", f"{recalls[best]:.3f}", note
    oracle = figures.get(f"oracle.recall@{k}")
    if oracle:
        yield "share of the oracle", f"{recall / oracle:.0%}", f"best possible is {oracle:.3f}"
    cold, chance = (figures.get(f"{name}.cold_recall@{k}") for name in (model, "random"))
    if cold is not None:
        note = f"{cold / chance:.1f} times chance" if chance else "among the cold items"
        yield f"cold recall@{k}", f"{cold:.3f}", note
    for name, value in report.figures.items():
        if name.startswith("index.ann_recall@"):
            yield name.removeprefix("index."), f"{value:.3f}", "index compared with exact search"
    if "seconds" in report.figures:
        yield "seconds", f"{report.figures['seconds']:,.0f}", "the whole run"


def _flat(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested entries as (dotted name, text); long lists are abbreviated."""
    lines: list[tuple[str, str]] = []
    for key, value in content.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            lines += _flat(value, f"{name}.")
        elif isinstance(value, (list, tuple)):
            more = f", ... ({len(value)} in all)" if len(value) > 5 else ""
            lines.append((name, ", ".join(map(str, value[:5])) + more))
        elif isinstance(value, int) and not isinstance(value, bool):
            lines.append((name, f"{value:,}"))
        else:
            lines.append((name, "" if value is None else str(value)))
    return lines
