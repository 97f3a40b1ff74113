"""Several spaces searched, and their rows made one list, as ``recsys.retrieval.fusion`` says.

Scores are summed in float64 in the order of the spaces' names and rounded to float32; ties go to
the lower row. So an answer depends neither on the order in which the spaces are named nor on what
else is in the batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.ids import Rows, Vectors
from recsys.retrieval.fusion import Fusion, ReciprocalRank, WeightedSum
from recsys.retrieval.space import Space

Totals = npt.NDArray[np.float64]
_FIRST, _WIDER = 64, 4
_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Sought:
    """One query, placed in every space that it is asked in.

    Attributes:
        vectors: By the space's name, float32 ``[d]``.
        hidden: Rows that must not come.
        k: Rows wanted.
        fusion: How the spaces become one.
    """

    vectors: Mapping[str, Vectors]
    hidden: Rows
    k: int
    fusion: Fusion


@dataclass(frozen=True, eq=False)
class Ranked:
    """Rows, best first, and their scores, float32."""

    rows: Rows
    scores: Vectors


def fuse(spaces: Mapping[str, Space], sought: Sequence[Sought]) -> list[Ranked]:
    """Per query its k best rows; fewer only where fewer are eligible in any of its spaces.

    In each round a space is searched in one call for all queries that look equally deep. The
    lists are widened until no row outside them can be among the best: the threshold algorithm,
    with the lists read a stretch at a time. Ranks need one round, unless a space weighs 0.

    Example:
        >>> from recsys.index import ExactConfig
        >>> one = Space.two_tower(np.array([[0.5], [0.5], [0.25]], np.float32), ExactConfig())
        >>> two = Space.two_tower(np.array([[0.0], [0.5], [0.75]], np.float32), ExactConfig())
        >>> query, none = np.ones(1, np.float32), np.empty(0, np.int32)
        >>> sought = Sought({"one": query, "two": query}, none, 2, WeightedSum())
        >>> fuse({"one": one, "two": two}, [sought])[0].rows.tolist()
        [1, 2]
    """
    answers: dict[int, Ranked] = {}
    depths = {position: _first_depth(each) for position, each in enumerate(sought)}
    while depths:
        lists = _search(spaces, sought, depths)
        for position, depth in list(depths.items()):
            each = sought[position]
            best = _best(each, lists[position], spaces, depth)
            if best is None:
                depths[position] = depth * _WIDER
            else:
                answers[position] = best
                del depths[position]
    return [answers[position] for position in range(len(sought))]


def _first_depth(sought: Sought) -> int:
    if isinstance(sought.fusion, ReciprocalRank):
        # With k rows from each list the answer is short only where there are no more.
        return max(sought.fusion.depth, sought.k)
    return max(_FIRST, 2 * sought.k)


def _search(
    spaces: Mapping[str, Space], sought: Sequence[Sought], depths: Mapping[int, int]
) -> dict[int, dict[str, Ranked]]:
    """Per query and space, by its name, the rows down to the query's depth."""
    together: dict[tuple[str, int], list[int]] = defaultdict(list)
    for position, depth in depths.items():
        for name in sorted(sought[position].vectors):
            together[name, depth].append(position)
    found: dict[int, dict[str, Ranked]] = {position: {} for position in depths}
    for (name, depth), positions in sorted(together.items()):
        hits = spaces[name].search(
            np.stack([sought[position].vectors[name] for position in positions]),
            depth,
            exclude=[sought[position].hidden for position in positions],
        )
        for line, position in enumerate(positions):
            found[position][name] = Ranked(*hits.at(line))
    return found


def _best(
    sought: Sought, found: Mapping[str, Ranked], spaces: Mapping[str, Space], depth: int
) -> Ranked | None:
    """The best rows, or None where a row outside the lists could still be among them."""
    fusion = sought.fusion
    rows = np.unique(np.concatenate([listed.rows for listed in found.values()]))
    # A list that was not filled holds every row that is eligible in its space.
    open_ = {name for name in found if len(found[name].rows) == depth < len(spaces[name])}
    if isinstance(fusion, ReciprocalRank):
        total = _by_rank(fusion, found, rows, max(fusion.depth, sought.k))
        ceiling = 0.0
    else:
        total, ceiling = _by_sum(fusion, found, rows, sought, spaces, open_)
    scores = _rounded(total)
    order = np.lexsort((rows, -scores))[: sought.k]
    best = Ranked(rows[order], scores[order])
    # Rounding keeps order, so the rounded ceiling is not below any rounded score outside. At a tie
    # a lower row may be outside.
    full = len(order) == sought.k and best.scores[-1] > _rounded(np.array([ceiling]))[0]
    return best if full or not open_ else None


def _by_rank(fusion: ReciprocalRank, found: Mapping[str, Ranked], rows: Rows, depth: int) -> Totals:
    """The scores of ``rows``; those of all rows outside the lists are 0."""
    total = np.zeros(len(rows), np.float64)
    for name, listed in found.items():
        counted = listed.rows[:depth]
        ranks = np.arange(1, len(counted) + 1)
        places = np.searchsorted(rows, counted)
        total[places] += fusion.weight(name) / (fusion.constant + ranks)
    return total


def _by_sum(
    fusion: WeightedSum,
    found: Mapping[str, Ranked],
    rows: Rows,
    sought: Sought,
    spaces: Mapping[str, Space],
    open_: set[str],
) -> tuple[Totals, float]:
    """The scores of ``rows``, and what no row outside the lists is above."""
    total = np.zeros(len(rows), np.float64)
    ceiling = 0.0
    for name, listed in found.items():
        space, weight = spaces[name], fusion.weight(name)
        total += weight * space.scores(rows, sought.vectors[name]).astype(np.float64)
        # Outside a list: no more than its last in this space, or no vector here and so 0.
        highest = float(listed.scores[-1]) if name in open_ else 0.0
        ceiling += weight * (highest if space.mask.all() else max(highest, 0.0))
    return total, ceiling


def _rounded(total: Totals) -> Vectors:
    scores: Vectors = np.clip(total, -_MAX, _MAX).astype(np.float32)
    return scores
