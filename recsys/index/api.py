"""The base class of an index.

Every implementation runs the same contract tests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from recsys.ids import Rows, Vectors
from recsys.index.arguments import SearchArguments, check_search
from recsys.index.configs import IndexConfig
from recsys.index.description import write_description
from recsys.index.hits import Hits
from recsys.index.rows import RowSet
from recsys.index.scoring import longest


@dataclass(frozen=True, eq=False)
class Index(ABC):
    """Rows by inner product with a query. Immutable; ``search`` is thread-safe.

    Attributes:
        vectors: Indexed vectors, float32 ``[n, d]``.
        config: Configuration of the index.
    """

    vectors: Vectors
    config: IndexConfig

    @property
    def facts(self) -> Mapping[str, Any]:
        """Result of the configuration (leaves searched, recall measured), as JSON values."""
        return {}

    @property
    @abstractmethod
    def exact(self) -> Index:
        """Exact search of the same rows, the truth for the recall of this index."""

    @property
    def changes(self) -> int:
        """Number of rows added, replaced or deleted since the index was built and tuned."""
        return 0

    @property
    def dimension(self) -> int:
        """Length of each vector."""
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        return len(self.vectors)

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        exclude: Sequence[Rows] | None = None,
        allowed: RowSet | None = None,
        effort: float = 1.0,
    ) -> Hits:
        """The k best rows of each query.

        A query is never short while eligible rows exist, and its answer does not depend on the
        others in the batch.

        Args:
            queries: float32 ``[b, dimension]``.
            k: Number of rows, 1 or more; above the number of eligible rows, all of them.
            exclude: Rows per query that must not be hits.
            allowed: Rows that may be hits. What an index derives from a set is kept as long as the
                object, so pass the same object for the same filter.
            effort: Cost relative to the tuned search, 0.1 to 10; 2 takes about twice the time and
                raises the recall of an approximate index.

        Raises:
            InvalidRequestError: A shape, dtype, row or number is out of range; ``field`` names it.
        """
        arguments = check_search(
            (len(self), self.dimension),
            queries,
            k,
            exclude=exclude,
            allowed=allowed,
            effort=effort,
        )
        hits = Hits.empty(queries=len(queries), k=arguments.k)
        self._search(hits, arguments)
        return hits

    def expected_recall(
        self, plan: str, k: int, *, effort: float = 1.0, excluded: bool = False
    ) -> float | None:
        """Share of the k best rows that a search is expected to find, or None if not known.

        Args:
            plan: Plan of the search, as in ``Hits.work``.
            k: Number of rows.
            effort: Cost relative to the tuned search.
            excluded: Whether the search excluded rows.
        """
        return 1.0 if plan == "exact" else None

    def save(self, folder: Path) -> None:
        """Write the index, without its vectors, into a new or empty folder."""
        folder.mkdir(parents=True, exist_ok=True)
        write_description(folder, self.vectors, self.config, self.facts)

    @abstractmethod
    def _search(self, hits: Hits, arguments: SearchArguments) -> None:
        """Fill ``hits``, and ``hits.work``."""

    @cached_property
    def _longest(self) -> float:
        return longest(self.vectors)
