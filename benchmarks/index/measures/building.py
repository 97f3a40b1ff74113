"""Builds of the peers and of this engine, each in a process of its own, and what they occupy.

The duration of a build is its CPU time on one core, which other processes of the machine change
least.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index.parts import data_set, index_folder
from benchmarks.index.peers.libraries import PEERS
from benchmarks.index.peers.search_tuning import TARGETS, tune

FILE = "index.bin"


def make_data(work: Path, data: str, items: int) -> dict[str, Any]:
    """Generate or train a data set; its number of rows."""
    return {"rows": len(data_set(work, data, items).items)}


def build_peer(work: Path, data: str, items: int, peer: str) -> dict[str, Any]:
    """Build and save a peer's index; seconds of the build."""
    built, folder = PEERS[peer](), index_folder(work, data, items, peer)
    vectors = data_set(work, data, items).items.copy()
    started = time.process_time()
    built.build(vectors)
    seconds = time.process_time() - started
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    built.save(folder / FILE)
    return {"build_seconds": seconds}


def tune_peer(work: Path, data: str, items: int, peer: str) -> dict[str, Any]:
    """Load a peer's index; the memory that it occupies, and its setting per target."""
    loaded, vectors = PEERS[peer](), data_set(work, data, items)
    queries = np.array(vectors.array("tuning"))
    before = anonymous_bytes()
    loaded.load(index_folder(work, data, items, peer) / FILE)
    loaded.search(queries[:10], 10, {loaded.parameter: 10, "depth": 1})
    occupied = anonymous_bytes() - before
    settings = {target.name: tune(loaded, vectors, target) for target in TARGETS}
    return {"memory_bytes": occupied, "settings": settings}


def build_ours(work: Path, data: str, items: int, target: float) -> dict[str, Any]:
    """Build, tune and save an index of this engine, as a user does; seconds and memory."""
    from recsys.index import ScannConfig, build_index

    found = data_set(work, data, items)
    vectors, queries = found.items.copy(), np.array(found.array("tuning"))
    started = time.process_time()
    index = build_index(vectors, ScannConfig(target_recall=target), queries=queries)
    seconds = time.process_time() - started
    folder = index_folder(work, data, items, f"ours {target}")
    shutil.rmtree(folder, ignore_errors=True)
    index.save(folder)
    return {
        "build_seconds": seconds,
        "peak_bytes": status_bytes("VmHWM"),
        "facts": {name: value for name, value in index.facts.items() if name != "curve"},
    }


def memory_of_ours(work: Path, data: str, items: int, target: float) -> dict[str, Any]:
    """Memory of a loaded index: its own with the codes that it maps, and the vectors' file."""
    from recsys.index import ScannConfig, build_index, load_index

    found = data_set(work, data, items)
    queries = np.array(found.array("tuning"))
    # Libraries and compiled code are loaded before the measurement.
    build_index(found.items[:2_000].copy(), ScannConfig(target_recall=0.5)).search(queries, 10)
    before = anonymous_bytes()
    index = load_index(index_folder(work, data, items, f"ours {target}"), found.items)
    for query in queries[:200]:
        index.search(query[None], 10)
    occupied = anonymous_bytes() - before + mapped_bytes(index)
    return {"memory_bytes": occupied, "vectors_bytes": found.items.nbytes}


def mapped_bytes(index: Any) -> int:
    """Size of the codes that a loaded index of this engine reads from their files."""
    return round(index.facts["bytes_per_item"].get("leaves", 0) * len(index))


def anonymous_bytes() -> int:
    """Resident memory of this process without files."""
    return status_bytes("RssAnon")


def status_bytes(kind: str) -> int:
    """A size in ``/proc/self/status``."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(rf"^{kind}:\s+(\d+) kB", status, re.M)
    assert found, kind
    return int(found[1]) * 1024
