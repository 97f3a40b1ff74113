"""Figures of the record, from its sections, with what each of them states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Sections = Mapping[str, Any]
TOWER = ("user", "history")
"""Kinds of queries that the query tower encodes."""


def limit_rate(limit: Mapping[str, float], kind: str) -> float:
    """Queries per second of a kind if nothing but the parts of the limit took time."""
    if kind in TOWER:
        parts = limit["raw_scann_s.history"] + limit["tower_s"]
    else:
        parts = limit["raw_scann_s.item"]
    return 1 / (1 / limit["echo_rate"] + parts)


def figures_of(sections: Sections) -> dict[str, float]:
    """The figures of the sections that are there."""
    found: dict[str, float] = {}
    for name, figures in _FIGURES.items():
        if name in sections:
            found |= figures(sections)
    return found


def _rates(sections: Sections) -> dict[str, float]:
    limit, rates, load = sections["limit"], sections["rates"], sections["half_load"]
    shares = {
        f"limit_share.{kind}": rates[kind] / limit_rate(limit, kind) for kind in ("item", *TOWER)
    }
    return {
        **shares,
        "cache_over_echo": rates["repeated"] / limit["echo_rate"],
        "batch_share": rates["batch"] * limit["retriever_user_s"],
        "filter_share": rates["filter"] / rates["user"],
        "many_share": rates["many"] / rates["user"],
        "half_load_p99_over_echo": load["p99_ms"] / limit["echo_p99_ms"],
        "stalls": load["above_50_ms"],
    }


def _overload(sections: Sections) -> dict[str, float]:
    found = {}
    for times, each in sections["overload"].items():
        if isinstance(each, dict):
            found[f"goodput_{times}"] = each["goodput"]
            found[f"goodput_{times}_p99_ms"] = each["p99_ms"]
            found[f"goodput_{times}_recovery"] = each["recovery"]
            found[f"goodput_{times}_grown_mb"] = each["grown_mb"]
    return found


def _writes(sections: Sections) -> dict[str, float]:
    writes = sections["writes"]
    return {
        "upserts_per_s": writes["upserts"]["writes"],
        "interactions_per_s": writes["interactions"]["writes"],
        "upserts_p99_ratio": writes["upserts"]["p99_ms"] / writes["none"]["p99_ms"],
        "interactions_p99_ratio": writes["interactions"]["p99_ms"] / writes["none"]["p99_ms"],
    }


def _visible(sections: Sections) -> dict[str, float]:
    visible = sections["visible"]
    return {
        f"visible_after_ms.{kind}.{label}": visible[f"{kind}.all.{label}"]
        for kind in ("interaction", "upsert", "delete")
        for label in ("p50", "p99")
    }


def _life(sections: Sections) -> dict[str, float]:
    memory, swap, workers = sections["memory"], sections["swap"], sections["workers"]
    return {
        "startup_s": sections["startup"]["seconds"],
        "swap_failed_calls": swap["failed"],
        "swap_p99_ms": swap["p99_ms"],
        "memory_ratio": memory["worker_mb"] / (memory["libraries_mb"] + memory["data_mb"]),
        "two_workers": workers["2"] / workers["1"],
        "two_workers_limit": 2 / (1 + workers["load_s"] / workers["worker_s"]),
    }


def _tfrs(sections: Sections) -> dict[str, float]:
    rate = sections["tfrs"]["rate"]
    return {
        "tfrs_ratio": sections["rates"]["history"] / rate,
        "tfrs_limit": limit_rate(sections["limit"], "history") / rate,
    }


_FIGURES = {
    "rates": _rates,
    "overload": _overload,
    "writes": _writes,
    "visible": _visible,
    "workers": _life,
    "tfrs": _tfrs,
}

DEFINITIONS = {
    "limit_share": "calls per second over those of the limit, with 32 in flight",
    "cache_over_echo": "calls per second of repeated queries over those of an empty asyncio echo",
    "batch_share": "queries per second in calls of 64 users over those of the retriever itself, "
    "in batches of 64; none is answered twice",
    "filter_share": "calls per second with a filter that allows a tenth of the items, over those "
    "without one",
    "many_share": "calls per second with 1,000 in flight over those with 32",
    "half_load_p99_over_echo": "99th percentile of the latency at half of the capacity over that "
    "of the echo at half of its own",
    "stalls": "calls above 50 ms in that minute",
    "goodput": "calls answered within .5 s per second over the capacity, while that many times the "
    "capacity is offered by connections that throttle as those of the Python client; p99_ms of the "
    "answered ones; recovery is the share answered in the first second at half of the capacity "
    "after it; grown_mb the growth of the worker's memory; unthrottled: every call is sent",
    "upserts_per_s": "items upserted per second next to reads at half of the capacity",
    "interactions_per_s": "interactions per second, ten per call, acknowledged once they are on "
    "disk, next to the same reads",
    "upserts_p99_ratio": "99th percentile of the reads' latency next to these over that without",
    "interactions_p99_ratio": "the same",
    "visible_after_ms": "milliseconds from the acknowledgement of a write to the first answer that "
    "shows it on every one of 8 connections to two workers",
    "startup_s": "seconds from the start of the process to SERVING",
    "swap_failed_calls": "failed calls at half of the capacity while the bundle is replaced twice",
    "swap_p99_ms": "99th percentile of the latency of these calls",
    "memory_ratio": "resident memory of a worker over that of its libraries and the bundle's files",
    "two_workers_limit": "the ratio if two cores were twice one, less the processor time of the "
    "load: 2 / (1 + seconds of the load per call / seconds of the worker per call)",
    "two_workers": "calls per second of histories of two workers on two cores, which the load "
    "shares, over those of one worker on one core with the load on the other",
    "tfrs_ratio": "calls per second of histories over those of TFRS' own ScaNN layer in a "
    "synchronous servicer",
    "tfrs_limit": "the largest such ratio: that of the limit",
}
