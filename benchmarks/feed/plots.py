"""Plots of the record: the price of diversity, calibration, and the closed loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Results = Sequence[Mapping[str, Any]]


def plot_price(data_sets: Mapping[str, Results], file: Path) -> None:
    """NDCG@10 over the distance of the items of a feed, for each strength of MMR."""
    figure, panels = _figure(len(data_sets))
    for panel, (title, results) in zip(panels, data_sets.items()):
        prices = [each["price_of_diversity"] for each in results]
        strengths = [each["strength"] for each in prices[0]]
        distance, ndcg = (
            np.mean([[each[name] for each in own] for own in prices], axis=0)
            for name in ("distance", "ndcg@10")
        )
        panel.plot(distance, ndcg, marker=".")
        for strength, x, y in zip(strengths, distance, ndcg):
            if 0 < strength < 0.2:  # too near to 0 for a label
                continue
            panel.annotate(f"{strength:g}", (x, y), textcoords="offset points", xytext=(3, 4))
        panel.set(title=title, xlabel="mean cosine distance of ten items", ylim=(0, None))
    panels[0].set_ylabel("NDCG@10 of MMR, by its strength")
    figure.savefig(file, dpi=110)


def plot_reliability(data_sets: Mapping[str, Results], file: Path) -> None:
    """Share of items that were taken over the predicted probability, of each seed."""
    figure, panels = _figure(len(data_sets))
    for panel, (title, results) in zip(panels, data_sets.items()):
        ends = []
        for each in results:
            groups = each["reliability"]
            positive = np.array(groups["observed"]) > 0
            predicted, observed = (np.array(groups[k])[positive] for k in ("predicted", "observed"))
            panel.loglog(predicted, observed, marker=".", label=f"seed {each['seed']}")
            ends += [predicted.min(), predicted.max()]
        panel.loglog([min(ends), max(ends)], [min(ends), max(ends)], color="0.6", ls="--")
        panel.set(title=title, xlabel="predicted probability")
    panels[0].set_ylabel("share that was taken")
    panels[0].legend(frameon=False)
    figure.savefig(file, dpi=110)


def plot_loop(results: Results, file: Path) -> None:
    """Clicks per feed and share of the oracle on new items, per round; means of the seeds."""
    figure, (left, right) = _figure(2)
    names = list(results[0]["arms"])
    for name in names:
        rounds = [each["arms"][name] for each in results]
        clicks = np.mean([[each["expected"] for each in own] for own in rounds], axis=0)
        new, oracle = (
            np.sum([[each[key] for each in own] for own in rounds], axis=0)
            for key in ("new", "new_oracle")
        )
        numbers = np.arange(1, len(clicks) + 1)
        left.plot(numbers, clicks, marker=".", label=name)
        share = np.where(oracle > 0, new / np.maximum(oracle, 1e-12), np.nan)
        right.plot(numbers, share, marker=".", label=name)
    best = np.mean([[e["oracle"] for e in each["arms"][names[0]]] for each in results], axis=0)
    left.plot(numbers, best, color="0.4", label="oracle")
    left.plot(numbers, 0.8 * best, color="0.7", ls="--", label="80% of it")
    left.set(title="Expected clicks per feed", xlabel="round", ylim=(0, None))
    right.set(title="New items: share of the oracle's clicks", xlabel="round", ylim=(0, 1))
    left.legend(frameon=False)
    figure.savefig(file, dpi=110)


def _figure(panels: int) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * panels, 3.6), layout="constrained")
    return figure, figure.subplots(1, panels, squeeze=False)[0]
