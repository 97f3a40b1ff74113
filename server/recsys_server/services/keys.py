"""Idempotency keys of writes that no store holds, in a small file that all workers share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from recsys.errors import InvalidRequestError
from recsys.files import lock, read_json, write_json

MAX_KEY = 128
KEPT = 1_000
"""Number of keys that are remembered; the oldest are forgotten first."""


class IdempotencyKeys:
    """Results of writes by their keys.

    Args:
        path: File of the keys; a lock file is next to it.

    Example:
        >>> import tempfile
        >>> keys = IdempotencyKeys(Path(tempfile.mkdtemp()) / "keys.json")
        >>> [keys.once("a", "write 1", lambda: result) for result in ("first", "second")]
        ['first', 'first']
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def once(self, key: str, content: str, work: Callable[[], str]) -> str:
        """The result of ``work``, or that of the first write with the same key.

        Args:
            key: The key; "" remembers nothing.
            content: Content of the write, the same each time.
            work: Writes, and returns a result. An error is not remembered.

        Raises:
            InvalidRequestError: The key is too long, or was used for something else.
        """
        if not key:
            return work()
        if len(key) > MAX_KEY:
            raise InvalidRequestError(
                f"idempotency_key has {len(key):,} characters; at most {MAX_KEY} are read",
                field="idempotency_key",
            )
        digest = hashlib.sha256(content.encode()).hexdigest()
        with lock(self._path.with_suffix(".lock")):
            known = self._read()
            if key in known:
                if known[key]["content"] != digest:
                    raise InvalidRequestError(
                        "idempotency_key was used for another write; each write needs its own",
                        field="idempotency_key",
                    )
                return known[key]["result"]
            result = work()
            known[key] = {"content": digest, "result": result}
            write_json(self._path, dict(list(known.items())[-KEPT:]))
            return result

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            found: dict[str, dict[str, str]] = read_json(self._path, limit=1 << 20)
        except (OSError, ValueError):  # none yet, or damaged: no key is known
            return {}
        return found
