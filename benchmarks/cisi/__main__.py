"""``python -m benchmarks.cisi``: baselines, the choice of a setting, the queries answered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.cisi.baselines import GRID, Bm25, bm25, by_cosine
from benchmarks.cisi.collection import Collection, judge, quality, read_cisi
from benchmarks.cisi.towers import SETTINGS, Bench, Trained, pretrained
from recsys.cli.screen import Screen
from recsys.evaluation import Evaluation
from recsys.evaluation.bootstrap import bootstrap_intervals
from recsys.evaluation.record import write_record
from recsys.features import FeatureCache
from recsys.progress import Progress

RUNS, RESULT = Path("runs/cisi"), Path("benchmarks/results/cisi.json")
SEEDS = (1, 2, 3)
SHOWN = ("untrained", "bert_alone", "lsa_alone", "random_start")
"""Settings that answer the queries too, whatever was chosen: what each part of ours adds."""
Figures = dict[str, float]


def main() -> None:
    """Measure, write and print."""
    collection = read_cisi()
    with Screen() as screen:
        lexical = _bm25(collection)
        untrained = _untrained(collection, screen)
        trained = _trained(collection, screen)
        validation = {
            name: float(np.mean([each.validation for each in runs]))
            for name, runs in trained.items()
        }
        chosen = max(validation, key=lambda name: validation[name])
        asked = {"ours": chosen, **{f"ours_{each}": each for each in SHOWN}}
        ours = {
            name: [judge(collection, name, each.score) for each in trained[setting]]
            for name, setting in asked.items()
        }
    best = max(lexical.values(), key=lambda each: each.figures["ndcg@10"])
    means = [name for name in untrained if name.startswith("word_mean.")]
    top = max(means, key=lambda name: untrained[name].figures["ndcg@10"])
    rows = {"bm25": [best], "bm25_default": [lexical[Bm25()]], "word_mean": [untrained[top]]}
    rows |= {name: [result] for name, result in untrained.items()} | ours
    figures: Figures = {}
    for name, results in rows.items():
        figures |= _of(collection, name, results)
    figures |= _gaps(collection, ours["ours"], {"bm25": best, "bert": untrained["bert"]})
    write_record(
        RESULT,
        name="cisi",
        command="python -m benchmarks.cisi",
        seeds=SEEDS,
        figures=figures,
        documents=len(collection),
        queries={"judged": len(collection.queries), "unjudged": collection.unjudged},
        chosen=chosen,
        validation=validation,
        word_mean_is=top,
        bm25_grid=[
            {**asdict(each), **quality(collection, result)} for each, result in lexical.items()
        ],
    )
    _show(figures, validation, chosen)


def _bm25(collection: Collection) -> dict[Bm25, Evaluation]:
    """The whole grid on the queries themselves: the best of it is better than could be chosen."""
    return {each: judge(collection, "bm25", bm25(collection.whole, each)) for each in GRID}


def _untrained(collection: Collection, progress: Progress) -> dict[str, Evaluation]:
    cache = FeatureCache(RUNS / "features")
    return {
        name: judge(collection, name, score)
        for name, score in by_cosine(collection, cache, progress)
    }


def _trained(collection: Collection, progress: Progress) -> dict[str, list[Trained]]:
    bert = pretrained()
    benches = [Bench(collection, seed, RUNS, bert, progress) for seed in SEEDS]
    return {name: [bench.train(setting) for bench in benches] for name, setting in SETTINGS.items()}


def _of(collection: Collection, name: str, results: Sequence[Evaluation]) -> Figures:
    """Means over the seeds, and their standard deviation where there are several."""
    figures: Figures = {}
    measured = [quality(collection, result) for result in results]
    for metric in measured[0]:
        values = [each[metric] for each in measured]
        figures[f"cisi.{name}.{metric}"] = float(np.mean(values))
        if len(values) > 1:
            figures[f"cisi.{name}.{metric}.std"] = float(np.std(values, ddof=1))
    return figures


def _gaps(
    collection: Collection, ours: Sequence[Evaluation], others: dict[str, Evaluation]
) -> Figures:
    """By how much ours (the mean of its seeds, query by query) is better, with 95% intervals."""
    figures: Figures = {}
    for metric, key in (("ndcg@10", "ndcg@10"), ("map", f"map@{len(collection)}")):
        mean = np.mean([result.values[key] for result in ours], axis=0)
        for name, other in others.items():
            gap = (mean - other.values[key]).astype(np.float64)
            low, high = bootstrap_intervals({key: gap})[key]
            label = f"cisi.ours_minus_{name}.{metric}"
            figures |= {label: float(gap.mean()), f"{label}.low": low, f"{label}.high": high}
    return figures


def _show(figures: Figures, validation: dict[str, float], chosen: str) -> None:
    console = Console()
    table = Table("scorer", "nDCG@10", "MAP")
    names = [key.removesuffix(".map") for key in figures if key.endswith(".map")]
    gaps = [name for name in names if name.startswith("cisi.ours_minus")]
    for name in sorted(set(names) - set(gaps), key=lambda name: -figures[f"{name}.ndcg@10"]):
        cells: list[Any] = [name.removeprefix("cisi.")]
        for metric in ("ndcg@10", "map"):
            spread = figures.get(f"{name}.{metric}.std")
            shown = f"{figures[f'{name}.{metric}']:.4f}"
            cells.append(shown + (f" ± {spread:.4f}" if spread is not None else ""))
        table.add_row(*cells)
    console.print(table)
    table = Table("setting", "validation: a held-out title's body, MRR")
    for name in sorted(validation, key=lambda name: -validation[name]):
        table.add_row(name + (" (chosen)" if name == chosen else ""), f"{validation[name]:.4f}")
    console.print(table)


if __name__ == "__main__":
    main()
