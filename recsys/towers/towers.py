"""Trained towers: vectors of items and of queries."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.features import FeatureBlock
from recsys.ids import Mask, Rows, Vectors
from recsys.towers.config import TowersConfig
from recsys.towers.frozen.query_tower import FrozenQueryTower
from recsys.towers.model.frozen_items import FrozenItemTower
from recsys.towers.query import QueryBatch
from recsys.towers.storage import read_towers, write_towers

if TYPE_CHECKING:
    from recsys.towers.model.query_tower import QueryTower

Numbers = npt.NDArray[np.int64]
QUERIES_PER_THREAD = 64
"""Number of queries that a thread of :meth:`Towers.encode_many` encodes at a time."""


@dataclass(frozen=True, eq=False)
class Towers:
    """A trained two-tower model; immutable.

    Attributes:
        config: Inputs of the towers.
        item_vectors: The item tower's output for every item, float32 ``[items, d]``: of unit
            length, or shorter by ``config.popularity`` or the training of a student.
        sizes: ``users``, ``terms`` (width of encoded terms), ``context_NAME`` counts and, where
            vectors of users are read, their width ``user_vectors``.
        query_weights: Weights of the query tower, in the order of the trained model.

    Raises:
        ValueError: The weights of the query tower do not fit the configuration.

    Example:
        See ``examples/train_towers.py``.
    """

    config: TowersConfig
    item_vectors: Vectors
    sizes: dict[str, int]
    query_weights: tuple[Vectors, ...]
    _item_tower: FrozenItemTower | None = None

    def __post_init__(self) -> None:
        _ = self._query_tower

    @property
    def terms_dimension(self) -> int:
        """Width of the encoded terms that :meth:`encode` reads; 0 where it reads none."""
        return self.sizes["terms"] if self.config.terms == "projection" else 0

    @property
    def reads(self) -> frozenset[str]:
        """Those of "history", "user" and "terms" that make a difference to a query's vector."""
        users = self.config.user_id != "none" or self.sizes.get("user_vectors", 0) > 0
        parts = {"history": self.config.history.window > 0, "user": users}
        parts["terms"] = self.terms_dimension > 0
        return frozenset(part for part, read in parts.items() if read)

    @property
    def reads_times(self) -> bool:
        """Whether the times of a history change a query's vector."""
        return self.config.history.reads_times

    @property
    def context_columns(self) -> tuple[str, ...]:
        """Names of the context columns that the query tower reads."""
        return self.config.context

    @property
    def item_blocks(self) -> dict[str, int]:
        """Width of each feature block that :meth:`encode_items` reads, by name."""
        return {} if self._item_tower is None else self._item_tower.widths

    @property
    def trained_items(self) -> int:
        """Number of items that training knew; they are the first of ``item_vectors``."""
        return len(self.item_vectors) if self._item_tower is None else self._item_tower.items

    @property
    def encodes_items(self) -> bool:
        """Whether :meth:`encode_items` works; False for a fixed catalogue."""
        return bool(self.item_blocks)

    def encode(self, batch: QueryBatch, item_vectors: Vectors | None = None) -> Vectors:
        """One unit vector per query, float32 ``[b, d]``; the same bits alone as in any batch.

        Each query is encoded by itself, with its own length (``recsys.towers.frozen``).

        Args:
            batch: The queries.
            item_vectors: Vectors of the items in the histories, float32 ``[n, d]``, in memory or
                memory-mapped; more than the trained items where some are newer. The towers' own
                by default.

        Raises:
            DataError: The encoded terms do not have the width of the training, the item vectors
                are not float32 ``[n, d]`` or those of a history not finite, or a history holds a
                row outside them.
        """
        return self.encode_scaled(
            batch, self.item_vectors if item_vectors is None else item_vectors
        )

    def encode_many(self, batch: QueryBatch) -> Vectors:
        """As :meth:`encode`, with all CPUs."""
        return in_threads(self.encode, batch)

    def encode_scaled(
        self, batch: QueryBatch, item_vectors: Vectors, scale: float = 1.0
    ) -> Vectors:
        """As :meth:`encode`, with the item vectors multiplied by ``scale``."""
        expected, got = self.sizes["terms"], batch.terms.shape[1]
        if batch.terms_known.any() and self.terms_dimension and got != expected:
            raise DataError(f"the query tower reads terms of {expected} dimensions; got {got}")
        check_item_vectors(item_vectors, self.config.dimension)
        window = self.config.history.window
        parts = [history[-window:] if window else history[:0] for history in batch.histories]
        starts = np.zeros(len(parts) + 1, np.int64)
        np.cumsum([len(part) for part in parts], out=starts[1:])
        flat = np.concatenate(parts) if parts else np.zeros(0, np.int32)
        vectors = _vectors_at(flat, item_vectors)
        if scale != 1.0:
            vectors *= np.float32(scale)
        seconds, times_known = self._times(batch, starts)
        rows, known = self._table_rows(batch)
        absent = np.zeros(len(batch), np.bool_)
        return self._query_tower.encode(
            vectors,
            starts,
            seconds=seconds,
            times_known=times_known,
            rows=rows,
            known=known,
            terms=batch.terms,
            terms_known=batch.terms_known if self.terms_dimension else absent,
        )

    def encode_items(self, blocks: Sequence[FeatureBlock], rows: Rows | None = None) -> Vectors:
        """One vector per item of the blocks, float32 ``[n, d]``, as training would store it.

        An item unknown to training has no id vector and the length of the least popular item. One
        without content is zeros: its score is 0 for every query, and histories may hold it.

        Args:
            blocks: Feature blocks of the same n items, in any order; those that the towers do not
                read are ignored.
            rows: Rows of n trained items, to include their id vectors; None for items unknown to
                training.

        Raises:
            DataError: The catalogue is fixed; a block is missing, given twice, or has another
                width or number of items; a row is not that of a trained item; or the numbers of
                an item overflow.
        """
        if self._item_tower is None:
            raise DataError(
                "these towers have a fixed catalogue: they hold one vector per trained item and"
                " read no feature block; train with towers.blocks and without train.distillation"
                " to encode other items"
            )
        return self._item_tower.encode(blocks, rows)

    def renumbered(self, items: Rows, users: Rows, item_vectors: Vectors) -> Towers:
        """The same towers for other items and users, some of which training did not know.

        Args:
            items: Rows of the items that are left, int32, ascending; they are the first items of
                the new towers.
            users: Rows of the users that are left, int32, ascending; they are the first users.
            item_vectors: Vectors of all items of the new towers, float32 ``[n, d]``.
        """
        tower = self._item_tower
        if tower is not None:
            tower = tower.take(items[items < tower.items])
        users = users[users < self.sizes["users"]]
        weights = self._query_tower.weights_of_users(self.query_weights, users)
        sizes = {**self.sizes, "users": len(users)}
        return Towers(self.config, item_vectors, sizes, weights, tower)

    def _table_rows(self, batch: QueryBatch) -> tuple[dict[str, Rows], dict[str, Mask]]:
        """Rows in the tables of users and of context columns, and whether they are known."""
        # Users and values that are newer than the training have no row in its tables.
        rows = {"user": batch.users}
        known = {"user": batch.user_known & (batch.users < self.sizes["users"])}
        for name in self.config.context:
            key = f"context_{name}"
            rows[key] = batch.context.get(name, np.zeros(len(batch), np.int32))
            mask = batch.context_known.get(name, np.zeros(len(batch), np.bool_))
            known[key] = mask & (rows[key] < self.sizes[key])
        return rows, known

    def _times(self, batch: QueryBatch, starts: Numbers) -> tuple[Vectors, Mask]:
        """Seconds since the first item of each history that is read, and whether they are known."""
        seconds = np.zeros(starts[-1], np.float32)
        if batch.times is None or batch.times_known is None or not self.reads_times:
            return seconds, np.zeros(len(batch), np.bool_)
        lengths = np.diff(starts)
        known = batch.times_known & (lengths > 0)
        for query in np.flatnonzero(known).tolist():
            last = batch.times[query][-lengths[query] :]
            seconds[starts[query] : starts[query + 1]] = last - last[0]
        return seconds, known

    @cached_property
    def _query_tower(self) -> FrozenQueryTower:
        return FrozenQueryTower.of(self.config, self.sizes, self.query_weights)

    def save(self, folder: Path, *, items: Literal["write", "skip"] = "write") -> None:
        """Write the towers into a folder.

        Args:
            folder: Made where it is missing.
            items: Whether to write the item vectors; "skip" where the caller stores them.
        """
        write_towers(
            folder,
            self.config,
            self.sizes,
            self.query_weights,
            self._item_tower,
            self.item_vectors if items == "write" else None,
        )


