"""The writer of several spaces: an item is written in all of them at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from pyroaring import BitMap

from recsys.errors import InvalidRequestError, ServiceError
from recsys.ids import Rows, Vectors
from recsys.index.building.sample import Queries
from recsys.index.live import Change, CompactionReport, CompactionRule, IndexWriter
from recsys.retrieval.live_space import LiveSpace
from recsys.retrieval.space import Space
from recsys.vectors import MaskedVectors
from recsys_client.request import TWO_TOWER


@dataclass(frozen=True, eq=False)
class SpacesSnapshot:
    """All spaces in one version; immutable.

    Attributes:
        version: Number of writes before it.
        items: Number of rows, with deleted ones; the same in every space.
        spaces: Spaces by name.
    """

    version: int
    items: int
    spaces: Mapping[str, LiveSpace]


class SpaceWriter:
    """Upserts and deletes items in several spaces without a rebuild.

    ``current`` is the newest snapshot, replaced in one assignment: read it once per request. From
    the moment that a call returns, it has no deleted item and no replaced vector in any space.
    Each space is compacted by itself, in the background; see ``recsys.index.live.IndexWriter``.

    Args:
        spaces: Spaces to begin with, of the same items.
        folder: Folder for the files of new bases.
        queries: Typical queries per space, as ``build_index`` takes them, on which new bases are
            tuned.
        rule: When to compact a space.
        on_compaction: Function that is called after ``current`` has a new base.

    Raises:
        InvalidRequestError: There is no space, or they have different numbers of items.

    Example:
        >>> import tempfile
        >>> from recsys.index import ExactConfig
        >>> space = Space.two_tower(np.eye(2, dtype=np.float32), ExactConfig())
        >>> folder = Path(tempfile.mkdtemp())
        >>> with SpaceWriter({"two_tower": space}, folder) as writer:
        ...     new = MaskedVectors(np.ones((1, 2), np.float32), np.array([True]))
        ...     snapshot = writer.upsert(np.array([2]), {"two_tower": new})
        >>> snapshot.items, snapshot.spaces["two_tower"].vectors[2].tolist()
        (3, [1.0, 1.0])
    """

    def __init__(
        self,
        spaces: Mapping[str, Space],
        folder: Path,
        *,
        queries: Mapping[str, Queries] | None = None,
        rule: CompactionRule | None = None,
        on_compaction: Callable[[], object] | None = None,
    ) -> None:
        sizes = {name: len(space) for name, space in spaces.items()}
        if len(set(sizes.values())) != 1:
            raise InvalidRequestError(
                f"spaces must be of the same items; got {sizes or 'no space'}", field="spaces"
            )
        self._lock, self._on_compaction = threading.RLock(), on_compaction
        self._deleted, self._version, self._is_whole = BitMap(), 0, True
        self._writers = {
            name: IndexWriter(
                (space if isinstance(space, LiveSpace) else LiveSpace.over(space)).live_index,
                folder / name,
                queries=(queries or {}).get(name),
                rule=rule,
                on_compaction=self._compacted,
            )
            for name, space in spaces.items()
        }
        self.current = self._snapshot()

    def upsert(self, rows: Rows, vectors: Mapping[str, MaskedVectors]) -> SpacesSnapshot:
        """Give items new vectors in every space at once, and return the snapshot with them.

        Args:
            rows: Rows of the items, each once, int32 ``[m]``; new ones follow the last row without
                a gap.
            vectors: Vectors per space, one per row. An item whose mask is False has no vector in
                that space afterwards. In content spaces, vectors get unit length.

        Raises:
            InvalidRequestError: A space is missing or unknown, or an argument is not valid; nothing
                changes.
        """
        self._check_names(vectors)
        spaces = self.current.spaces
        with self._lock:
            changes = {name: _upsert(spaces[name], rows, vectors[name]) for name in spaces}
            self._write(changes)
            self._deleted -= BitMap(np.asarray(rows).tolist())
            return self._publish()

    def delete(self, rows: Rows) -> SpacesSnapshot:
        """Delete items from every space at once, and return the snapshot without them.

        Raises:
            InvalidRequestError: A row is unknown, was deleted before, or is there twice; nothing
                changes.
        """
        with self._lock:
            self._check_deleted(rows)
            spaces = self.current.spaces
            self._write({name: _delete(space, rows) for name, space in spaces.items()})
            self._deleted |= BitMap(np.asarray(rows).tolist())
            return self._publish()

    def compact(self) -> dict[str, CompactionReport]:
        """Compact every space now, one after another; the report per space."""
        return {name: writer.compact() for name, writer in self._writers.items()}

    def request_compaction(self, space: str, reason: str) -> bool:
        """Start a compaction of a space, for instance when its measured recall has drifted."""
        return self._writers[space].request_compaction(reason)

    @property
    def last_compactions(self) -> dict[str, CompactionReport | None]:
        """Report of the last compaction per space; None before the first."""
        return {name: writer.last_compaction for name, writer in self._writers.items()}

    def close(self) -> None:
        """Stop running compactions; ``current`` stays readable, and later writes are refused."""
        for writer in self._writers.values():
            writer.close()

    def __enter__(self) -> SpaceWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, changes: Mapping[str, Change]) -> None:
        """Apply checked changes to all spaces."""
        if not self._is_whole:
            raise ServiceError(
                "an earlier write was interrupted after some of the spaces; reads go to the "
                "snapshot before it; open the spaces again to write"
            )
        for name, change in changes.items():
            change.check(self._writers[name].current.live_vectors)
        for name, change in changes.items():
            self._writers[name].write(change)
            self._is_whole = False
        self._is_whole = True
        self._version += 1

    def _compacted(self) -> None:
        self._publish()
        if self._on_compaction is not None:
            self._on_compaction()

    def _publish(self) -> SpacesSnapshot:
        with self._lock:
            if self._is_whole:
                self.current = self._snapshot()
            return self.current

    def _snapshot(self) -> SpacesSnapshot:
        spaces = {name: LiveSpace.of(name, each.current) for name, each in self._writers.items()}
        items = len(next(iter(spaces.values())))
        return SpacesSnapshot(self._version, items, MappingProxyType(spaces))

    def _check_names(self, vectors: Mapping[str, MaskedVectors]) -> None:
        if vectors.keys() != self._writers.keys():
            raise InvalidRequestError(
                f"vectors must be given for the spaces {', '.join(sorted(self._writers))}; "
                f"got {', '.join(sorted(vectors)) or 'none'}",
                field="vectors",
            )

    def _check_deleted(self, rows: Rows) -> None:
        known = np.asarray(rows)
        change = Change.of(1, size=self.current.items, deleted=known)
        wrong = [row for row in change.deleted.tolist() if self._is_unknown(row)]
        if wrong:
            raise InvalidRequestError(
                f"row {wrong[0]} cannot be deleted: it is unknown or was deleted before; there are "
                f"{self.current.items} rows",
                field="rows",
            )

    def _is_unknown(self, row: int) -> bool:
        return row >= self.current.items or row in self._deleted


def _upsert(space: LiveSpace, rows: Rows, given: MaskedVectors) -> Change:
    chosen = np.asarray(rows)
    if chosen.shape != given.mask.shape:
        raise InvalidRequestError(
            f"space '{space.name}': expected one vector per row, {chosen.shape}; got "
            f"{given.mask.shape}",
            field="vectors",
        )
    new = chosen >= len(space)
    Change.of(1, size=len(space), deleted=chosen[~new], absent=chosen[new])  # checks the rows
    vectors, without = given.vectors[given.mask], chosen[~given.mask]
    known = without[without < len(space)]
    return Change.of(
        space.dimension,
        size=len(space),
        rows=chosen[given.mask],
        vectors=vectors if space.name == TWO_TOWER else _unit(space.name, vectors),
        deleted=known[space.mask[known]],
        absent=without[without >= len(space)],
    )


def _delete(space: LiveSpace, rows: Rows) -> Change:
    chosen = np.asarray(rows)
    present = chosen[space.mask[chosen]]
    return Change.of(space.dimension, size=len(space), deleted=present)


def _unit(name: str, vectors: Vectors) -> Vectors:
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    zero = np.flatnonzero(norms == 0)
    if len(zero):
        raise InvalidRequestError(
            f"space '{name}': vector {zero[0]} of those given has length zero; set its mask to "
            "False where an item has no vector",
            field="vectors",
        )
    scaled: Vectors = (vectors / norms[:, None]).astype(np.float32)
    return scaled
