"""Trained towers, ready to answer: item vectors as a table, queries through the query tower."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys._tf import compiled, tf
from recsys.config import parse_config
from recsys.errors import DataError
from recsys.features import USER_VECTORS, FeatureBlock
from recsys.files import load_arrays, read_json, save_arrays, write_json
from recsys.ids import Rows, Vectors
from recsys.towers.config import TowersConfig
from recsys.towers.histories.build import Times
from recsys.towers.model.query_tower import QueryTower
from recsys.towers.query import QueryBatch

FORMAT_VERSION = 2
FACTS = "towers.json"
Places = npt.NDArray[np.intp]
POSITIONS_A_CALL = 16_384
"""Padded history positions in one pass through the tower; bounds memory, not results."""
PADDING_A_CALL = 512
"""Of these, what may be padding: a pass by itself costs as much as some hundred positions."""


@dataclass(frozen=True, eq=False)
class Towers:
    """Towers at rest: nothing in here changes after it is made.

    Attributes:
        config: What the towers read.
        item_vectors: The item tower's output for every item, float32 ``[items, d]``: of unit
            length, or shorter by ``config.popularity`` or by what a student learned.
        sizes: ``users``, ``terms`` (width of encoded terms), ``context_NAME`` counts and, where
            vectors of users are read, their width ``user_vectors``.

    Example:
        See ``examples/train_towers.py``, which trains a pair and asks it.
    """

    config: TowersConfig
    item_vectors: Vectors
    sizes: dict[str, int]
    _tower: QueryTower
    _item_weights: dict[str, npt.NDArray[Any]]

    @property
    def terms_dimension(self) -> int:
        """Width of the encoded terms that :meth:`encode` reads; 0 where it reads none."""
        return self.sizes["terms"] if self.config.terms == "projection" else 0

    @property
    def reads(self) -> frozenset[str]:
        """Which of "history", "user" and "terms" make a difference to a query's vector."""
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

    def encode(self, batch: QueryBatch) -> Vectors:
        """One unit vector a query, float32 ``[b, d]``; the same alone as in any batch.

        Raises:
            DataError: The encoded terms do not have the width that the tower was trained on.
        """
        wanted, came = self.sizes["terms"], batch.terms.shape[1]
        if batch.terms_known.any() and self.terms_dimension and came != wanted:
            raise DataError(f"the query tower reads terms of {wanted} dimensions; {came} came")
        out = np.empty((len(batch), self.config.dimension), np.float32)
        window = self.config.history.window
        lengths = np.array([min(len(history), window) for history in batch.histories], np.int32)
        order = np.argsort(lengths, kind="stable")
        for chosen in np.split(order, _passes(lengths[order])):
            if len(chosen):
                out[chosen] = self._answer(*self._inputs(batch, chosen, lengths[chosen])).numpy()
        return out

    def _inputs(self, batch: QueryBatch, chosen: Places, lengths: Rows) -> tuple[Any, Any, Any]:
        width = int(lengths.max()) if len(lengths) else 0
        histories = np.zeros((len(chosen), width), np.int32)
        for line, (query, length) in enumerate(zip(chosen, lengths)):
            if length:
                histories[line, :length] = batch.histories[query][-length:]
        seconds, timed = self._times(batch, chosen, lengths)
        known = {"user_known": batch.user_known, "terms_known": batch.terms_known}
        terms = np.zeros((len(chosen), self.sizes["terms"]), np.float32)
        if self.terms_dimension and batch.terms_known.any():
            terms = batch.terms[chosen]
        inputs = {"user": np.where(batch.user_known, batch.users, 0)[chosen], "terms": terms}
        for name in self.config.context:
            rows = batch.context.get(name, np.zeros(len(batch), np.int32))
            here = batch.context_known.get(name, np.zeros(len(batch), np.bool_))
            inputs[f"context_{name}"] = np.where(here, rows, 0)[chosen]
            known[f"context_{name}_known"] = here
        told = {
            **{name: tf.constant(part) for name, part in inputs.items()},
            **{name: tf.constant(mask[chosen], tf.float32) for name, mask in known.items()},
            "seconds": tf.constant(seconds),
            "times_known": tf.constant(timed),
        }
        return tf.constant(histories), tf.constant(lengths), told

    def _times(self, batch: QueryBatch, chosen: Places, lengths: Rows) -> tuple[Vectors, Vectors]:
        """Seconds since each history's first item that is read, and for which they are known."""
        width = int(lengths.max()) if len(lengths) and self.config.history.reads_times else 0
        seconds = np.zeros((len(chosen), width), np.float32)
        timed = np.zeros(len(chosen), np.float32)
        if batch.times is None or batch.times_known is None or not width:
            return seconds, timed
        for line, (query, length) in enumerate(zip(chosen, lengths)):
            if length and batch.times_known[query]:
                last = batch.times[query][-length:]
                seconds[line, :length], timed[line] = last - last[0], 1
        return seconds, timed

    @cached_property
    def _table(self) -> Any:
        table = tf.constant(self.item_vectors)
        # A history is read as in training, where every item has unit length.
        return tf.math.l2_normalize(table, axis=1) if self.config.popularity else table

    @cached_property
    def _answer(self) -> Any:
        tower, table = self._tower, self._table
        timed = self.config.history.reads_times

        def answer(histories: Any, lengths: Any, inputs: Any) -> Any:
            times = Times(inputs["seconds"], inputs["times_known"]) if timed else None
            states = tower.states(tf.gather(table, histories), times)
            last = tf.gather(states, lengths, batch_dims=1)  # state j stands for j items
            return tower({"state": last, **inputs})

        of_queries, whole = tf.TensorSpec([None], tf.float32), tf.TensorSpec([None], tf.int32)
        inputs = {"user": whole, "user_known": of_queries, "terms_known": of_queries}
        inputs["terms"] = tf.TensorSpec([None, self.sizes["terms"]], tf.float32)
        inputs |= {"seconds": tf.TensorSpec([None, None], tf.float32), "times_known": of_queries}
        for name in self.config.context:
            inputs |= {f"context_{name}": whole, f"context_{name}_known": of_queries}
        histories = tf.TensorSpec([None, None], tf.int32)
        # One trace for every shape there can be: a service must not stop to compile.
        return compiled(answer, input_signature=[histories, whole, inputs])

    def save(self, folder: Path) -> None:
        """Write ``towers.json``, ``weights.npz`` and ``items.npy`` into ``folder``."""
        facts = {
            "format": FORMAT_VERSION,
            "config": self.config.model_dump(mode="json"),
            "sizes": self.sizes,
        }
        query = {f"query/{at:03d}": w.numpy() for at, w in enumerate(self._tower.weights)}
        weights: dict[str, Any] = {**query, **self._item_weights}
        save_arrays(folder / "weights.npz", weights)
        np.save(folder / "items.npy", self.item_vectors)
        write_json(folder / FACTS, facts)


