"""Search of one or several spaces: from query vectors to the k best rows of each query.

An answer depends neither on the order of the spaces' names nor on the rest of the batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.ids import Rows, Vectors
from recsys.index import QueryWork, RowSet
from recsys.index.audit import RecallAudit
from recsys.retrieval.budget import UNLIMITED, Budget
from recsys.retrieval.crowding import Crowding, Walk
from recsys.retrieval.fusing import RankedRows, fused_by_rank, fused_by_sum
from recsys.retrieval.space import Space
from recsys_client.fusion import Fusion, ReciprocalRank

_FIRST, _WIDER = 64, 4
_EXCLUDE_FROM = 1_024
"""Depth of a list above which full values are excluded from it, instead of reading on."""


@dataclass(frozen=True, eq=False)
class FusionInput:
    """One query as a vector of every space that it searches.

    Attributes:
        vectors: Query vector per name of a space, float32 ``[d]``.
        hidden: Rows that must not be found.
        k: Number of rows.
        fusion: Fusion of the spaces; not used where there is one.
        allowed: Rows that may be found, or None for all; the same object for the same filter.
        crowding: Largest number of rows per value of some columns.
        effort: Cost relative to the tuned search, 0.1 to 10.
    """

    vectors: Mapping[str, Vectors]
    hidden: Rows
    k: int
    fusion: Fusion
    allowed: RowSet | None = None
    crowding: Crowding = Crowding()
    effort: float = 1.0


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The answer to one query in rows.

    Attributes:
        rows: Rows found, best first.
        scores: Their scores, float32.
        work: Work of each round per name of a space.
    """

    rows: Rows
    scores: Vectors
    work: Mapping[str, Sequence[QueryWork]]


def search_spaces(
    spaces: Mapping[str, Space],
    inputs: Sequence[FusionInput],
    *,
    audit: RecallAudit | None = None,
    budget: Budget = UNLIMITED,
) -> list[SearchResult]:
    """The k best rows of each query; fewer only where fewer are eligible in any of its spaces.

    In each round a space is searched in one call for all queries of equal depth and filter. The
    lists are widened until no row outside them can be among the best (the threshold algorithm on
    blocks of the lists), and until crowding leaves k rows. Without crowding, one space needs one
    round, and so do ranks. ``audit`` is shown every search. A query that the ``budget`` no longer
    wants before a round finds nothing.

    Example:
        >>> from recsys.index import ExactConfig
        >>> from recsys_client.fusion import WeightedSum
        >>> one = Space.two_tower(np.array([[0.5], [0.5], [0.25]], np.float32), ExactConfig())
        >>> two = Space.two_tower(np.array([[0.0], [0.5], [0.75]], np.float32), ExactConfig())
        >>> query, none = np.ones(1, np.float32), np.empty(0, np.int32)
        >>> fused = FusionInput({"one": query, "two": query}, none, 2, WeightedSum())
        >>> search_spaces({"one": one, "two": two}, [fused])[0].rows.tolist()
        [1, 2]
    """
    answers: dict[int, SearchResult] = {}
    searches = {position: _Search(each, spaces) for position, each in enumerate(inputs)}
    while searches:
        for position in budget.unwanted(list(searches)):
            nothing = np.zeros(0, np.int32), np.zeros(0, np.float32)
            answers[position] = SearchResult(*nothing, searches.pop(position).work)
        lists = _search(spaces, searches, audit)
        for position, search in list(searches.items()):
            walk, is_complete = search.walk(lists[position])
            if walk.is_full or is_complete:
                answers[position] = SearchResult(walk.rows, walk.scores, search.work)
                del searches[position]
            else:
                search.widen(walk)
    return [answers[position] for position in range(len(inputs))]


