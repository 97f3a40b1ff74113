"""Parts of the benchmark: each in a process of its own on one core, and stored when it is done.

A part is a function from a JSON object to another. Its result is kept in the work folder under all
that it depends on; a part that runs this engine also depends on the source of ``recsys.index``.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.index.data.datasets import MIXTURES, DataSet, gowalla, synthetic
from benchmarks.processes import run_process
from recsys.tuning.cached import Result, cached_result

MODULE = "benchmarks.index"
SIZES, QUICK = (200_000, 1_000_000), 20_000
OURS, OTHERS = Path("recsys/index"), {"milvus", "audit"}
"""Source on which measurements of this engine depend, and its folders that are not measured."""
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "TF_INTRAOP", "TF_INTEROP")


@dataclass(frozen=True)
class Run:
    """One run of the benchmark.

    Attributes:
        work: Folder of data, indexes and results of parts.
        quick: Whether only one small size is measured.
        name: Name of the measurement of this engine; under another one it is measured again.
        core: Position of the core among those of this process.
        stored: Whether peers that are not built yet are left out.
    """

    work: Path
    quick: bool = False
    name: str = ""
    core: int = -1
    stored: bool = False

    @property
    def queries(self) -> int:
        """Number of queries per cell of filters and exclusions."""
        return 100 if self.quick else 400

    @property
    def size(self) -> int:
        """Number of rows of the main measurements."""
        return QUICK if self.quick else SIZES[-1]

    def data_sets(self) -> Iterator[dict[str, Any]]:
        """Name and number of rows of each data set, as JSON."""
        if self.quick:
            yield {"data": "clustered", "items": QUICK}
            return
        for items in SIZES[::-1]:
            for name in MIXTURES:
                yield {"data": name, "items": items}
        yield {"data": "gowalla", "items": 0}

    def part(self, function: str, *, ours: bool = False, **values: Any) -> Result:
        """The stored result of ``module:function`` for these values, or that of running it."""
        cores = sorted(os.sched_getaffinity(0))
        request = {
            "function": function,
            "core": cores[self.core],
            "work": str(self.work.absolute()),
            "values": values,
        }
        depends = {"values": values, "source": [self.source, self.name] if ours else ""}

        def compute(folder: Path) -> Result:
            shown = ", ".join(
                f"{value}" for value in values.values() if not isinstance(value, dict)
            )
            print(f"{function}, {shown}: its log is in {folder}", file=sys.stderr, flush=True)
            return run_process(MODULE, request, folder)

        folder, name = self.work / "parts", function.rpartition(".")[2].replace(":", "-")
        found = cached_result(folder, name=name, depends_on=depends, compute=compute)
        return {key: value for key, value in found.items() if key != "machine"}

    def peer(self, name: str, **values: Any) -> Result | None:
        """Build, memory and settings of a peer; None where it is left out."""
        complete = index_folder(self.work, **values, name=name) / "complete"
        if self.stored and not complete.is_file():
            return None
        built = self.part("measures.building:build_peer", **values, peer=name)
        tuned = self.part("measures.building:tune_peer", **values, peer=name)
        complete.touch()
        return {**tuned, **built}

    @cached_property
    def source(self) -> str:
        """Digest of the source on which measurements of this engine depend."""
        digest = hashlib.sha256()
        for path in sorted(OURS.rglob("*.py")):
            if not OTHERS & set(path.parts):
                digest.update(path.as_posix().encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()


def run_part(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of a request of :meth:`Run.part`, in this process and on one core."""
    os.sched_setaffinity(0, {request["core"]})
    module, _, function = request["function"].partition(":")
    called = getattr(importlib.import_module(f"{MODULE}.{module}"), function)
    result: Mapping[str, Any] = called(Path(request["work"]), **request["values"])
    return result


def one_thread() -> None:
    """Limit the libraries of the processes of parts to one thread each."""
    os.environ |= {f"{name}_NUM_THREADS": "1" for name in THREADS}
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def data_set(work: Path, data: str, items: int) -> DataSet:
    """The data set of these values, made on first use."""
    folder = work / "data"
    return gowalla(folder) if data == "gowalla" else synthetic(data, items, folder)


def index_folder(work: Path, data: str, items: int, name: str) -> Path:
    """Folder of a built index."""
    return work / "indexes" / f"{data}-{items}" / name.replace(" ", "-")
