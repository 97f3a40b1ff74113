"""A new base index over the content of a live index, built outside of the serving process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Field, PositiveInt, TypeAdapter

from recsys.config import Config
from recsys.errors import ServiceError
from recsys.files import load_arrays, save_arrays, write_json
from recsys.ids import Vectors
from recsys.index.building.sample import Queries
from recsys.index.configs import ExactConfig, IndexConfig
from recsys.index.files import build_index, load_index
from recsys.index.live.live_index import LiveIndex
from recsys.index.storage import VECTORS, StoredVectors, load_vectors, save_vectors

CONFIG, EXPORTED, ALIVE_ROWS, QUERIES = "config.json", "exported.npy", "alive.npy", "queries.npz"
INDEX, LOG = "index", "build.log"
_AT_ONCE = 1 << 14
_POLL_SECONDS = 0.1
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
Build = Callable[[Path, threading.Event], None]
"""Function that builds the index of an exported folder, and ends early when the event is set."""


class CompactionRule(Config):
    """When a new base is built.

    Attributes:
        share: Number of rows in the delta, or of rows of the base that are deleted or replaced,
            relative to the rows of the base.
        least: Number of such rows below which nothing is built.

    Example:
        >>> CompactionRule(share=0.2).least
        1000
    """

    share: float = Field(default=0.1, gt=0)
    least: PositiveInt = 1_000

    def holds(self, live: LiveIndex) -> bool:
        """Whether a new base is due."""
        return live.changes >= max(self.least, self.share * len(live.base.index))


@dataclass(frozen=True)
class CompactionReport:
    """Result of a compaction.

    Attributes:
        reason: Why it was started.
        version: Version whose content the new base has.
        rows: Number of rows of the new base, with deleted ones.
        seconds: Duration.
        error: Why it failed; None after a success.
    """

    reason: str
    version: int
    rows: int
    seconds: float
    error: str | None


def rebuild(
    live: LiveIndex, folder: Path, queries: Queries | None, build: Build, stop: threading.Event
) -> LiveIndex:
    """The same version over a new base without a delta.

    The empty ``folder`` gets the vectors and the index, and must stay: the vectors are mapped
    into memory.

    Raises:
        ServiceError: The build failed or was stopped.
    """
    mask = live.mask
    export(live, mask, folder, queries)
    build(folder, stop)
    index = load_index(folder / INDEX, load_vectors(folder))
    return LiveIndex.over(index, alive=mask, version=live.version)


def export(
    live: LiveIndex, mask: npt.NDArray[np.bool_], folder: Path, queries: Queries | None
) -> None:
    """Write the input of a build, in pieces, so that other threads are not held up."""
    write_json(folder / CONFIG, live.config.model_dump(mode="json"))
    np.save(folder / ALIVE_ROWS, mask, allow_pickle=False)
    if queries is not None:
        kinds = queries if isinstance(queries, Mapping) else {"queries": queries}
        save_arrays(folder / QUERIES, kinds)
    with (folder / EXPORTED).open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": live.vectors.shape}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(live), _AT_ONCE):
            live.vectors[start : start + _AT_ONCE].tofile(file)


def build_exported(folder: Path) -> None:
    """Build and save the index of an exported folder; deleted rows have zero vectors."""
    config: IndexConfig = TypeAdapter(IndexConfig).validate_python(
        json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    )
    # The base class of the array, since slices of a memmap are slow to make.
    vectors = np.asarray(np.load(folder / EXPORTED, mmap_mode="r", allow_pickle=False))
    queries: Queries
    if (folder / QUERIES).exists():
        queries = load_arrays(folder / QUERIES)
    else:
        queries = _sample(vectors, np.load(folder / ALIVE_ROWS, allow_pickle=False))
    index = build_index(vectors, config, queries=queries)
    if isinstance(index.vectors, StoredVectors):
        save_vectors(folder, index.vectors)
        (folder / EXPORTED).unlink()
    else:
        (folder / EXPORTED).rename(folder / VECTORS)
    part = folder / f".{INDEX}"
    index.save(part)
    part.rename(folder / INDEX)


def build_for(config: IndexConfig) -> Build:
    """How the index of a configuration is built: an exact one here, others in a process."""
    if isinstance(config, ExactConfig):
        return lambda folder, stop: build_exported(folder)
    return build_in_process


def build_in_process(folder: Path, stop: threading.Event) -> None:
    """Build in a new process of low priority with one thread.

    The process is started afresh, since TensorFlow and gRPC do not work in forked ones, and it ends
    when this process does.

    Raises:
        ServiceError: The process failed, was killed, or ``stop`` was set.
    """
    paths = os.pathsep.join(path for path in sys.path if path)
    threads = dict.fromkeys(_THREADS, "1")
    command = [sys.executable, "-m", "recsys.index.live.build_process", str(folder)]
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": paths, **threads},
        )
        with process:
            while process.poll() is None:
                if stop.wait(_POLL_SECONDS):
                    process.kill()
    if stop.is_set():
        raise ServiceError("the compaction was stopped before its end; nothing changed")
    if process.returncode:
        text = (folder / LOG).read_text(encoding="utf-8", errors="replace").strip()
        last = text.splitlines()[-1] if text else "it wrote no message"
        raise ServiceError(
            f"the process that builds the new base ended with code {process.returncode}: "
            f"{last:.500}"
        )


def remove(folder: Path | None) -> None:
    """Remove the folder of a base that nothing needs; mapped files stay readable."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _sample(vectors: Vectors, alive: npt.NDArray[np.bool_], most: int = 10_000) -> Vectors:
    rows = np.flatnonzero(alive)
    count = min(most, len(rows))
    chosen: Vectors = vectors[rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)]]
    return chosen
