"""``python -m recsys.index.live.build_process FOLDER``: build the index of an exported folder.

The process has the lowest priority, and ends when its standard input is closed, as it is when the
process that started it has ended.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path


def main() -> None:
    """Build; the folder is the only argument."""
    os.nice(19)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from recsys.index.live.compaction import build_exported

    build_exported(Path(sys.argv[1]))


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # Unbuffered: a buffered read would hold a lock at the exit.
    os._exit(1)


if __name__ == "__main__":
    main()