def check_item_vectors(item_vectors: Vectors, dimension: int) -> None:
    """Check vectors of items that histories read.

    Raises:
        DataError: They are not float32 ``[n, dimension]``.
    """
    shape = item_vectors.shape
    if len(shape) != 2 or shape[1] != dimension or item_vectors.dtype != np.float32:
        raise DataError(
            f"the query tower reads item vectors of {dimension} dimensions, float32; got"
            f" {item_vectors.dtype} {list(shape)}"
        )


def _vectors_at(rows: Rows, item_vectors: Vectors) -> Vectors:
    low, high = int(rows.min(initial=0)), int(rows.max(initial=-1))
    if low < 0 or high >= len(item_vectors):
        raise DataError(
            f"histories must hold rows of the {len(item_vectors)} item vectors; got"
            f" {low if low < 0 else high}: drop items without a vector"
        )
    vectors = np.ascontiguousarray(item_vectors[rows])
    if not np.isfinite(vectors).all():
        raise DataError("the vectors of a history's items must be finite; encode the items again")
    return vectors


def in_threads(encode: Callable[[QueryBatch], Vectors], batch: QueryBatch) -> Vectors:
    """The vectors of all queries, of which each CPU encodes some at a time."""
    starts = range(0, len(batch), QUERIES_PER_THREAD)
    if len(starts) < 2:
        return encode(batch)
    parts = [batch.slice(start, start + QUERIES_PER_THREAD) for start in starts]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return np.concatenate(list(threads.map(encode, parts)))


