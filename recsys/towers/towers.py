"""Trained towers: vectors of items and of queries, and their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recsys._tf import compiled, tf
from recsys.config import parse_config
from recsys.errors import DataError
from recsys.features import USER_VECTORS, FeatureBlock
from recsys.files import atomic_file, load_arrays, read_json, save_arrays, write_json
from recsys.ids import Rows, Vectors
from recsys.towers.config import TowersConfig
from recsys.towers.histories.build import Times
from recsys.towers.model.frozen_items import FrozenItemTower
from recsys.towers.model.query_tower import QueryTower
from recsys.towers.query import QueryBatch

FORMAT_VERSION = 3
FACTS, WEIGHTS, ITEMS, ITEM_IDS = "towers.json", "weights.npz", "items.npy", "item_ids.npy"
QUERY_PREFIX, ITEM_PREFIX = "query/", "item/"
Positions = npt.NDArray[np.intp]
POSITIONS_PER_CALL = 16_384
"""Padded history positions in one pass through the tower; bounds memory, not results."""
PADDING_PER_CALL = 512
"""Padding among these: a pass by itself costs as much as some hundred positions."""


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
    def encodes_items(self) -> bool:
        """Whether :meth:`encode_items` works; False for a fixed catalogue."""
        return bool(self.item_blocks)

    def encode(self, batch: QueryBatch, item_vectors: Vectors | None = None) -> Vectors:
        """One unit vector per query, float32 ``[b, d]``; the same alone as in any batch.

        Args:
            batch: The queries.
            item_vectors: Vectors of the items in the histories, float32 ``[n, d]``, in memory or
                memory-mapped; more than the trained items where some are newer. The towers' own
                by default.

        Raises:
            DataError: The encoded terms do not have the width of the training, or the item vectors
                do not have that of the towers.
        """
        return self.encode_scaled(
            batch, self.item_vectors if item_vectors is None else item_vectors
        )

    def encode_scaled(
        self, batch: QueryBatch, item_vectors: Vectors, scale: float = 1.0
    ) -> Vectors:
        """As :meth:`encode`, with the item vectors multiplied by ``scale``."""
        expected, got = self.sizes["terms"], batch.terms.shape[1]
        if batch.terms_known.any() and self.terms_dimension and got != expected:
            raise DataError(f"the query tower reads terms of {expected} dimensions; got {got}")
        if item_vectors.shape[1] != self.config.dimension:
            raise DataError(
                f"the query tower reads item vectors of {self.config.dimension} dimensions; got"
                f" {item_vectors.shape[1]}"
            )
        out = np.empty((len(batch), self.config.dimension), np.float32)
        window = self.config.history.window
        lengths = np.array([min(len(history), window) for history in batch.histories], np.int32)
        order = np.argsort(lengths, kind="stable")
        for chosen in np.split(order, _passes(lengths[order])):
            if len(chosen):
                rows = _history_rows(batch, chosen, lengths[chosen])
                vectors = item_vectors[rows]
                if scale != 1.0:
                    vectors *= np.float32(scale)
                inputs = self._inputs(batch, chosen, lengths[chosen])
                out[chosen] = self._query_vectors(
                    tf.constant(vectors), tf.constant(lengths[chosen]), inputs
                ).numpy()
        return out

    def encode_items(self, blocks: Sequence[FeatureBlock], rows: Rows | None = None) -> Vectors:
        """One vector per item of the blocks, float32 ``[n, d]``, as training would store it.

        An item unknown to training has no id vector and the length of the least popular item; one
        without content is zeros.

        Args:
            blocks: Feature blocks of the same n items; those that the towers do not read are
                ignored.
            rows: Rows of n trained items, to include their id vectors; None for items unknown to
                training.

        Raises:
            DataError: The catalogue is fixed; a block is missing or has another width or number
                of items; or a row is not that of a trained item.
        """
        if self._item_tower is None:
            raise DataError(
                "these towers have a fixed catalogue: they hold one vector per trained item and"
                " read no feature block; train with towers.blocks and without train.distillation"
                " to encode other items"
            )
        return self._item_tower.encode(blocks, rows)

    def _inputs(self, batch: QueryBatch, chosen: Positions, lengths: Rows) -> dict[str, Any]:
        seconds, times_known = self._times(batch, chosen, lengths)
        known = {"user_known": batch.user_known, "terms_known": batch.terms_known}
        terms = np.zeros((len(chosen), self.sizes["terms"]), np.float32)
        if self.terms_dimension and batch.terms_known.any():
            terms = batch.terms[chosen]
        inputs = {"user": np.where(batch.user_known, batch.users, 0)[chosen], "terms": terms}
        for name in self.config.context:
            rows = batch.context.get(name, np.zeros(len(batch), np.int32))
            mask = batch.context_known.get(name, np.zeros(len(batch), np.bool_))
            inputs[f"context_{name}"] = np.where(mask, rows, 0)[chosen]
            known[f"context_{name}_known"] = mask
        return {
            **{name: tf.constant(part) for name, part in inputs.items()},
            **{name: tf.constant(mask[chosen], tf.float32) for name, mask in known.items()},
            "seconds": tf.constant(seconds),
            "times_known": tf.constant(times_known),
        }

    def _times(
        self, batch: QueryBatch, chosen: Positions, lengths: Rows
    ) -> tuple[Vectors, Vectors]:
        """Seconds since the first item of each history that is read, and whether they are known."""
        width = int(lengths.max()) if self.config.history.reads_times else 0
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
                history = tf.math.l2_normalize(history, axis=2)
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
        folder.mkdir(parents=True, exist_ok=True)
        tower = self._item_tower
        query = {f"{at:03d}": w.numpy() for at, w in enumerate(self._query_tower.weights)}
        weights = {QUERY_PREFIX + name: array for name, array in query.items()}
        if tower is not None:
            weights |= {ITEM_PREFIX + name: array for name, array in tower.arrays().items()}
            if tower.ids is not None:
                save_matrix(folder / ITEM_IDS, tower.ids)
        save_arrays(folder / WEIGHTS, weights)
        if items == "write":
            save_matrix(folder / ITEMS, self.item_vectors)
        facts = {
            "format": FORMAT_VERSION,
            "config": self.config.model_dump(mode="json"),
            "sizes": self.sizes,
            "blocks": self.item_blocks,
        }
        write_json(folder / FACTS, facts)


def _history_rows(batch: QueryBatch, chosen: Positions, lengths: Rows) -> Rows:
    """The last rows of each history, int32 ``[b, t]``, padded with row 0."""
    rows = np.zeros((len(chosen), int(lengths.max())), np.int32)
    for line, (query, length) in enumerate(zip(chosen, lengths)):
        if length:
            rows[line, :length] = batch.histories[query][-length:]
    return rows


def _passes(lengths: Rows) -> list[int]:
    """Where, in histories of ascending lengths, each next pass through the tower begins."""
    begins, at, real = [], 0, 0
    for stop, length in enumerate(lengths.tolist()):
        positions = (stop - at + 1) * (length + 1)  # the last is the longest
        real += length + 1
        if stop > at and (positions > POSITIONS_PER_CALL or positions - real > PADDING_PER_CALL):
            begins.append(stop)
            at, real = stop, length + 1
    return begins


def load_two_towers(folder: Path, item_vectors: Vectors | None = None) -> Towers:
    """Read what :meth:`Towers.save` wrote.

    Args:
        folder: The folder of the towers.
        item_vectors: The item vectors, where the folder does not hold them.

    Raises:
        DataError: A file is missing, damaged, or does not fit the others.
    """
    facts = read_facts(folder)
    config = parse_config(facts["config"], TowersConfig, source=str(folder / FACTS))
    try:
        sizes = {name: int(size) for name, size in facts["sizes"].items()}
        widths = {name: int(width) for name, width in facts["blocks"].items()}
        weights = load_arrays(folder / WEIGHTS)
        items = load_matrix(folder / ITEMS) if item_vectors is None else item_vectors
        has_ids = bool(widths) and config.item_id != "none"
        ids = load_matrix(folder / ITEM_IDS) if has_ids else None
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise _unreadable(folder, error) from error
    own = [*weights.values(), *([items] if item_vectors is None else [])]
    if not all(np.isfinite(part).all() for part in own):
        raise DataError(f"the weights in {folder} hold values that are not finite: train again")
    query_tower = _empty_query_tower(config, sizes)
    query, item = (_below(weights, prefix) for prefix in (QUERY_PREFIX, ITEM_PREFIX))
    arrays = [query[name] for name in sorted(query)]
    tower = None
    try:
        if [tuple(w.shape) for w in query_tower.weights] != [part.shape for part in arrays]:
            raise ValueError("the query tower has weights of other shapes")
        matrices = [items] if ids is None else [items, ids]
        if any(len(m) > len(items) or m.shape[1] != config.dimension for m in matrices):
            raise ValueError("the matrices of items have other shapes")
        if widths:
            tower = FrozenItemTower.from_arrays(item, widths, config.projection_widths, ids)
    except ValueError as error:
        raise DataError(
            f"the weights in {folder} do not fit its {FACTS} ({error}): train again"
        ) from error
    query_tower.set_weights(arrays)
    return Towers(config, items, sizes, query_tower, tower)


def _below(arrays: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def save_matrix(path: Path, matrix: Vectors) -> None:
    """Write a ``.npy`` file atomically: one that is mapped stays as it is."""
    with atomic_file(path) as part, part.open("wb") as file:
        np.save(file, matrix, allow_pickle=False)


def load_matrix(path: Path) -> Vectors:
    """A memory-mapped matrix.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a whole ``.npy`` file of a float32 matrix.
    """
    try:
        matrix: Vectors = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except EOFError as error:
        raise ValueError(f"{path.name} is empty") from error
    if matrix.ndim != 2 or matrix.dtype != np.float32:
        raise ValueError(f"{path.name} must be a float32 matrix; got {matrix.dtype} {matrix.shape}")
    return matrix


def read_facts(folder: Path) -> dict[str, Any]:
    """The content of ``towers.json`` in a folder.

    Raises:
        DataError: It is missing, damaged, or of another format.
    """
    try:
        facts: dict[str, Any] = read_json(folder / FACTS)
        found = facts.get("format")
    except (OSError, ValueError, AttributeError) as error:
        raise _unreadable(folder, error) from error
    if found != FORMAT_VERSION:
        raise DataError(
            f"towers in {folder} have format {found}; this version reads {FORMAT_VERSION}: train"
            " again or use the version that wrote them"
        )
    return facts


def _unreadable(folder: Path, error: Exception) -> DataError:
    return DataError(f"cannot read the towers in {folder}: {error}; train again")


def freeze(config: TowersConfig, model: Any, sizes: dict[str, int]) -> Towers:
    """A copy of a model's towers that further training does not change.

    Id vectors that a graph smooths are stored smoothed.
    """
    of_users, _ = model.tables()
    tower = _empty_query_tower(config, sizes)
    tower.set_weights(model.query_tower.get_weights())
    if of_users is not None:
        tower.user_table.assign(of_users)
    return Towers(config, model.vectors_at_rest(), sizes, tower, model.frozen_items())


def towers_from_tables(config: TowersConfig, users: Vectors, items: Vectors) -> Towers:
    """Towers that look users and items up.

    Args:
        config: Towers that read a user's id and nothing else.
        users: float32 ``[users, d]``.
        items: float32 ``[items, d]``, none longer than 1.
    """
    sizes = {"users": len(users), "terms": 0}
    tower = _empty_query_tower(config, sizes)
    tower.user_table.assign(users)
    return Towers(config, items, sizes, tower)


def _empty_query_tower(config: TowersConfig, sizes: dict[str, int]) -> QueryTower:
    """A query tower with weights of the right shapes."""
    contexts = {name: sizes[f"context_{name}"] for name in config.context}
    width, users = sizes.get("user_vectors", 0), sizes["users"]
    block = None
    if width:
        zeros = np.zeros((users, width), np.float32)
        block = FeatureBlock(zeros, np.zeros(users, np.bool_), USER_VECTORS)
    tower = QueryTower(config, users, contexts, block)
    zero, none = tf.zeros((1,), tf.int32), tf.zeros((1,))
    inputs = {
        "state": tower.states(tf.zeros((1, 1, config.dimension)))[:, -1],
        "user": zero,
        "user_known": none,
        "terms": tf.zeros((1, sizes["terms"])),
        "terms_known": none,
    }
    for name in config.context:
        inputs |= {f"context_{name}": zero, f"context_{name}_known": none}
    tower(inputs)
    return tower