def _search(
    spaces: Mapping[str, Space], searches: Mapping[int, _Search], audit: RecallAudit | None
) -> dict[int, dict[str, RankedRows]]:
    """Per query and name of a space the rows down to the query's depth."""
    together: dict[tuple[str, int, float, int], list[int]] = defaultdict(list)
    for position, search in searches.items():
        for name in sorted(search.query.vectors):
            key = name, search.depth, search.query.effort, id(search.allowed)
            together[key].append(position)
    found: dict[int, dict[str, RankedRows]] = {position: {} for position in searches}
    for (name, depth, effort, _), positions in together.items():
        hits = spaces[name].search(
            np.stack([searches[position].query.vectors[name] for position in positions]),
            depth,
            exclude=[searches[position].hidden for position in positions],
            allowed=searches[positions[0]].allowed,
            effort=effort,
            audit=audit,
        )
        for line, position in enumerate(positions):
            searches[position].work[name].append(hits.work.at(line))
            found[position][name] = RankedRows(*hits.at(line))
    return found


class _Search:
    """The search for one query between its rounds.

    Attributes:
        query: The query.
        depth: Number of rows to read from each list.
        allowed: Rows that may be found.
        hidden: Rows that must not be found.
        work: Work of each round so far per name of a space.
    """

    def __init__(self, query: FusionInput, spaces: Mapping[str, Space]) -> None:
        self.work: dict[str, list[QueryWork]] = defaultdict(list)
        self.query, self._spaces = query, spaces
        self.allowed, self.hidden = query.allowed, query.hidden
        self._taken = Walk(query.k, query.crowding)
        self._by_rank = len(query.vectors) > 1 and isinstance(query.fusion, ReciprocalRank)
        self.depth = query.k * 2 if query.crowding.limits else query.k
        if self._by_rank:
            # With k rows from each list the answer is short only where there are no more.
            self.depth = self._ranks
        elif len(query.vectors) > 1:
            self.depth = max(_FIRST, 2 * self.depth)

    @property
    def _ranks(self) -> int:
        """Number of rows of each list whose ranks count."""
        assert isinstance(self.query.fusion, ReciprocalRank)
        return max(self.query.fusion.depth, self.query.k)

    def walk(self, lists: Mapping[str, RankedRows]) -> tuple[Walk, bool]:
        """The rows taken from the lists, and whether no further rows are eligible."""
        fusion = self.query.fusion
        open_ = frozenset(
            name
            for name, listed in lists.items()
            if len(listed.rows) == self.depth < len(self._spaces[name])
        )
        if len(lists) == 1:
            (ranked,) = lists.values()
        elif isinstance(fusion, ReciprocalRank):
            ranked = fused_by_rank(fusion, lists, self._ranks)
            walk = self._taken.along(ranked.rows, ranked.scores)
            if not walk.is_full:
                rest = self._unranked(ranked.rows)
                walk = walk.along(rest, np.zeros(len(rest), np.float32))
            return walk, True
        else:
            vectors = self.query.vectors
            ranked = fused_by_sum(fusion, lists, open_, vectors, self._spaces)
        return self._taken.along(ranked.rows, ranked.scores), not open_

    def widen(self, walk: Walk) -> None:
        """Read further into each list, or, far down, only rows whose values are not full.

        Ranks would change if rows were left out, but one round is enough for them.
        """
        far = self.query.crowding.limits and self.depth * _WIDER > _EXCLUDE_FROM
        full = walk.full() if far else np.zeros(0, np.bool_)
        if not full.any():
            self.depth *= _WIDER
            return
        rest = ~full if self.query.allowed is None else ~full & self.query.allowed.mask
        self.allowed = RowSet.of_mask(rest)
        self.hidden = np.union1d(self.query.hidden, walk.rows).astype(np.int32)
        self._taken = walk
        self.depth *= 2

    def _unranked(self, ranked: Rows) -> Rows:
        """The eligible rows that no rank counts for, ascending."""
        eligible = np.logical_or.reduce([self._spaces[name].mask for name in self.query.vectors])
        if self.allowed is not None:
            eligible = eligible & self.allowed.mask
        eligible[self.hidden] = False
        eligible[ranked] = False
        return np.flatnonzero(eligible).astype(np.int32)
