"""The report of a run: figures for machines, a Markdown page, a page with plots and pictures.

It computes nothing but differences between evaluations; it shows what it is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys.catalogue import Catalogue
from recsys.encoders import Exhibit
from recsys.errors import DataError, InvalidRequestError
from recsys.evaluation.evaluation import Evaluation, difference
from recsys.evaluation.plots import draw
from recsys.evaluation.record import record
from recsys.evaluation.rendering import COVERAGE_COLUMNS, coverage_rows, render
from recsys.evaluation.sheets import UserSheet, cards
from recsys.evaluation.thumbnails import data_url
from recsys.files import write_json, write_text

PACKAGE = "recsys.evaluation"
COLUMNS = ("recall", "hr", "ndcg", "mrr", "coverage", "cold_recall")
"""The metrics of the main table, each at the report's k."""


@dataclass(frozen=True, eq=False)
class Report:
    """All that a report shows.

    Attributes:
        name: What was run.
        command: How to run it again.
        seeds: Every seed that the figures rest on.
        evaluations: By scorer name; the first is the model, those whose name begins with its
            name the model asked in other ways, the others its baselines.
        protocol: The split's statement.
        figures: Further figures by full name: ``oracle.recall@10``, ``index.ann_recall@100``,
            ``seconds``.
        training: One line an epoch (or step): ``epoch``, losses, figures on validation.
        ingest: What ingestion kept, dropped and why.
        words: For each kind of text how many of its words the encoder knows: ``words``,
            ``known``, ``from_pieces``, ``share_with_a_vector``, ``most_frequent_without``.
        exhibits: Pictures that show what the encoders learned.
        sheets: Users whose history and recommendations are shown with pictures.
        catalogue: Titles and pictures for the sheets.
        notes: Sentences that a reader must know to read the figures right.

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
    ingest: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    exhibits: Sequence[Exhibit] = ()
    sheets: Sequence[UserSheet] = ()
    catalogue: Catalogue | None = None
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.evaluations:
            raise InvalidRequestError("a report needs at least one evaluation", field="evaluations")
        if self.sheets and self.catalogue is None:
            raise InvalidRequestError("sheets need the catalogue", field="catalogue")

    @property
    def model(self) -> str:
        """The name of the scorer that the report is about."""
        return next(iter(self.evaluations))

    @property
    def ks(self) -> list[int]:
        """The k for which every scorer has a recall, ascending."""
        found = [
            {int(name[7:]) for name in each.figures if re.fullmatch(r"recall@\d+", name)}
            for each in self.evaluations.values()
        ]
        return sorted(set.intersection(*found))

    @property
    def k(self) -> int:
        """The k of the main table: 10 where it was measured, else the smallest.

        Raises:
            DataError: The scorers have no recall at a common k.
        """
        if not self.ks:
            raise DataError("the evaluations share no recall@k; evaluate all with the same ks")
        return 10 if 10 in self.ks else self.ks[0]


def all_figures(report: Report) -> dict[str, float]:
    """Every figure by its full name: ``two_tower.recall@10``, ``index.ann_recall@100``, ...

    Raises:
        DataError: A further figure has the name of one that an evaluation measured.
    """
    own = {
        f"{scorer}.{metric}": value
        for scorer, result in report.evaluations.items()
        for metric, value in result.figures.items()
    }
    twice = sorted(own.keys() & report.figures.keys())
    if twice:
        raise DataError(f"figure '{twice[0]}' is given twice: by its evaluation and beside it")
    return {**own, **report.figures}


def summary(report: Report) -> list[dict[str, Any]]:
    """The main table, one dict a scorer in the order given, then the oracle where it is known.

    Keys: ``scorer``, each metric at the report's k (None where it was not measured), and ``low``,
    ``high``, the 95% interval of recall.
    """
    k, figures = report.k, all_figures(report)
    names = [*report.evaluations, *(["oracle"] if f"oracle.recall@{k}" in figures else [])]
    rows = []
    for name in names:
        result = report.evaluations.get(name)
        low, high = (result.intervals if result else {}).get(f"recall@{k}", (None, None))
        row: dict[str, Any] = {"scorer": name}
        row.update({f"{metric}@{k}": figures.get(f"{name}.{metric}@{k}") for metric in COLUMNS})
        rows.append({**row, "low": low, "high": high})
    return rows


def write_report(folder: Path, report: Report) -> None:
    """Write ``report.json``, ``report.md`` and ``report.html`` into a folder, each atomically.

    Raises:
        DataError: A figure is not finite or is given twice, or a part cannot be JSON.
    """
    ahead = _ahead(report)
    content = record(
        name=report.name,
        command=report.command,
        seeds=report.seeds,
        figures=all_figures(report),
        protocol=dict(report.protocol),
        evaluations={
            name: {
                "figures": dict(each.figures),
                "intervals": {metric: list(pair) for metric, pair in each.intervals.items()},
                "counts": dict(each.counts),
                "seconds": round(each.seconds, 3),
            }
            for name, each in report.evaluations.items()
        },
        ahead=ahead,
        training=[dict(line) for line in report.training],
        ingest=dict(report.ingest),
        words={texts: dict(found) for texts, found in report.words.items()},
        notes=list(report.notes),
    )
    shown = {
        "report": report,
        "record": content,
        "k": report.k,
        "ks": report.ks,
        "columns": COLUMNS,
        "word_columns": COVERAGE_COLUMNS,
        "rows": summary(report),
        "ahead": ahead,
        "protocol": _flat(report.protocol),
        "ingest": _flat(report.ingest),
        "words": coverage_rows(report.words),
        "machine": _flat(content["machine"]),
        "headline": _headline(report),
    }
    pictures = {
        "plots": draw(report),
        "exhibits": [(each.title, each.note, data_url(each.png)) for each in report.exhibits],
        "sheets": _sheets(report),
    }
    page = render(PACKAGE, "report.html.j2", {**shown, **pictures})
    text = render(PACKAGE, "report.md.j2", shown)
    write_text(folder / "report.html", page)
    write_text(folder / "report.md", text)
    write_json(folder / "report.json", content)


def _ahead(report: Report) -> dict[str, dict[str, float]]:
    """By how much the model's recall exceeds each baseline's, with that gap's interval."""
    metric = f"recall@{report.k}"
    model = report.evaluations[report.model]
    found = {}
    for name, other in report.evaluations.items():
        if name != report.model and metric in model.values and metric in other.values:
            gap, (low, high) = difference(model, other, metric)
            found[name] = {"by": gap, "low": low, "high": high}
    return found


