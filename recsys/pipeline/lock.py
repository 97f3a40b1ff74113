"""One run at a time in a folder.

The operating system holds the lock, so that a killed run leaves none behind.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.errors import ConfigError


@contextmanager
def only_run_in(folder: Path) -> Iterator[None]:
    """Hold the folder (it is made) until the end of the block.

    Raises:
        ConfigError: Another process is at work in it.

    Example:
        >>> import tempfile
        >>> with only_run_in(Path(tempfile.mkdtemp()) / "demo"):
        ...     pass
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            raise ConfigError(
                f"another run (process {holder}) is at work in {folder}; wait for it, stop it, or "
                "give this one another name or another --runs folder"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
