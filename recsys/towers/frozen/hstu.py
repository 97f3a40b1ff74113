"""HSTU as a compiled loop; see ``recsys.towers.histories.hstu``.

As in ``recsys.towers.frozen.transformer``, the last unit computes one position only.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types

from recsys.ids import Vectors
from recsys.loops import I8, array, compiled
from recsys.towers.frozen.kernels import (
    LANES,
    MATRIX,
    STACK,
    STACKS,
    STARTS,
    VECTOR,
    WRITTEN,
    by_head,
    by_head_transposed,
    normalise,
    product,
    silu,
)
from recsys.towers.frozen.weights import WeightReader
from recsys.towers.histories.configs import BUCKETS, HstuHistory

_ROOT_OF_2 = int(np.float64(np.sqrt(2)).view(np.int64)) & ((1 << 52) - 1)
"""Bits of the fraction of the square root of 2."""
_WEIGHTS = types.Tuple((STACK, STACK, STACK, MATRIX, STACK, MATRIX))
"""Of all units: queries with gates, keys with values, leaving kernels and biases, positions and
times."""


@compiled(types.void(WRITTEN, I8, VECTOR, VECTOR, VECTOR), error_model="numpy")
def add_biases(scores, first, by_age, by_time, moments):
    """Add to each score its bias by position and, where there are ``moments``, by time."""
    for i in range(scores.shape[0]):
        row, at = scores[i], first + i
        for j in range(at + 1):
            row[j] += by_age[at - j]
        if len(moments):
            for j in range(at + 1):
                between = np.float64(max(moments[at] - moments[j], np.float32(0)))
                bits = np.float64(1.0 + between).view(np.int64)
                bucket = 2 * ((bits >> 52) - 1023)
                bucket += (bits & ((1 << 52) - 1)) >= _ROOT_OF_2
                row[j] += by_time[min(bucket, BUCKETS - 1)]


@compiled(types.void(WRITTEN, I8), error_model="numpy")
def average(scores, first):
    """Divide silu(score) by the number of visible positions; 0 for later ones."""
    for i in range(scores.shape[0]):
        row, visible = scores[i], first + i + 1
        for j in range(visible):
            row[j] /= np.float32(visible)
        row[visible:] = np.float32(0)


@compiled(
    types.void(
        *(MATRIX, STARTS, VECTOR, array(types.boolean)),
        *(VECTOR, MATRIX, _WEIGHTS, STACKS, MATRIX, I8, WRITTEN),
    ),
    error_model="numpy",
)
def last_states(
    vectors, starts, seconds, known, begin, positions, weights, norms, last, heads, states
):
    """State after each history, ``states`` ``[b, d]``."""
    queries, pairs, leave, leave_bias, by_age, by_time = weights
    d, units = states.shape[1], queries.shape[0]
    width, root, nothing = d // heads, np.float32(np.sqrt(d)), np.zeros(2 * d, np.float32)
    for query in range(states.shape[0]):
        history = vectors[starts[query] : starts[query + 1]]
        n = len(history) + 1
        padded = (n + LANES - 1) // LANES * LANES
        moments = np.zeros(n if known[query] else 0, np.float32)
        if known[query]:
            moments[1:] = seconds[starts[query] : starts[query + 1]]
        x, y = np.empty((n, d), np.float32), np.empty((n, d), np.float32)
        gates, pair = np.empty((n, 2 * d), np.float32), np.empty((n, 2 * d), np.float32)
        k = np.zeros((heads, width, padded), np.float32)
        zeros = np.zeros(max(padded, width), np.float32)
        x[0] = begin + positions[0]
        for i in range(1, n):
            x[i] = root * history[i - 1] + positions[i]
        for unit in range(units):
            low = n - 1 if unit == units - 1 else 0
            normalise(x, norms[unit, 0], y)
            product(y, pairs[unit], nothing, pair)
            silu(pair)
            product(y[low:], queries[unit], nothing, gates[low:])
            silu(gates[low:])
            q = np.empty((heads, n - low, width), np.float32)
            v = np.zeros((heads, padded, width), np.float32)
            scores = np.empty((n - low, padded), np.float32)
            mixed = np.empty((n - low, width), np.float32)
            by_head(gates[low:], 0, q)
            by_head_transposed(pair, 0, k)
            for head in range(heads):
                for i in range(n):
                    for j in range(width):
                        v[head, i, j] = pair[i, d + head * width + j]
                product(q[head], k[head], zeros[:padded], scores)
                add_biases(scores, low, by_age[unit, head], by_time[unit], moments)
                silu(scores)
                average(scores, low)
                product(scores, v[head], zeros[:width], mixed)
                for i in range(n - low):
                    for j in range(width):
                        y[low + i, head * width + j] = mixed[i, j]
            normalise(y[low:], norms[unit, 1], y[low:])
            for i in range(low, n):
                for j in range(d):
                    y[i, j] *= gates[i, d + j]
            gated = np.empty((n - low, d), np.float32)
            product(y[low:], leave[unit], leave_bias[unit], gated)
            for i in range(n - low):
                for j in range(d):
                    x[low + i, j] += gated[i, j]
        normalise(x[n - 1 :], last, x[n - 1 :])
        states[query] = x[n - 1]


@dataclass(frozen=True, eq=False)
class FrozenHstu:
    """A trained :class:`recsys.towers.histories.hstu.Hstu` as arrays.

    Attributes:
        begin: Start vector, float32 ``[d]``.
        positions: Vectors of positions, float32 ``[window + 1, d]``.
        weights: Kernels and biases, stacked over the units.
        norms: Gain and offset of both norms of each unit, float32 ``[units, 2, 2, d]``.
        last: Gain and offset of the last norm, float32 ``[2, d]``.
        heads: Number of heads.
        reads_times: Whether times change a state.
    """

    begin: Vectors
    positions: Vectors
    weights: tuple[Vectors, ...]
    norms: Vectors
    last: Vectors
    heads: int
    reads_times: bool

    @classmethod
    def take(cls, weights: WeightReader, history: HstuHistory, dimension: int) -> FrozenHstu:
        """Take the encoder's weights, which are those of a query tower.

        Raises:
            ValueError: They do not fit the configuration.
        """
        d, count, timed = dimension, history.blocks, history.reads_times
        if d % history.heads:
            raise ValueError(f"{history.heads} heads do not divide {d} dimensions")
        shapes: list[tuple[int, ...]] = [(history.heads, history.window + 1)]
        shapes += [(BUCKETS,)] * timed + [(d,)] * 4 + [(d, 4 * d), (d, d), (d,)]
        begin, positions = weights.take(1, 1, d).reshape(-1), weights.take(history.window + 1, d)
        units = [[weights.take(*shape) for shape in shapes] for _ in range(count)]
        by_age, *others = [np.stack(parts) for parts in zip(*units)]
        by_time = others.pop(0) if timed else np.zeros((count, BUCKETS), np.float32)
        *gains, enter, leave, bias = others
        u, v, q, k = np.split(enter, 4, axis=-1)
        queries, pairs = np.concatenate([q, u], axis=-1), np.concatenate([k, v], axis=-1)
        norms = np.stack(gains, axis=1).reshape(count, 2, 2, d)
        last = np.stack([weights.take(d), weights.take(d)])
        parts = (queries, pairs, leave, bias, by_age, by_time)
        return cls(begin, positions, parts, norms, last, history.heads, timed)

    def states(self, vectors: Vectors, starts: Any, seconds: Vectors, known: Any) -> Vectors:
        """State after each history, float32 ``[b, d]``; see :class:`FrozenQueryTower`."""
        out = np.empty((len(starts) - 1, len(self.begin)), np.float32)
        last_states(
            vectors,
            starts,
            seconds,
            known if self.reads_times else np.zeros(len(known), np.bool_),
            self.begin,
            self.positions,
            self.weights,
            self.norms,
            self.last,
            self.heads,
            out,
        )
        return out
