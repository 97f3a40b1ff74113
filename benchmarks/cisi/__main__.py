"""``python -m benchmarks.cisi``: baselines, choice of a setting, one evaluation on the queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.cisi.baselines import GRID, Bm25, bm25, by_cosine
from benchmarks.cisi.collection import Collection, evaluate_search, quality, read_cisi
from benchmarks.cisi.towers import SETTINGS, DocumentSplit, pretrained
from recsys.cli.output import print_table
from recsys.evaluation import Evaluation
from recsys.evaluation.bootstrap import bootstrap_intervals
from recsys.evaluation.record import write_record
from recsys.features import FeatureCache
from recsys.screen import Screen
from recsys.tuning.table import figure_cell, means

RUNS, RESULT = Path("runs/cisi"), Path("benchmarks/results/cisi.json")
SEEDS = (1, 2, 3)
ALSO_TESTED = ("untrained", "bert_alone", "lsa_alone", "random_start")
"""Settings that are evaluated on the queries in addition to the chosen one."""
Figures = dict[str, float]


def main() -> None:
    """Measure, write and print the figures."""
    collection = read_cisi()
    # The whole grid is evaluated on the queries: its best is better than any choice could be.
    grid = {each: evaluate_search(collection, bm25(collection.whole, each)) for each in GRID}
    with Screen() as screen:
        encoders = {
            name: evaluate_search(collection, score)
            for name, score in by_cosine(collection, FeatureCache(RUNS / "features"), screen)
        }
        bert = pretrained()
        splits = [DocumentSplit(collection, seed, RUNS, bert, screen) for seed in SEEDS]
        trained = {
            name: [each.train(setting) for each in splits] for name, setting in SETTINGS.items()
        }
        validation = {
            name: float(np.mean([each.validation for each in models]))
            for name, models in trained.items()
        }
        chosen = max(validation, key=validation.__getitem__)
        settings = {"ours": chosen, **{f"ours_{each}": each for each in ALSO_TESTED}}
        ours = {
            name: [evaluate_search(collection, each.score) for each in trained[setting]]
            for name, setting in settings.items()
        }
    best = max(grid.values(), key=lambda each: each.figures["ndcg@10"])
    word_means = [name for name in encoders if name.startswith("word_mean.")]
    top = max(word_means, key=lambda name: encoders[name].figures["ndcg@10"])
    results = {"bm25": [best], "bm25_default": [grid[Bm25()]], "word_mean": [encoders[top]]}
    results |= {name: [result] for name, result in encoders.items()} | ours
    figures: Figures = {}
    for name, each in results.items():
        over_seeds = means([quality(collection, result) for result in each])
        figures |= {f"cisi.{name}.{metric}": value for metric, value in over_seeds.items()}
    figures |= _differences(collection, ours["ours"], {"bm25": best, "bert": encoders["bert"]})
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
        bm25_grid=[{**asdict(each), **quality(collection, found)} for each, found in grid.items()],
    )
    names = sorted(results, key=lambda name: -figures[f"cisi.{name}.ndcg@10"])
    metrics = ("ndcg@10", "map")
    lines = [[name, *(figure_cell(figures, f"cisi.{name}.{m}") for m in metrics)] for name in names]
    print_table(["scorer", *metrics], lines)
    lines = [[name, f"{figure:.4f}"] for name, figure in validation.items()]
    print_table(["setting", "validation MRR"], lines, title=f"chosen: {chosen}")


def _differences(
    collection: Collection, ours: Sequence[Evaluation], others: Mapping[str, Evaluation]
) -> Figures:
    """Mean differences of ours (mean of the seeds per query) to others, with 95% intervals."""
    figures: Figures = {}
    for metric, key in (("ndcg@10", "ndcg@10"), ("map", f"map@{len(collection)}")):
        mean = np.mean([result.values[key] for result in ours], axis=0)
        for name, other in others.items():
            gap = (mean - other.values[key]).astype(np.float64)
            low, high = bootstrap_intervals({key: gap})[key]
            label = f"cisi.ours_minus_{name}.{metric}"
            figures |= {label: float(gap.mean()), f"{label}.low": low, f"{label}.high": high}
    return figures


if __name__ == "__main__":
    main()
