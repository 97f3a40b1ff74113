"""Milvus behind the index interface: it proposes rows, exact scores decide."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from recsys.ids import Mask, Rows
from recsys.index.api import Index
from recsys.index.arguments import SearchArguments
from recsys.index.configs import MilvusConfig
from recsys.index.curve import Curve
from recsys.index.exact import ExactIndex
from recsys.index.hits import Hits
from recsys.index.milvus.collection import MAX_LIMIT, Collection
from recsys.index.milvus.connection import copy_files
from recsys.index.milvus.expressions import row_expression
from recsys.index.rows import RowSet
from recsys.index.scoring import rank, rounding_slack

FILES = "milvus"
"""Folder of Milvus Lite's files in the folder of an index."""
_EXACT_SHARE = 4
"""Fetching more than a quarter of all rows costs more than comparing all of them."""
_WIDER = 4


@dataclass(frozen=True, eq=False)
class MilvusIndex(Index):
    """Approximate search by Milvus; never short, exact in its scores and its exclusions.

    The vectors are needed here as well, since exact scores are computed from them; mapped from a
    file, only the rows that Milvus proposes are read. Build it with ``recsys.index.build_index``.

    Raises:
        ServiceError: By ``search``: the server does not answer within the timeout, is lost, or was
            connected to by the process from which this one was forked.

    Example:
        >>> import numpy as np
        >>> from recsys.index import MilvusConfig, build_index
        >>> index = build_index(np.eye(3, dtype=np.float32), MilvusConfig())
        >>> index.search(np.eye(3, dtype=np.float32)[1:2], k=1).rows.tolist()
        [[1]]
    """

    config: MilvusConfig
    collection: Collection
    curve: Curve
    _expressions: WeakKeyDictionary[RowSet, str | None] = field(default_factory=WeakKeyDictionary)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Name of the collection, and the curve of recall against the width of a search."""
        return {"collection": self.collection.name, "curve": self.curve.as_json()}

    @cached_property
    def exact(self) -> ExactIndex:
        """Exact search of the same rows, in this process."""
        return ExactIndex(self.vectors)

    def save(self, folder: Path) -> None:
        """Write ``index.json``, and the files of Milvus Lite where it holds the collection."""
        folder.mkdir(parents=True, exist_ok=True)
        files = self.collection.connection.folder
        if files is not None:
            copy_files(files, folder / FILES)
        super().save(folder)

    def _search(self, hits: Hits, arguments: SearchArguments) -> None:
        eligible = _eligible(arguments, len(self))
        waiting: dict[tuple[int, int], list[int]] = {}
        for position, excluded in enumerate(arguments.excluded.counts.tolist()):
            waiting.setdefault(self._first(arguments, eligible, excluded), []).append(position)
        while waiting:
            (limit, width), positions = waiting.popitem()
            part = arguments.take(np.array(positions, np.int64))
            if limit > MAX_LIMIT or limit * _EXACT_SHARE > len(self):
                self._compare_all(hits, part, positions)
                continue
            found = self.collection.search(
                part.queries, limit=limit, width=width, expression=self._expression(arguments) or ""
            )
            for line, (position, (rows, scores)) in enumerate(zip(positions, found)):
                kept = _without(rows, part.excluded.at(line), eligible)
                query = part.queries[line]
                best, exact = rank(self.vectors, kept, query, part.k)
                full, slack = len(rows) == limit, rounding_slack(query, self._longest)
                if len(best) == part.k and (not full or exact[-1] > scores[-1] + slack):
                    hits.put(position, best, exact)
                    hits.work.put(
                        position,
                        "milvus",
                        eligible=_count(eligible, len(self)),
                        depth=len(kept),
                        read=len(rows),
                    )
                else:  # Short, or a row that was not fetched may tie with the last: fetch more.
                    wider = limit * _WIDER, width * _WIDER
                    waiting.setdefault(wider, []).append(position)

    def _first(
        self, arguments: SearchArguments, eligible: Mask | None, excluded: int
    ) -> tuple[int, int]:
        """Number of rows to fetch for a query at first, and the width of its search.

        Both may depend on nothing else in the batch.
        """
        count = _count(eligible, len(self))
        if count <= max(arguments.k + excluded, self.config.exact_below):
            return len(self), len(self)
        wanted = arguments.k + excluded + 1
        rank_needed = math.ceil(wanted * len(self) / count)
        if self._expression(arguments) is None or arguments.alive is not None:
            wanted = rank_needed
        limit = 1 << math.ceil(math.log2(wanted))  # Few values: few searches per batch.
        tail = rank_needed > arguments.k + 1
        setting = self.curve.setting(rank_needed, effort=arguments.effort, tail=tail)
        return limit, max(limit, setting.leaves)

    def _expression(self, arguments: SearchArguments) -> str | None:
        """The filter as an expression, or None where it is too long and is applied here."""
        allowed = arguments.allowed
        if allowed is None:
            return ""
        if allowed not in self._expressions:
            self._expressions[allowed] = row_expression(allowed)
        return self._expressions[allowed]

    def _compare_all(self, hits: Hits, part: SearchArguments, positions: list[int]) -> None:
        answer = Hits.empty(queries=len(part), k=part.k)
        self.exact._search(answer, part)
        for line, position in enumerate(positions):
            hits.put(position, *answer.at(line))
            work = answer.work.at(line)
            hits.work.put(
                position, work.plan, eligible=work.eligible, depth=work.depth, read=work.read
            )


def _eligible(arguments: SearchArguments, items: int) -> Mask | None:
    """Rows that are allowed and not deleted, or None for all."""
    if arguments.alive is None:
        return None if arguments.allowed is None else arguments.allowed.mask
    alive = ~arguments.alive.hidden
    return alive if arguments.allowed is None else alive & arguments.allowed.mask


def _count(eligible: Mask | None, items: int) -> int:
    return items if eligible is None else int(np.count_nonzero(eligible))


def _without(rows: Rows, excluded: Rows, eligible: Mask | None) -> Rows:
    keep = np.ones(len(rows), np.bool_) if eligible is None else eligible[rows]
    if len(excluded):  # unique and ascending
        at = np.minimum(np.searchsorted(excluded, rows), len(excluded) - 1)
        keep &= excluded[at] != rows
    return rows[keep]
