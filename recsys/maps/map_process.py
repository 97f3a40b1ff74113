"""``python -m recsys.maps.map_process VECTORS OUT METHOD SEED``: compute a map in its own process.

The process has the lowest priority, and ends when its standard input is closed, as it is when the
process that started it has ended. ``VECTORS`` is an ``.npz`` file with ``rows``, their ``vectors``
and the number of all ``items``.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import cast

from recsys.files import load_arrays, lock
from recsys.maps.item_map import ItemMap
from recsys.maps.projection import Method, project


def main(arguments: list[str]) -> None:
    """Compute."""
    os.nice(19)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    source, out, method, seed = arguments
    with lock(Path(out).with_suffix(".lock")):
        if Path(out).exists():  # of another process, for which this one has waited
            return
        found = load_arrays(Path(source))
        points, share = project(found["vectors"], cast(Method, method), seed=int(seed))
        ItemMap(found["rows"], points, share, int(found["items"])).save(Path(out))
        Path(source).unlink(missing_ok=True)


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # Unbuffered: a buffered read would hold a lock at the exit.
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
