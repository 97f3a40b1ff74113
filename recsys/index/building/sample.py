"""Queries on which an index is tuned and verified, with their exact answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.errors import ConfigError
from recsys.ids import Mask, Vectors
from recsys.index.exact import ExactIndex
from recsys.index.hits import Hits

_FEWEST = 600
"""Number of queries of a kind below which the total may be exceeded."""
OF_VECTORS = "vectors"
"""Kind of the queries where none are given: the indexed vectors."""

Queries = Vectors | Mapping[str, Vectors]
"""Typical queries, float32 ``[q, d]``, or several kinds of them by name."""


@dataclass(frozen=True, eq=False)
class QuerySample:
    """Queries by kind, half of them for the choice of settings and half for its verification.

    Attributes:
        kinds: Names of the kinds.
        kind: Position of each query's kind in ``kinds``, int8 ``[q]``.
        queries: float32 ``[q, d]``.
        verifying: Whether a query belongs to the half that verifies, bool ``[q]``.
        truth: Exact answers.
    """

    kinds: tuple[str, ...]
    kind: npt.NDArray[np.int8]
    queries: Vectors
    verifying: Mask
    truth: Hits

    @classmethod
    def of(
        cls, vectors: Vectors, queries: Queries | None, count: int, *, ranks: int
    ) -> QuerySample:
        """About ``count`` queries with their ``ranks`` best rows; without any, the vectors.

        They are spread evenly over the kinds, and over the queries of each.

        Raises:
            ConfigError: The queries do not fit the vectors.
        """
        kinds = queries_by_kind(vectors, queries)
        count = max(count // len(kinds), min(count, _FEWEST))
        chosen = {name: spread(part, count) for name, part in kinds.items()}
        sizes = [len(part) for part in chosen.values()]
        stacked = np.concatenate(list(chosen.values()))
        return cls(
            tuple(chosen),
            np.repeat(np.arange(len(sizes), dtype=np.int8), sizes),
            stacked,
            np.concatenate([np.arange(size) % 2 == 1 for size in sizes]),
            ExactIndex(vectors).search(stacked, min(ranks, len(vectors))),
        )

    def __len__(self) -> int:
        return len(self.queries)

    def ties(self, rank: int) -> Mask:
        """Queries whose exact answer could end with another row at ``rank``, bool ``[q]``."""
        scores = self.truth.scores
        if rank >= scores.shape[1]:
            return np.zeros(len(self), np.bool_)
        tied: Mask = scores[:, rank] == scores[:, rank - 1]
        return tied

    def groups(self) -> list[tuple[str, Mask]]:
        """Name and members, bool ``[q]``, of each kind."""
        return [(name, self.kind == position) for position, name in enumerate(self.kinds)]


def queries_by_kind(vectors: Vectors, queries: Queries | None) -> dict[str, Vectors]:
    """The kinds that have queries; the vectors themselves where none has.

    Raises:
        ConfigError: The queries do not fit the vectors.
    """
    given = queries if isinstance(queries, Mapping) else {"queries": queries}
    kinds = {name: part for name, part in given.items() if part is not None and len(part)}
    for name, part in kinds.items():
        if part.ndim != 2 or part.shape[1] != vectors.shape[1]:
            raise ConfigError(
                f"queries of the kind '{name}' must have the shape [q, {vectors.shape[1]}]; "
                f"got {part.shape}",
                field="queries",
            )
    return kinds or {OF_VECTORS: vectors}


def spread(queries: Vectors, count: int) -> Vectors:
    """At most ``count`` of the queries, evenly spread, without vectors of zeros if possible."""
    some = np.asarray(queries[_evenly(len(queries), 2 * count)], np.float32)
    present = some[np.any(some != 0, axis=1)]  # A vector of zeros ties with every row.
    some = present if len(present) else some
    return np.ascontiguousarray(some[_evenly(len(some), count)])


def _evenly(size: int, count: int) -> npt.NDArray[np.int64]:
    return np.linspace(0, size - 1, min(count, size)).astype(np.int64)