def load_two_towers(folder: Path, item_vectors: Vectors | None = None) -> Towers:
    """Read what :meth:`Towers.save` wrote; see :func:`recsys.towers.storage.read_towers`."""
    return Towers(*read_towers(folder, item_vectors))


def freeze(config: TowersConfig, model: Any, sizes: dict[str, int]) -> Towers:
    """A copy of a model's towers that further training does not change.

    Id vectors that a graph smooths are stored smoothed.
    """
    of_users, _ = model.tables()
    weights = weights_of(model.query_tower, users=of_users)
    return Towers(config, model.item_vectors(), sizes, weights, model.frozen_items())


def towers_from_tables(config: TowersConfig, users: Vectors, items: Vectors) -> Towers:
    """Towers that look users and items up.

    Args:
        config: Towers that read a user's id and nothing else.
        users: float32 ``[users, d]``.
        items: float32 ``[items, d]``, none longer than 1.
    """
    sizes = {"users": len(users), "terms": 0}
    from recsys.towers.model.query_tower import QueryTower

    tower = QueryTower.empty(config, sizes)
    tower.user_table.assign(users)
    return Towers(config, items, sizes, weights_of(tower))


def weights_of(tower: QueryTower, users: Any = None) -> tuple[Vectors, ...]:
    """Copies of the weights of a query tower; ``users`` replaces its table of users, if given."""
    table = None if users is None else tower.user_table
    return tuple(
        np.asarray((users if weight is table else weight).numpy(), np.float32)
        for weight in tower.weights
    )
