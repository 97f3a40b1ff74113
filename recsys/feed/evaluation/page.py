"""The page of an evaluated feed: tables of its stages, and feeds as a person sees them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recsys.catalogue import Catalogue
from recsys.evaluation.rendering import render
from recsys.evaluation.sheets import thumbnail_url
from recsys.feed.evaluation.evaluating import FeedEvaluation, SampleFeed
from recsys.files import write_json, write_text

PAGE, FIGURES = "feeds.html", "feeds.json"
_SHOWN, _HISTORY = 12, 8
_MEANINGS = {
    "diversity": "mean of 1 - cosine over the pairs of a feed",
    "novelty": "mean of -log2 of the items' shares of the interactions, in bits",
    "serendipity": "share of a feed that is a target which the most popular items lack",
    "head_share": "share of a feed that is in the head: a third of the interactions",
    "calibration": "divergence of the attribute's distribution from that of the history; 0 is best",
    "coverage": "share of the catalogue that is in any feed",
    "gini": "inequality of how often the items are shown; 0 is equal",
}


def write_feed_page(folder: Path, evaluation: FeedEvaluation, catalogue: Catalogue) -> None:
    """Write ``feeds.html`` and ``feeds.json`` into a folder, each atomically."""
    values = {
        "evaluation": evaluation,
        "columns": list(_columns(evaluation)),
        "sources": [each for each in evaluation.stages if each.role == "source"],
        "stages": [each for each in evaluation.stages if each.role != "source"],
        "variety": [
            (name, value, interval, _MEANINGS[name.split("@")[0]])
            for name, (value, interval) in evaluation.variety.items()
        ],
        "feeds": [_view(sample, catalogue) for sample in evaluation.samples],
        "shown": _SHOWN,
    }
    write_text(folder / PAGE, render("recsys.feed.evaluation", "feeds.html.j2", values))
    write_json(folder / FIGURES, evaluation.as_json())


def _columns(evaluation: FeedEvaluation) -> Iterator[str]:
    yield "found"
    for k in evaluation.ks:
        yield from (f"recall@{k}", f"ndcg@{k}")


def _view(sample: SampleFeed, catalogue: Catalogue) -> dict[str, Any]:
    """A feed as plain values for the template, which escapes the titles."""
    targets = set(sample.targets.tolist())
    rows = sample.rows.tolist()[:_SHOWN]
    history = sample.history.tolist()[-_HISTORY:]
    return {
        "history": [_tile(row, catalogue) for row in history],
        "length": len(sample.history),
        "items_": [
            _tile(row, catalogue)
            | {
                "hit": row in targets,
                "position": item.position,
                "sources": ", ".join(item.sources) or "given",
                "slot": "" if item.slot == "ranked" else item.slot,
                "propensity": "" if item.propensity == 1 else f"{item.propensity:.3g}",
            }
            for row, item in zip(rows, sample.items)
        ],
        "targets": [catalogue.titles()[row] for row in sample.targets.tolist()],
    }


def _tile(row: int, catalogue: Catalogue) -> dict[str, Any]:
    return {"title": catalogue.titles()[row], "picture": thumbnail_url(catalogue, row)}
