"""Features of retrieved items, computed by one function in training, in serving and from a log.

========================  ==========================================================================
``source.NAME.present``   1 if the source returned the item, else 0
``source.NAME.rank``      logarithm of the item's position in its list; absent items follow the list
``source.NAME.score``     score that the source gave; absent items have the lowest of the list
``source.NAME.gap``       score minus the best score of the list
``popularity``            logarithm of 1 + the number of interactions
``recent``                the same of recent interactions
``trend``                 logarithm of the item's recent share over its share of all interactions
``followed``              log-share of the times that the item followed the last of the history
``followed.last``         the same of the last item alone
``followed.long``         the same of a longer part of the history
``followed.lately``       as ``followed``, with recent pairs of the log only
``followed.lift``         ``followed.long`` minus ``popularity``
``preceded``              log-share of the times that the item came before those of the history
``ease``                  item-item regression over the history
``ease.last``             the same over the last few items
``vector.product``        inner product of the user's and the item's vectors
``vector.last``           inner product of the vectors of the item and the last one of the history
``vector.max``            largest inner product with the last items of the history
``vector.mean``           mean inner product with the last items of the history
``history.length``        logarithm of 1 + the length of the history
``visit.gap``             logarithm of 1 + the seconds since the last interaction, at most a day
``visit.length``          number of interactions in the last half hour, at most 20
``visit.together``        number of last interactions at the same time, at most 20
========================  ==========================================================================

A further column of the retrieved items is a feature by its own name. No feature depends on the
calendar: the age of an item or the days since the last visit drift between training and serving.
Without times, a visit has the length 0 and its gap is a day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from recsys.errors import DataError
from recsys.ids import Vectors
from recsys.ranking.inputs.context import PairContext
from recsys.ranking.inputs.retrieved import RetrievedItems
from recsys.ranking.inputs.statistics import Statistics
from recsys.ranking.inputs.table import FeatureTable

LAST = 5
"""Number of last items that ``followed``, ``ease.last`` and the vectors' features read."""
DECAY = 0.8
"""Factor per position back in the history, for ``followed``."""
LONG, LONG_DECAY = 20, 0.93
"""Number of last items that ``followed.long`` and ``preceded`` read, and their factor."""
VISIT_SECONDS, DAY_SECONDS = 1800, 86_400
EASE_WINDOW = 100
"""Number of last items that ``ease`` reads."""
_SMALLEST = 1e-4
_SOURCE = re.compile(r"source\.(.+)\.(present|rank|score|gap)")
Columns = dict[str, Vectors]

POPULARITY = ("popularity", "recent", "trend")
FOLLOWED = (
    "followed",
    "followed.last",
    "followed.long",
    "followed.lately",
    "followed.lift",
    "preceded",
)
EASE = ("ease", "ease.last")
VECTOR = ("vector.product", "vector.last", "vector.max", "vector.mean")
HISTORY = ("history.length", "visit.gap", "visit.length", "visit.together")


def default_features(sources: Sequence[str]) -> tuple[str, ...]:
    """Names of all features of candidates from these sources.

    Example:
        >>> default_features(["two_tower"])[:4]
        ('source.two_tower.present', 'source.two_tower.rank', 'source.two_tower.score', \
'source.two_tower.gap')
    """
    kinds = ("present", "rank", "score", "gap")
    listed = [f"source.{source}.{kind}" for source in sources for kind in kinds]
    return (*listed, *POPULARITY, *FOLLOWED, *EASE, *VECTOR, *HISTORY)


