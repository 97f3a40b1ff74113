"""The transformer history encoder as a compiled loop; see ``recsys.towers.histories.transformer``.

Only the last state of a history is needed. The last block therefore computes keys and values for
all positions, and the rest for the last one.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types

from recsys.ids import Vectors
from recsys.loops import I8, compiled
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
    causal_softmax,
    gelu,
    normalise,
    product,
)
from recsys.towers.frozen.weights import WeightReader
from recsys.towers.histories.configs import TransformerHistory

_WEIGHTS = types.Tuple((STACK, MATRIX, STACK, MATRIX, STACK, MATRIX, STACK, MATRIX, STACK, MATRIX))
"""Kernels and biases of all blocks: queries, keys with values, merge, widen, narrow."""


@compiled(types.void(MATRIX, MATRIX, I8, WRITTEN), error_model="numpy")
def attention(queries, pairs, heads, out):
    """Causal attention, ``out`` ``[rows, d]``: ``queries`` of the last of n positions, scaled.

    ``pairs`` ``[n, 2 d]`` holds the key and the value of each position.
    """
    rows, d, n = queries.shape[0], queries.shape[1], pairs.shape[0]
    width, padded = d // heads, (n + LANES - 1) // LANES * LANES
    q = np.empty((heads, rows, width), np.float32)
    k = np.zeros((heads, width, padded), np.float32)
    v = np.zeros((heads, padded, width), np.float32)
    scores, mixed = np.empty((rows, padded), np.float32), np.empty((rows, width), np.float32)
    nothing = np.zeros(max(padded, width), np.float32)
    by_head(queries, 0, q)
    by_head_transposed(pairs, 0, k)
    for head in range(heads):
        for i in range(n):
            for j in range(width):
                v[head, i, j] = pairs[i, d + head * width + j]
        product(q[head], k[head], nothing[:padded], scores)
        causal_softmax(scores, n - rows)
        product(scores, v[head], nothing[:width], mixed)
        for i in range(rows):
            for j in range(width):
                out[i, head * width + j] = mixed[i, j]


@compiled(
    types.void(
        MATRIX, STARTS, VECTOR, MATRIX, _WEIGHTS, STACKS, MATRIX, I8, types.boolean, WRITTEN
    ),
    error_model="numpy",
)
def last_states(vectors, starts, begin, positions, weights, norms, last, heads, first, states):
    """State after each history, ``[b, d]``; with ``first`` inputs are normalised, else outputs."""
    (
        queries,
        query_bias,
        pairs,
        pair_bias,
        merge,
        merge_bias,
        widen,
        widen_bias,
        narrow,
        narrow_bias,
    ) = weights
    d, blocks = states.shape[1], queries.shape[0]
    root, per_head = np.float32(np.sqrt(d)), np.float32((d // heads) ** -0.5)
    for query in range(states.shape[0]):
        history = vectors[starts[query] : starts[query + 1]]
        n = len(history) + 1
        x, y = np.empty((n, d), np.float32), np.empty((n, d), np.float32)
        z = np.empty((n, d), np.float32)
        both = np.empty((n, 2 * d), np.float32)
        hidden = np.empty((n, widen.shape[2]), np.float32)
        x[0] = begin + positions[0]
        for i in range(1, n):
            x[i] = root * history[i - 1] + positions[i]
        for block in range(blocks):
            low = n - 1 if block == blocks - 1 else 0
            if first:
                normalise(x, norms[block, 0], y)
            else:
                y[:] = x
            product(y, pairs[block], pair_bias[block], both)
            product(y[low:], queries[block], query_bias[block], z[low:])
            for i in range(low, n):
                for j in range(d):
                    z[i, j] *= per_head
            attention(z[low:], both, heads, y[low:])
            product(y[low:], merge[block], merge_bias[block], z[low:])
            for i in range(low, n):
                for j in range(d):
                    x[i, j] += z[i, j]
            if first:
                normalise(x[low:], norms[block, 1], y[low:])
            else:
                normalise(x[low:], norms[block, 0], x[low:])
                y[low:] = x[low:]
            product(y[low:], widen[block], widen_bias[block], hidden[low:])
            gelu(hidden[low:])
            product(hidden[low:], narrow[block], narrow_bias[block], z[low:])
            for i in range(low, n):
                for j in range(d):
                    x[i, j] += z[i, j]
            if not first:
                normalise(x[low:], norms[block, 1], x[low:])
        if first:
            normalise(x[n - 1 :], last, x[n - 1 :])
        states[query] = x[n - 1]


@dataclass(frozen=True, eq=False)
class FrozenTransformer:
    """A trained :class:`recsys.towers.histories.transformer.Transformer` as arrays.

    Attributes:
        begin: Start vector, float32 ``[d]``.
        positions: Vectors of positions, float32 ``[window + 1, d]``.
        weights: Kernels and biases, stacked over the blocks.
        norms: Gain and offset of both norms of each block, float32 ``[blocks, 2, 2, d]``.
        last: Gain and offset of the last norm, float32 ``[2, d]``; not read for ``post``.
        heads: Number of heads.
        norm_first: Whether the input of each part is normalised.
    """

    begin: Vectors
    positions: Vectors
    weights: tuple[Vectors, ...]
    norms: Vectors
    last: Vectors
    heads: int
    norm_first: bool

    @classmethod
    def take(
        cls, weights: WeightReader, history: TransformerHistory, dimension: int
    ) -> FrozenTransformer:
        """Take the encoder's weights, which are those of a query tower.

        Raises:
            ValueError: They do not fit the configuration.
        """
        d, hidden, pre = dimension, history.expansion * dimension, history.norm == "pre"
        if d % history.heads:
            raise ValueError(f"{history.heads} heads do not divide {d} dimensions")
        shapes = [
            (d, 3 * d),
            (3 * d,),
            (d, d),
            (d,),
            (d, hidden),
            (hidden,),
            (hidden, d),
            *[(d,)] * 5,
        ]
        begin, positions = weights.take(1, 1, d).reshape(-1), weights.take(history.window + 1, d)
        blocks = [[weights.take(*shape) for shape in shapes] for _ in range(history.blocks)]
        last = np.stack([weights.take(d), weights.take(d)] if pre else [begin, begin])
        kernel, bias, *others = (np.stack(parts) for parts in zip(*blocks))
        split = [kernel[..., :d], bias[..., :d], kernel[..., d:], bias[..., d:], *others[:6]]
        norms = np.stack(others[6:], axis=1).reshape(history.blocks, 2, 2, d)
        parts = tuple(map(np.ascontiguousarray, split))
        return cls(begin, positions, parts, norms, last, history.heads, pre)

    def states(self, vectors: Vectors, starts: Any, seconds: Any, known: Any) -> Vectors:
        """State after each history, float32 ``[b, d]``; times are not read."""
        out = np.empty((len(starts) - 1, len(self.begin)), np.float32)
        last_states(
            vectors,
            starts,
            self.begin,
            self.positions,
            self.weights,
            self.norms,
            self.last,
            self.heads,
            self.norm_first,
            out,
        )
        return out