def _headline(report: Report) -> list[dict[str, str]]:
    """The few figures that the page opens with."""
    k, figures, model = report.k, all_figures(report), report.model
    recall = figures[f"{model}.recall@{k}"]
    low, high = report.evaluations[model].intervals.get(f"recall@{k}", (recall, recall))
    shown = [(f"recall@{k}", f"{recall:.3f}", f"{model}; 95% {low:.3f} to {high:.3f}")]
    baselines = [name for name in report.evaluations if not name.startswith(model)]
    others = {name: figures[f"{name}.recall@{k}"] for name in baselines}
    best = max(others, key=lambda name: others[name], default=None)
    if best is not None and others[best] > 0:
        beside = f"{best}; {model} has {recall / others[best]:.1f} times that"
        shown.append(("best baseline", f"{others[best]:.3f}", beside))
    oracle = figures.get(f"oracle.recall@{k}")
    if oracle:
        shown.append(("of the oracle", f"{recall / oracle:.0%}", f"best possible is {oracle:.3f}"))
    cold, chance = (figures.get(f"{name}.cold_recall@{k}") for name in (model, "random"))
    if cold is not None:
        beside = f"{cold / chance:.1f} times chance" if chance else "among the cold items alone"
        shown.append((f"cold recall@{k}", f"{cold:.3f}", beside))
    for name, value in report.figures.items():
        if name.startswith("index.ann_recall@"):
            shown.append(
                (name.removeprefix("index."), f"{value:.3f}", "index against exact search")
            )
    if "seconds" in report.figures:
        shown.append(("seconds", f"{report.figures['seconds']:,.0f}", "the whole run"))
    return [{"name": name, "value": value, "note": note} for name, value, note in shown]


def _flat(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested entries as lines of (dotted name, text); long lists are cut, with their length."""
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


def _sheets(report: Report) -> list[dict[str, Any]]:
    catalogue = report.catalogue
    return [] if catalogue is None else [cards(sheet, catalogue) for sheet in report.sheets]