def _passes(lengths: Rows) -> list[int]:
    """Where, in histories of ascending lengths, each next pass through the tower begins."""
    begins, at, real = [], 0, 0
    for stop, length in enumerate(lengths.tolist()):
        positions = (stop - at + 1) * (length + 1)  # the last is the longest
        real += length + 1
        if stop > at and (positions > POSITIONS_A_CALL or positions - real > PADDING_A_CALL):
            begins.append(stop)
            at, real = stop, length + 1
    return begins


def load_pair(folder: Path) -> Towers:
    """Read towers as :meth:`Towers.save` wrote them.

    Raises:
        DataError: A file is missing, damaged, or does not fit the others.
    """
    facts = read_facts(folder)
    try:
        weights = load_arrays(folder / "weights.npz")
        items = np.load(folder / "items.npy", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _unreadable(folder, error) from error
    config = parse_config(facts["config"], TowersConfig, source=str(folder / FACTS))
    sizes = {name: int(size) for name, size in facts["sizes"].items()}
    tower = _empty_tower(config, sizes)
    query = [weights[name] for name in sorted(weights) if name.startswith("query/")]
    shapes = [tuple(weight.shape) for weight in tower.weights]
    if shapes != [part.shape for part in query] or items.ndim != 2:
        raise DataError(f"the weights in {folder} do not fit its towers.json: train anew")
    if not all(np.isfinite(part).all() for part in [*query, items]):
        raise DataError(f"the weights in {folder} hold values that are not finite: train anew")
    tower.set_weights(query)
    rest = {name: part for name, part in weights.items() if not name.startswith("query/")}
    return Towers(config, items.astype(np.float32), sizes, tower, rest)


def read_facts(folder: Path) -> dict[str, Any]:
    """What ``towers.json`` in a folder tells.

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
            " anew or use the version that wrote them"
        )
    return facts


def _unreadable(folder: Path, error: Exception) -> DataError:
    return DataError(f"cannot read the towers in {folder}: {error}; train anew")


def freeze(config: TowersConfig, model: Any, sizes: dict[str, int]) -> Towers:
    """A copy of a model's towers that further training does not change.

    Tables that are smoothed over a graph are kept as they are after it.

    Args:
        config: The towers.
        model: A :class:`recsys.towers.model.two_towers.TwoTowers`.
        sizes: As in :class:`Towers`.
    """
    of_users, _ = model.tables()
    tower = _empty_tower(config, sizes)
    tower.set_weights(model.query_tower.get_weights())
    if of_users is not None:
        tower.user_table.assign(of_users)
    rest = {f"item/{at:03d}": w.numpy() for at, w in enumerate(model.item_tower.weights)}
    return Towers(config, model.vectors_at_rest(), sizes, tower, rest)


def by_tables(config: TowersConfig, users: Vectors, items: Vectors) -> Towers:
    """Towers that look users and items up.

    Args:
        config: Towers that read a user's id and nothing else.
        users: float32 ``[users, d]``.
        items: float32 ``[items, d]``, none longer than 1.
    """
    sizes = {"users": len(users), "terms": 0}
    tower = _empty_tower(config, sizes)
    tower.user_table.assign(users)
    return Towers(config, items, sizes, tower, {})


def _empty_tower(config: TowersConfig, sizes: dict[str, int]) -> QueryTower:
    """A query tower whose weights exist but mean nothing yet."""
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
        inputs[f"context_{name}"] = zero
        inputs[f"context_{name}_known"] = none
    tower(inputs)
    return tower
