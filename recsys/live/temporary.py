"""Temporary folders that do not outlive their process for long, also one that is killed."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from recsys.errors import ConfigError
from recsys.files import LOCK, lock

_UNLOCKED_SECONDS = 24 * 3600
"""Age from which a folder without a lock file is considered abandoned."""


class TemporaryFolder:
    """A folder for the files of one owner, removed when it is closed.

    The owner holds a lock in the folder, which the system frees when the process dies. Making a
    folder removes the folders of the same prefix whose lock nothing holds.

    Args:
        prefix: First part of the name.

    Attributes:
        path: The folder.

    Example:
        >>> folder = TemporaryFolder("recsys-example-")
        >>> folder.close(); folder.path.exists()
        False
    """

    def __init__(self, prefix: str) -> None:
        _remove_abandoned(Path(tempfile.gettempdir()), prefix)
        self._held = ExitStack()
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=prefix))
            try:
                self._held.enter_context(lock(self.path / LOCK, wait=False))
            except ConfigError:  # another process has just found it unlocked, and removes it
                continue
            if (self.path / LOCK).exists():
                return

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._held.close()


def _remove_abandoned(parent: Path, prefix: str) -> None:
    for folder in parent.glob(f"{prefix}*"):
        try:
            if (folder / LOCK).exists():
                with lock(folder / LOCK, wait=False):
                    shutil.rmtree(folder, ignore_errors=True)
            elif time.time() - folder.stat().st_mtime >= _UNLOCKED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
        except (ConfigError, OSError):  # it is in use, belongs to another user, or has gone
            continue
