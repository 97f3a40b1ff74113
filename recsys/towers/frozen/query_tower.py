"""The query tower after training, as arrays: queries in, unit vectors out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from recsys.ids import Mask, Rows, Vectors
from recsys.towers.config import TowersConfig
from recsys.towers.frozen.hstu import FrozenHstu
from recsys.towers.frozen.kernels import product, scale_to_unit
from recsys.towers.frozen.transformer import FrozenTransformer
from recsys.towers.frozen.weights import WeightReader
from recsys.towers.histories.configs import HstuHistory, MeanHistory, NoHistory

Numbers = npt.NDArray[np.int64]
_SHORTEST = np.float32(1e-12)
"""As in ``tf.math.l2_normalize``."""
_SHORTEST_ITEM = np.float32(1e-24)
"""As for the items of a history in ``recsys.towers.towers``."""


class HistoryStates(Protocol):
    """A trained history encoder as arrays."""

    def states(self, vectors: Vectors, starts: Numbers, seconds: Vectors, known: Mask) -> Vectors:
        """State after each history, float32 ``[b, d]``.

        Args:
            vectors: Item vectors of all histories, one after the other, float32 ``[n, d]``.
            starts: Begin of each history in them, and the end, int64 ``[b + 1]``.
            seconds: Seconds since the first item of its history, float32 ``[n]``.
            known: Whether the times of a history are known, bool ``[b]``.
        """


@dataclass(frozen=True, eq=False)
class FrozenMean:
    """A trained :class:`recsys.towers.histories.mean.Mean` as arrays.

    Attributes:
        ages: Logits of the weights by age, float32 ``[window]``.
        kernel: W, float32 ``[d, d]``.
        bias: b, float32 ``[d]``.
    """

    ages: Vectors
    kernel: Vectors
    bias: Vectors

    def states(self, vectors: Vectors, starts: Numbers, seconds: Vectors, known: Mask) -> Vectors:
        """State after each history; see :class:`HistoryStates`."""
        means = np.zeros((len(starts) - 1, len(self.bias)), np.float32)
        for query, (start, stop) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist())):
            if stop > start:
                logits = self.ages[: stop - start][::-1]
                shares = np.exp(logits - logits.max())
                shares = (shares / shares.sum())[None]
                means[query] = _product(shares, vectors[start:stop], np.zeros_like(self.bias))[0]
        return _product(means, self.kernel, self.bias)


@dataclass(frozen=True, eq=False)
class FrozenStart:
    """The history encoder without a history: one state for all, float32 ``[d]``."""

    begin: Vectors

    def states(self, vectors: Vectors, starts: Numbers, seconds: Vectors, known: Mask) -> Vectors:
        """The state, for each query."""
        return np.tile(self.begin, (len(starts) - 1, 1))


@dataclass(frozen=True, eq=False)
class FrozenQueryTower:
    """A trained :class:`recsys.towers.model.query_tower.QueryTower` as arrays.

    Attributes:
        history: The history encoder.
        unit_items: Whether items of a history are scaled to unit length.
        tables: Vector per row of ``user`` and of each context column, by name.
        user_vectors: Vectors of the users from another model, their mask as numbers, and the kernel
            and bias of their projection, or None.
        terms: Kernel and bias of the projection of terms, or None.
        user_weights: Positions of the weights with one row per user.
    """

    history: HistoryStates
    unit_items: bool
    tables: Mapping[str, Vectors]
    user_vectors: tuple[Vectors, Vectors, Vectors, Vectors] | None
    terms: tuple[Vectors, Vectors] | None
    user_weights: tuple[int, ...]

    @classmethod
    def of(
        cls, config: TowersConfig, sizes: Mapping[str, int], weights: Sequence[Vectors]
    ) -> FrozenQueryTower:
        """The tower with the weights of a Keras one, in their order there.

        Raises:
            ValueError: The number of weights, or the shape of one, does not fit.
        """
        d, reader, tables = config.dimension, WeightReader(weights), dict[str, Vectors]()
        history = _take_history(reader, config)
        of_users = []
        if config.user_id == "embedding":
            of_users.append(reader.position)
            tables["user"] = reader.take(max(sizes["users"], 1), d)
        user_vectors = None
        width = sizes.get("user_vectors", 0) if config.user_vectors == "projection" else 0
        if width:
            kernel, bias = reader.take(width, d), reader.take(d)
            of_users += [reader.position, reader.position + 1]
            vectors, mask = reader.take(sizes["users"], width), reader.take(sizes["users"])
            user_vectors = vectors, mask, kernel, bias
        terms = None
        if config.terms == "projection":
            kernel, centred = reader.take(sizes["terms"], d), config.initial == "identity"
            terms = kernel, reader.take(d) if centred else np.zeros(d, np.float32)
        for name in config.context:
            tables[f"context_{name}"] = reader.take(sizes[f"context_{name}"], d)
        reader.finish()
        return cls(history, config.popularity > 0, tables, user_vectors, terms, tuple(of_users))

    def weights_of_users(self, weights: Sequence[Vectors], users: Rows) -> tuple[Vectors, ...]:
        """The weights, those with a row per user for some users only, in the order of their rows.

        The table of ids has one row, which is never read, where there are no users.
        """
        some = list(weights)
        for at in self.user_weights:
            chosen = some[at][users]
            is_id = "user" in self.tables and at == self.user_weights[0]
            some[at] = chosen if len(users) or not is_id else np.zeros_like(some[at][:1])
        return tuple(some)

    def encode(
        self,
        vectors: Vectors,
        starts: Numbers,
        *,
        seconds: Vectors,
        times_known: Mask,
        rows: Mapping[str, Rows],
        known: Mapping[str, Mask],
        terms: Vectors,
        terms_known: Mask,
    ) -> Vectors:
        """Unit vectors ``[b, d]``; the same bits alone as in any batch.

        Args:
            vectors: As for :class:`HistoryStates`; written where ``unit_items``.
            starts: As for :class:`HistoryStates`.
            seconds: As for :class:`HistoryStates`.
            times_known: As for :class:`HistoryStates`.
            rows: Row per query of ``user`` and of each context column, int32 ``[b]``.
            known: Whether each is known, bool ``[b]``.
            terms: Encoded terms, float32 ``[b, t]``.
            terms_known: Whether they are known, bool ``[b]``.
        """
        if self.unit_items:
            scale_to_unit(vectors, _SHORTEST_ITEM)
        total = self.history.states(vectors, starts, seconds, times_known)
        _add(total, self.tables.get("user"), rows["user"], known["user"])
        if self.user_vectors is not None and known["user"].any():
            chosen = np.flatnonzero(known["user"])
            table, mask, kernel, bias = self.user_vectors
            users = rows["user"][chosen]
            total[chosen] += _product(table[users], kernel, bias) * mask[users, None]
        if self.terms is not None and terms_known.any():
            chosen = np.flatnonzero(terms_known)
            total[chosen] += _product(terms[chosen], *self.terms)
        for name, table in self.tables.items():
            if name != "user":
                _add(total, table, rows[name], known[name])
        scale_to_unit(total, _SHORTEST)
        return total


def _take_history(weights: WeightReader, config: TowersConfig) -> HistoryStates:
    history, d = config.history, config.dimension
    if isinstance(history, NoHistory):
        return FrozenStart(weights.take(d))
    if isinstance(history, MeanHistory):
        window = history.window
        ages = weights.take(window) if history.ages == "trained" else np.zeros(window, np.float32)
        return FrozenMean(ages, weights.take(d, d), weights.take(d))
    if isinstance(history, HstuHistory):
        return FrozenHstu.take(weights, history, d)
    return FrozenTransformer.take(weights, history, d)


def _add(total: Vectors, table: Vectors | None, rows: Rows, known: Mask) -> None:
    if table is not None and known.any():
        total += np.where(known[:, None], table[np.where(known, rows, 0)], np.float32(0))


def _product(a: Vectors, kernel: Vectors, bias: Vectors) -> Vectors:
    out = np.empty((len(a), kernel.shape[1]), np.float32)
    arrays: Any = (np.ascontiguousarray(each, np.float32) for each in (a, kernel, bias))
    product(*arrays, out)
    return out
