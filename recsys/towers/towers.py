"""Trained towers: vectors of items and of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recsys._tf import compiled, tf
from recsys.errors import DataError
from recsys.features import FeatureBlock
from recsys.ids import Rows, Vectors
from recsys.towers.config import TowersConfig
from recsys.towers.histories.build import Times
from recsys.towers.model.frozen_items import FrozenItemTower
from recsys.towers.model.query_tower import QueryTower
from recsys.towers.query import QueryBatch
from recsys.towers.storage import read_towers, write_towers

Positions = npt.NDArray[np.intp]
Passes = Callable[[Rows, int], Iterable[tuple[Positions, int]]]
"""Split of queries, by the lengths of their histories and the window, into passes and widths."""
POSITIONS_PER_CALL = 16_384
"""Padded history positions in one pass through the tower; bounds memory, not results."""
PADDING_PER_CALL = 512
"""Padding among these: a pass by itself costs as much as some hundred positions."""
QUERIES_PER_PASS = 8
"""Number of queries in each pass of :meth:`Towers.encode`, one vector register of float32: kernels
of TensorFlow round differently for each shape, and for queries after the last full register."""


@dataclass(frozen=True, eq=False)
class Towers:
    """A trained two-tower model; immutable.

    Attributes:
        config: Inputs of the towers.
        item_vectors: The item tower's output for every item, float32 ``[items, d]``: of unit
            length, or shorter by ``config.popularity`` or the training of a student.
        sizes: ``users``, ``terms`` (width of encoded terms), ``context_NAME`` counts and, where
            vectors of users are read, their width ``user_vectors``.

    Example:
        See ``examples/train_towers.py``.
    """

    config: TowersConfig
    item_vectors: Vectors
    sizes: dict[str, int]
    _query_tower: QueryTower
    _item_tower: FrozenItemTower | None = None

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

        Every pass through the tower has the same number of queries, and a width that depends on the
        query's own history only. :meth:`encode_many` is faster for thousands of queries.

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
        """As :meth:`encode`, in large passes; vectors differ from its by float32 rounding."""
        return self.encode_scaled(batch, self.item_vectors, passes=large_passes)

    def encode_scaled(
        self,
        batch: QueryBatch,
        item_vectors: Vectors,
        scale: float = 1.0,
        *,
        passes: Passes | None = None,
    ) -> Vectors:
        """As :meth:`encode`, with the item vectors multiplied by ``scale``."""
        expected, got = self.sizes["terms"], batch.terms.shape[1]
        if batch.terms_known.any() and self.terms_dimension and got != expected:
            raise DataError(f"the query tower reads terms of {expected} dimensions; got {got}")
        check_item_vectors(item_vectors, self.config.dimension)
        out = np.empty((len(batch), self.config.dimension), np.float32)
        window = self.config.history.window
        lengths = np.array([min(len(history), window) for history in batch.histories], np.int32)
        for chosen, width in (passes or _equal_passes)(lengths, window):
            rows = _history_rows(batch, chosen, lengths[chosen], width)
            vectors = _vectors_at(rows, item_vectors)
            if scale != 1.0:
                vectors *= np.float32(scale)
            inputs = self._inputs(batch, chosen, lengths[chosen], width)
            out[chosen] = self._query_vectors(
                tf.constant(vectors), tf.constant(lengths[chosen]), inputs
            ).numpy()
        return out

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
        sizes = {**self.sizes, "users": len(users)}
        query_tower = QueryTower.empty(self.config, sizes)
        query_tower.set_weights(self._query_tower.weights_of_users(users))
        return Towers(self.config, item_vectors, sizes, query_tower, tower)

    def _inputs(
        self, batch: QueryBatch, chosen: Positions, lengths: Rows, width: int
    ) -> dict[str, Any]:
        seconds, times_known = self._times(batch, chosen, lengths, width)
        # Users and values that are newer than the training have no row in its tables.
        of_training = batch.user_known & (batch.users < self.sizes["users"])
        known = {"user_known": of_training, "terms_known": batch.terms_known}
        terms = np.zeros((len(chosen), self.sizes["terms"]), np.float32)
        if self.terms_dimension and batch.terms_known.any():
            terms = batch.terms[chosen]
        inputs = {"user": np.where(of_training, batch.users, 0)[chosen], "terms": terms}
        for name in self.config.context:
            rows = batch.context.get(name, np.zeros(len(batch), np.int32))
            mask = batch.context_known.get(name, np.zeros(len(batch), np.bool_))
            mask = mask & (rows < self.sizes[f"context_{name}"])
            inputs[f"context_{name}"] = np.where(mask, rows, 0)[chosen]
            known[f"context_{name}_known"] = mask
        return {
            **{name: tf.constant(part) for name, part in inputs.items()},
            **{name: tf.constant(mask[chosen], tf.float32) for name, mask in known.items()},
            "seconds": tf.constant(seconds),
            "times_known": tf.constant(times_known),
        }

    def _times(
        self, batch: QueryBatch, chosen: Positions, lengths: Rows, width: int
    ) -> tuple[Vectors, Vectors]:
        """Seconds since the first item of each history that is read, and whether they are known."""
        width = width if self.config.history.reads_times else 0
        seconds = np.zeros((len(chosen), width), np.float32)
        known = np.zeros(len(chosen), np.float32)
        if batch.times is None or batch.times_known is None or not width:
            return seconds, known
        for line, (query, length) in enumerate(zip(chosen, lengths)):
            if length and batch.times_known[query]:
                last = batch.times[query][-length:]
                seconds[line, :length], known[line] = last - last[0], 1
        return seconds, known

    @cached_property
    def _query_vectors(self) -> Any:
        tower, config = self._query_tower, self.config

        def query_vectors(history: Any, lengths: Any, inputs: Any) -> Any:
            if config.popularity:  # in training, every item of a history has unit length
                # The stored length of a rare item may be 1e-7; zeros stay zeros.
                history = tf.math.l2_normalize(history, axis=2, epsilon=1e-24)
            reads_times = config.history.reads_times
            times = Times(inputs["seconds"], inputs["times_known"]) if reads_times else None
            states = tower.states(history, times)
            last = tf.gather(states, lengths, batch_dims=1)  # state j is that after j items
            return tower({"state": last, **inputs})

        mask, whole = tf.TensorSpec([None], tf.float32), tf.TensorSpec([None], tf.int32)
        inputs = {"user": whole, "user_known": mask, "terms_known": mask}
        inputs["terms"] = tf.TensorSpec([None, self.sizes["terms"]], tf.float32)
        inputs |= {"seconds": tf.TensorSpec([None, None], tf.float32), "times_known": mask}
        for name in config.context:
            inputs |= {f"context_{name}": whole, f"context_{name}_known": mask}
        history = tf.TensorSpec([None, None, config.dimension], tf.float32)
        # One trace for every shape there can be: a service must not stop to compile.
        return compiled(query_vectors, input_signature=[history, whole, inputs])

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
            self._query_tower,
            self._item_tower,
            self.item_vectors if items == "write" else None,
        )


def _history_rows(batch: QueryBatch, chosen: Positions, lengths: Rows, width: int) -> Rows:
    """The last rows of each history, int32 ``[b, width]``, padded with row 0."""
    rows = np.zeros((len(chosen), width), np.int32)
    for line, (query, length) in enumerate(zip(chosen, lengths)):
        if length:
            rows[line, :length] = batch.histories[query][-length:]
    return rows


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
    vectors: Vectors = item_vectors[rows]
    if not np.isfinite(vectors).all():
        raise DataError("the vectors of a history's items must be finite; encode the items again")
    return vectors


def _equal_passes(lengths: Rows, window: int) -> Iterator[tuple[Positions, int]]:
    """Passes of ``QUERIES_PER_PASS`` queries; a width is a power of two, the window, or 0.

    Queries of the last pass of a width are repeated to fill it.
    """
    widths = np.array([_width(length, window) for length in lengths.tolist()], np.int32)
    for width in np.unique(widths).tolist():
        positions = np.flatnonzero(widths == width)
        for start in range(0, len(positions), QUERIES_PER_PASS):
            chosen = positions[start : start + QUERIES_PER_PASS]
            yield np.resize(chosen, QUERIES_PER_PASS), width


def _width(length: int, window: int) -> int:
    return min(1 << (length - 1).bit_length(), window) if length else 0


def large_passes(lengths: Rows, window: int) -> Iterator[tuple[Positions, int]]:
    """Passes of queries of similar length, as wide as the longest of each."""
    order = np.argsort(lengths, kind="stable")
    for chosen in np.split(order, _begins(lengths[order])):
        if len(chosen):
            yield chosen, int(lengths[chosen].max())


def _begins(lengths: Rows) -> list[int]:
    """Where, in histories of ascending lengths, each next large pass begins."""
    begins, at, real = [], 0, 0
    for stop, length in enumerate(lengths.tolist()):
        positions = (stop - at + 1) * (length + 1)  # the last is the longest
        real += length + 1
        if stop > at and (positions > POSITIONS_PER_CALL or positions - real > PADDING_PER_CALL):
            begins.append(stop)
            at, real = stop, length + 1
    return begins


def load_two_towers(folder: Path, item_vectors: Vectors | None = None) -> Towers:
    """Read what :meth:`Towers.save` wrote; see :func:`recsys.towers.storage.read_towers`."""
    return Towers(*read_towers(folder, item_vectors))


def freeze(config: TowersConfig, model: Any, sizes: dict[str, int]) -> Towers:
    """A copy of a model's towers that further training does not change.

    Id vectors that a graph smooths are stored smoothed.
    """
    of_users, _ = model.tables()
    tower = QueryTower.empty(config, sizes)
    tower.set_weights(model.query_tower.get_weights())
    if of_users is not None:
        tower.user_table.assign(of_users)
    return Towers(config, model.item_vectors(), sizes, tower, model.frozen_items())


def towers_from_tables(config: TowersConfig, users: Vectors, items: Vectors) -> Towers:
    """Towers that look users and items up.

    Args:
        config: Towers that read a user's id and nothing else.
        users: float32 ``[users, d]``.
        items: float32 ``[items, d]``, none longer than 1.
    """
    sizes = {"users": len(users), "terms": 0}
    tower = QueryTower.empty(config, sizes)
    tower.user_table.assign(users)
    return Towers(config, items, sizes, tower)
