"""Search of one or several spaces: from query vectors to the k best rows of each query.

Fused scores are summed in float64 in the order of the spaces' names and rounded to float32; ties go
to the lower row. An answer depends neither on the order of the names nor on the rest of the batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows, Vectors
from recsys.retrieval.space import Space
from recsys_client.fusion import Fusion, ReciprocalRank, WeightedSum

Totals = npt.NDArray[np.float64]
_FIRST, _WIDER = 64, 4
_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class FusionInput:
    """One query as a vector of every space that it searches.

    Attributes:
        vectors: Query vector per name of a space, float32 ``[d]``.
        hidden: Rows that must not be found.
        k: Number of rows.
        fusion: Fusion of the spaces; not used where there is one.
    """

    vectors: Mapping[str, Vectors]
    hidden: Rows
    k: int
    fusion: Fusion


@dataclass(frozen=True, eq=False)
class RankedRows:
    """Rows, best first, and their scores, float32."""

    rows: Rows
    scores: Vectors


def search_spaces(spaces: Mapping[str, Space], inputs: Sequence[FusionInput]) -> list[RankedRows]:
    """The k best rows of each query; fewer only where fewer are eligible in any of its spaces.

    In each round a space is searched in one call for all queries of equal depth. The lists are
    widened until no row outside them can be among the best (the threshold algorithm on blocks of
    the lists). One space needs one round, and so do ranks, unless a space weighs 0.

    Example:
        >>> from recsys.index import ExactConfig
        >>> one = Space.two_tower(np.array([[0.5], [0.5], [0.25]], np.float32), ExactConfig())
        >>> two = Space.two_tower(np.array([[0.0], [0.5], [0.75]], np.float32), ExactConfig())
        >>> query, none = np.ones(1, np.float32), np.empty(0, np.int32)
        >>> fused = FusionInput({"one": query, "two": query}, none, 2, WeightedSum())
        >>> search_spaces({"one": one, "two": two}, [fused])[0].rows.tolist()
        [1, 2]
    """
    answers: dict[int, RankedRows] = {}
    depths = {position: _first_depth(each) for position, each in enumerate(inputs)}
    while depths:
        lists = _search(spaces, inputs, depths)
        for position, depth in list(depths.items()):
            each = inputs[position]
            best = _best(each, lists[position], spaces, depth)
            if best is None:
                depths[position] = depth * _WIDER
            else:
                answers[position] = best
                del depths[position]
    return [answers[position] for position in range(len(inputs))]


def _first_depth(query: FusionInput) -> int:
    if len(query.vectors) == 1:
        return query.k
    if isinstance(query.fusion, ReciprocalRank):
        # With k rows from each list the answer is short only where there are no more.
        return max(query.fusion.depth, query.k)
    return max(_FIRST, 2 * query.k)


def _search(
    spaces: Mapping[str, Space], inputs: Sequence[FusionInput], depths: Mapping[int, int]
) -> dict[int, dict[str, RankedRows]]:
    """Per query and name of a space the rows down to the query's depth."""
    together: dict[tuple[str, int], list[int]] = defaultdict(list)
    for position, depth in depths.items():
        for name in sorted(inputs[position].vectors):
            together[name, depth].append(position)
    found: dict[int, dict[str, RankedRows]] = {position: {} for position in depths}
    for (name, depth), positions in sorted(together.items()):
        hits = spaces[name].search(
            np.stack([inputs[position].vectors[name] for position in positions]),
            depth,
            exclude=[inputs[position].hidden for position in positions],
        )
        for line, position in enumerate(positions):
            found[position][name] = RankedRows(*hits.at(line))
    return found


def _best(
    query: FusionInput, found: Mapping[str, RankedRows], spaces: Mapping[str, Space], depth: int
) -> RankedRows | None:
    """The best rows, or None where a row outside the lists could still be among them."""
    if len(found) == 1:
        return next(iter(found.values()))
    fusion = query.fusion
    rows = np.unique(np.concatenate([listed.rows for listed in found.values()]))
    # A list that was not filled holds every row that is eligible in its space.
    open_ = {name for name in found if len(found[name].rows) == depth < len(spaces[name])}
    if isinstance(fusion, ReciprocalRank):
        total = _by_rank(fusion, found, rows, max(fusion.depth, query.k))
        ceiling = 0.0
    else:
        total, ceiling = _by_sum(fusion, found, rows, query, spaces, open_)
    scores = _rounded(total)
    order = np.lexsort((rows, -scores))[: query.k]
    best = RankedRows(rows[order], scores[order])
    # Rounding keeps order, so the rounded ceiling is not below any rounded score outside. At a tie
    # a lower row may be outside.
    full = len(order) == query.k and best.scores[-1] > _rounded(np.array([ceiling]))[0]
    return best if full or not open_ else None


def _by_rank(
    fusion: ReciprocalRank, found: Mapping[str, RankedRows], rows: Rows, depth: int
) -> Totals:
    """The scores of ``rows``; those of all rows outside the lists are 0."""
    total = np.zeros(len(rows), np.float64)
    for name, listed in found.items():
        counted = listed.rows[:depth]
        ranks = np.arange(1, len(counted) + 1)
        positions = np.searchsorted(rows, counted)
        total[positions] += fusion.weight(name) / (fusion.constant + ranks)
    return total


def _by_sum(
    fusion: WeightedSum,
    found: Mapping[str, RankedRows],
    rows: Rows,
    query: FusionInput,
    spaces: Mapping[str, Space],
    open_: set[str],
) -> tuple[Totals, float]:
    """The scores of ``rows``, and a bound on the scores of all rows outside the lists."""
    total = np.zeros(len(rows), np.float64)
    ceiling = 0.0
    for name, listed in found.items():
        space, weight = spaces[name], fusion.weight(name)
        total += weight * space.scores(rows, query.vectors[name]).astype(np.float64)
        # Outside a list: no more than its last in this space, or no vector here and so 0.
        highest = float(listed.scores[-1]) if name in open_ else 0.0
        ceiling += weight * (highest if space.mask.all() else max(highest, 0.0))
    return total, ceiling


def _rounded(total: Totals) -> Vectors:
    scores: Vectors = np.clip(total, -_MAX, _MAX).astype(np.float32)
    return scores
