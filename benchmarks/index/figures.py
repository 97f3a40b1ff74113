"""Figures of the record, from its sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.index.peers.libraries import PEERS
from benchmarks.index.peers.search_tuning import TARGETS

Sections = Mapping[str, Any]
MILLION = "-1000000"


def figures_of(sections: Sections, ending: str = MILLION) -> dict[str, float]:
    """The figures; of each the worst over the data sets whose name has the ending."""
    compared = {name: each for name, each in sections["speed"].items() if name.endswith(ending)}
    figures = {
        f"qps_over_best_peer.1m.{target.name}": min(
            over_best_peer(each["targets"][target.name], "batched_qps")
            for each in compared.values()
        )
        for target in TARGETS
    }
    figures["single_over_best_peer.1m.r95"] = min(
        over_best_peer(each["targets"]["r95"], "single_qps") for each in compared.values()
    )
    figures["build_over_hnswlib.1m"] = max(
        built["build_seconds"] / each["builds"]["hnswlib"]["build_seconds"]
        for each in compared.values()
        for name, built in each["builds"].items()
        if name.startswith("ours")
    )
    filtered = list(_filter_cells(sections["filters"]))
    figures["filter.worst_recall_gap"] = max(target - cell["recall"] for target, cell in filtered)
    figures["filter.worst_p50_ratio"] = max(cell["p50_ratio"] for _, cell in filtered)
    figures["exclude.worst_recall_gap"] = max(
        float(name.rpartition(" ")[2]) - cell["recall"]
        for name, cells in sections["exclusions"].items()
        for cell in cells_of(cells).values()
    )
    figures["churn.wrong_rows"] = sections["churn"]["wrong_rows"]
    figures["churn.p99_ratio"] = sections["churn"]["p99_ratio"]
    figures["exact_single_over_numpy"] = sections["exact"]["exact"] / sections["exact"]["numpy"]
    figures["bytes_per_item"] = max(
        (built["memory_bytes"] + built["vectors_bytes"]) / each["rows"]
        for each in compared.values()
        for name, built in each["builds"].items()
        if name.startswith("ours")
    )
    return figures


DEFINITIONS = {
    "qps_over_best_peer": "batched queries per second over those of the fastest peer, the worst "
    "of the two distributions of a million rows",
    "single_over_best_peer": "the same with one query at a time",
    "build_over_hnswlib": "duration of the build with tuning over hnswlib's",
    "filter.worst_recall_gap": "target minus recall, the largest of all filters, cutoffs, "
    "distributions and targets; negative where all are above the target",
    "filter.worst_p50_ratio": "median latency over the lower of unfiltered search and exact "
    "search in an exact index of the eligible rows, the largest of all",
    "exclude.worst_recall_gap": "target minus recall, the largest of all",
    "churn.wrong_rows": "rows in answers that were deleted, replaced or not there",
    "churn.p99_ratio": "99th percentile of the read latency during churn over that before it",
    "exact_single_over_numpy": "duration of one exact query over that of numpy",
    "bytes_per_item": "memory of the loaded index and its float32 vectors per row",
}


def over_best_peer(results: Mapping[str, Mapping[str, float]], rate: str) -> float:
    """Rate of this engine over the best of the peers, exact search excluded."""
    best = max(each[rate] for name, each in results.items() if name in PEERS)
    return results["ours"][rate] / best


def cells_of(part: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The cells of a part's result, without its date, commit and machine."""
    return {
        name: cell for name, cell in part.items() if isinstance(cell, dict) and "recall" in cell
    }


def _filter_cells(section: Mapping[str, Any]) -> Iterator[tuple[float, Mapping[str, Any]]]:
    for parts in section.values():
        for name, cells in parts.items():
            if name.startswith("ours"):
                for cell in cells_of(cells).values():
                    yield float(name.removeprefix("ours ")), cell
