"""Sections of the record: each runs its parts, or reads their stored results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.index.measures import growth, spaces
from benchmarks.index.parts import QUICK, Run
from benchmarks.index.peers.libraries import PEERS
from benchmarks.index.peers.search_tuning import TARGETS

RECALLS = sorted({target.recall for target in TARGETS})
Section = dict[str, Any]


def speed(run: Run) -> Section:
    """Per data set: builds, memory, and speed at each target, of this engine and its peers."""
    section: Section = {}
    for values in run.data_sets():
        rows = run.part("measures.building:make_data", **values)["rows"]
        peers = {peer: run.peer(peer, **values) for peer in PEERS}
        builds = {peer: found for peer, found in peers.items() if found is not None}
        if builds:
            section[name_of(values)] = {"rows": rows, **_speed(run, values, builds)}
    return section


def _speed(run: Run, values: Mapping[str, Any], builds: Section) -> Section:
    settings = {peer: builds[peer]["settings"] for peer in builds}
    builds = builds | _builds(run, values)
    compared = run.part("measures.speed:compare", ours=True, **values, settings=settings)
    return {"builds": builds, "targets": compared}


def _builds(run: Run, values: Mapping[str, Any]) -> Section:
    builds = {}
    for target in RECALLS:
        built = run.part("measures.building:build_ours", ours=True, **values, target=target)
        memory = run.part("measures.building:memory_of_ours", ours=True, **values, target=target)
        builds[f"ours {target}"] = {**built, **memory}
    return builds


def exact(run: Run) -> Section:
    """One exact query in this engine and in plain numpy."""
    return run.part("measures.speed:exact_single", ours=True, data="clustered", items=run.size)


def filters(run: Run) -> Section:
    """Per distribution the cells of this engine per target, and those of the peers."""
    sections = {}
    for values in _main(run):
        counted = {**values, "count": run.queries}
        section = run.part("measures.filters:ours", ours=True, **counted, targets=RECALLS)
        settings = {}
        for peer in (peer for peer, kind in PEERS.items() if kind.filters):
            found = run.peer(peer, **values)
            if found is not None:
                chosen = found["settings"]
                settings[peer] = {"10": chosen["r99"], "100": chosen["r99k100"]}
        section["peers"] = run.part("measures.filters:peers", **counted, settings=settings)
        sections[name_of(values)] = section
    return sections


def exclusions(run: Run) -> Section:
    """Per distribution and target the cells of this engine."""
    return {
        f"{name_of(values)}, ours {target}": run.part(
            "measures.exclusions:ours", ours=True, **values, target=target, count=run.queries
        )
        for values in _main(run)
        for target in RECALLS
    }


def _main(run: Run) -> Iterator[dict[str, Any]]:
    """The distributions at the main size, with the indexes of this engine built."""
    for values in run.data_sets():
        if values["items"] == run.size:
            _builds(run, values)
            yield values


def bundle_spaces(run: Run) -> Section:
    """Cells of each bundle."""
    section: Section = {}
    for name in ("demo",) if run.quick else spaces.RUNS:
        run.part("measures.spaces:train", name=name)
        section[name] = run.part("measures.spaces:of_run", ours=True, name=name)
    items = spaces.SMALL if run.quick else spaces.LARGE
    run.part("measures.spaces:publish_synthetic", ours=True, items=items)
    section[f"synthetic, {items:,} items"] = run.part(
        "measures.spaces:of_synthetic", ours=True, items=items
    )
    return section


def churn(run: Run) -> Section:
    """Replacement of a fifth of the rows while queries run."""
    return run.part("measures.churn:measure", ours=True, data="clustered", items=run.size)


def growing(run: Run) -> Section:
    """Build, memory and speed per number of rows; hnswlib up to a million."""
    section: Section = {}
    for items in (QUICK // 4, QUICK) if run.quick else growth.SIZES:
        values: dict[str, Any] = {"data": "clustered", "items": items}
        run.part("measures.building:make_data", **values)
        built = run.part("measures.growth:build", ours=True, **values)
        section[str(items)] = {
            "build": built,
            **run.part("measures.growth:serve", ours=True, **values),
        }
        if items <= growth.PEER_LIMIT:
            peer = run.peer(growth.PEER, **values)
            if peer is not None:
                setting = peer["settings"]["r95"]
                served = run.part("measures.growth:serve_peer", **values, setting=setting)
                section[str(items)][growth.PEER] = {**peer, **served}
    return section


SECTIONS: Mapping[str, Callable[[Run], Section]] = {
    "speed": speed,
    "exact": exact,
    "filters": filters,
    "exclusions": exclusions,
    "spaces": bundle_spaces,
    "churn": churn,
    "growth": growing,
}


def name_of(values: Mapping[str, Any]) -> str:
    """Name of a data set in the record."""
    return f"{values['data']}-{values['items']}" if values["items"] else str(values["data"])