def is_feature(name: str) -> bool:
    """Whether a feature of this name is computed for the candidates of any sources.

    Example:
        >>> [is_feature(name) for name in ("source.popular.rank", "followed", "merged")]
        [True, True, False]
    """
    return bool(_SOURCE.fullmatch(name)) or name in default_features(())


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Named features of retrieved items.

    Attributes:
        names: Names of the features, in the order of the table.
        statistics: Statistics of a log before the requests.

    Example:
        >>> from recsys.ids import IdMap
        >>> from recsys.interactions import Interactions
        >>> log = Interactions.of(IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug"]),
        ...     user=[0, 0], item=[0, 1], time=[10, 20])
        >>> features = FeatureSet(("popularity", "source.two_tower.gap"), Statistics.of(log))
        >>> items = RetrievedItems.of_list("two_tower", np.array([1, 0], np.int32), [0.75, 0.5])
        >>> np.round(features.compute(PairContext(), items).values, 2).tolist()
        [[0.6899999976158142, 0.0], [0.6899999976158142, -0.25]]
    """

    names: tuple[str, ...]
    statistics: Statistics
    _groups: tuple[Callable[[Statistics, PairContext, RetrievedItems], Columns], ...] = field(
        init=False, repr=False
    )

    def __post_init__(self) -> None:
        wanted = set(self.names)
        groups = tuple(make for names, make in _GROUPS if wanted & set(names))
        object.__setattr__(self, "_groups", groups)

    def compute(self, context: PairContext, items: RetrievedItems) -> FeatureTable:
        """The features of every item, float32 ``[n, f]``.

        Features of a source that returned nothing, as of one that failed, have the values of
        absent items.

        Raises:
            DataError: A name is neither a feature nor a column of ``items``, or a value is not
                finite.
        """
        columns: Columns = dict(items.columns)
        for make in self._groups:
            columns |= make(self.statistics, context, items)
        for name in self.names:
            if name not in columns and (match := _SOURCE.fullmatch(name)):
                columns |= dict(_of_source(items, match[1]))
        missing = [name for name in self.names if name not in columns]
        if missing:
            raise DataError(
                f"'{missing[0]}' is neither a feature nor a column of the retrieved items (their "
                f"columns: {', '.join(items.columns) or 'none'})"
            )
        values = np.empty((len(items), len(self.names)), np.float32)
        for at, name in enumerate(self.names):
            values[:, at] = columns[name]
        return FeatureTable(self.names, values, items.rows, items.vectors)


def _of_source(items: RetrievedItems, source: str) -> Iterator[tuple[str, Vectors]]:
    ranks = scores = np.full(len(items), np.nan, np.float32)
    if source in items.sources:
        at = items.sources.index(source)
        ranks, scores = items.ranks[:, at], items.scores[:, at]
    present = ~np.isnan(ranks)
    last, low, high = np.float32(0), np.float32(0), np.float32(0)
    if present.any():
        last, low, high = ranks[present].max(), scores[present].min(), scores[present].max()
    score = np.where(present, scores, low)
    yield f"source.{source}.present", present.astype(np.float32)
    yield f"source.{source}.rank", np.log(np.where(present, ranks, last + 1)).astype(np.float32)
    yield f"source.{source}.score", score
    yield f"source.{source}.gap", score - high


def _popularity(statistics: Statistics, context: PairContext, items: RetrievedItems) -> Columns:
    counts = statistics.of_rows(statistics.popularity, items.rows)
    recent = statistics.of_rows(statistics.recent, items.rows)
    shares = [
        (column + 1) / (float(total.sum()) + len(total) + 1)
        for column, total in ((recent, statistics.recent), (counts, statistics.popularity))
    ]
    return {
        "popularity": np.log1p(counts),
        "recent": np.log1p(recent),
        "trend": np.log(shares[0] / shares[1]),
    }


def _followed(statistics: Statistics, context: PairContext, items: RetrievedItems) -> Columns:
    last, long = context.last(LAST), context.last(LONG)
    near = DECAY ** np.arange(len(last))[::-1]
    far = LONG_DECAY ** np.arange(len(long))[::-1]
    sums = {
        "followed": (statistics.followed, last, near),
        "followed.last": (statistics.followed, last[-1:], near[-1:]),
        "followed.long": (statistics.long, long, far),
        "followed.lately": (statistics.lately, last, near),
        "preceded": (statistics.preceded, long, far),
    }
    columns = {
        name: np.log(_SMALLEST + weights.sums(rows, factors, items.rows))
        for name, (weights, rows, factors) in sums.items()
    }
    popularity = np.log1p(statistics.of_rows(statistics.popularity, items.rows))
    return {**columns, "followed.lift": columns["followed.long"] - popularity}


def _ease(statistics: Statistics, context: PairContext, items: RetrievedItems) -> Columns:
    parts = {"ease": context.last(EASE_WINDOW), "ease.last": context.last(LAST)}
    columns = {name: np.unique(rows) for name, rows in parts.items()}
    return {
        name: statistics.ease.sums(rows, np.ones(len(rows)), items.rows)
        for name, rows in columns.items()
    }


def _vectors(statistics: Statistics, context: PairContext, items: RetrievedItems) -> Columns:
    if items.vectors is None or context.user_vector is None or context.history_vectors is None:
        raise DataError(
            f"the features {', '.join(VECTOR)} need RetrievedItems.vectors, PairContext.user_vector"
            " and PairContext.history_vectors"
        )
    history = context.history_vectors[-LAST:]
    products = items.vectors @ history.T if len(history) else np.zeros((len(items), 1), np.float32)
    return {
        "vector.product": items.vectors @ context.user_vector,
        "vector.last": products[:, -1],
        "vector.max": products.max(axis=1),
        "vector.mean": products.mean(axis=1),
    }


def _history(statistics: Statistics, context: PairContext, items: RetrievedItems) -> Columns:
    gap, length, together = float(DAY_SECONDS), 0, 0
    if context.times is not None and context.now is not None and len(context.times):
        times = context.times[-LONG:]
        gap = min(max(float(context.now - times[-1]), 0.0), gap)
        length = int((context.now - times < VISIT_SECONDS).sum())
        together = int((times == times[-1]).sum())
    values = {
        "history.length": np.log1p(np.float32(len(context.history))),
        "visit.gap": np.log1p(gap),
        "visit.length": length,
        "visit.together": together,
    }
    return {name: np.full(len(items), value, np.float32) for name, value in values.items()}


_GROUPS = (
    (POPULARITY, _popularity),
    (FOLLOWED, _followed),
    (EASE, _ease),
    (VECTOR, _vectors),
    (HISTORY, _history),
)
