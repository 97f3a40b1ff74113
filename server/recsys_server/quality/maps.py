"""Maps of items, off the path of the answers: in memory, in files, computed in a process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import numpy as np

from recsys.bundle import Bundle
from recsys.bundle.versions import names
from recsys.errors import DataError, ServiceError
from recsys.files import save_arrays
from recsys.maps import ItemMap, Method, sample_rows

FOLDER = "maps"
"""Folder of the files, next to those of the bundles."""
KEPT = 8
"""Number of maps in memory."""
SEED = 0
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
_Key = tuple[str, str, Method]


class ItemMaps:
    """The maps of the bundles of a folder.

    PCA takes some milliseconds. UMAP runs in a process of the lowest priority, one at a time, whose
    file all workers and later starts read. Methods may be called by any number of threads.

    Args:
        root: Folder of bundles. Where it cannot be written, files are in a temporary folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, ItemMap] = OrderedDict()
        self._running: tuple[_Key, subprocess.Popen[bytes]] | None = None
        self._temporary: Path | None = None

    def find(self, bundle: Bundle, space: str, method: Method) -> ItemMap | None:
        """A map of a space of a bundle; None while it is being computed.

        Raises:
            ServiceError: The process that computed it has failed.
        """
        key = (bundle.version, space, method)
        with self._lock:
            found = self._known.get(key) or self._stored(key)
            if found is None and method == "pca":
                part = bundle.parts.spaces[space]
                found = ItemMap.of(part.vectors, part.mask, method, seed=SEED)
            if found is None:
                self._compute(key, bundle)
                return None
            self._known[key] = found
            self._known.move_to_end(key)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
            return found

    def close(self) -> None:
        """End the process that computes, and remove the temporary folder."""
        with self._lock:
            if self._running is not None:
                process = self._running[1]
                process.kill()
                process.communicate()
                self._running = None
            if self._temporary is not None:
                shutil.rmtree(self._temporary, ignore_errors=True)

    def _stored(self, key: _Key) -> ItemMap | None:
        """The map that a process has written."""
        version, space, method = key
        for folder in (self._root / FOLDER, self._temporary):
            if folder is not None:
                with suppress(DataError):
                    return ItemMap.load(folder / version / f"{space}-{method}.npz")
        return None

    def _compute(self, key: _Key, bundle: Bundle) -> None:
        """Start the process of a map, unless one runs."""
        if self._running is not None:
            wanted, process = self._running
            if process.poll() is None:
                return
            self._running = None
            _, errors = process.communicate()
            if process.returncode and wanted == key:
                text = errors.decode(errors="replace").strip()
                last = text.splitlines()[-1] if text else "it wrote no message"
                raise ServiceError(f"the map could not be computed: {last}")
        version, space, method = key
        part = bundle.parts.spaces[space]
        rows = sample_rows(part.mask, seed=SEED)
        items = np.int64(np.count_nonzero(part.mask))
        folder = self._folder(version)
        source, out = folder / f"{space}-vectors.npz", folder / f"{space}-{method}.npz"
        vectors = np.asarray(part.vectors[rows], np.float32)
        save_arrays(source, {"rows": rows, "vectors": vectors, "items": items})
        command = [sys.executable, "-m", "recsys.maps.map_process"]
        paths = os.pathsep.join(path for path in sys.path if path)
        self._running = (
            key,
            subprocess.Popen(
                [*command, str(source), str(out), method, str(SEED)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": paths, **dict.fromkeys(_THREADS, "1")},
            ),
        )

    def _folder(self, version: str) -> Path:
        """The folder of the maps of a bundle; those of removed bundles are deleted."""
        try:
            folder = self._root / FOLDER
            (folder / version).mkdir(parents=True, exist_ok=True)
            known = names(self._root)
            for each in folder.iterdir():
                if each.is_dir() and each.name not in known:
                    shutil.rmtree(each, ignore_errors=True)
            return folder / version
        except OSError:
            if self._temporary is None:
                self._temporary = Path(tempfile.mkdtemp(prefix="recsys-maps-"))
            (self._temporary / version).mkdir(exist_ok=True)
            return self._temporary / version
