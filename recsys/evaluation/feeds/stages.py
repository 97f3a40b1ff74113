"""Quality after every stage of a feed: found, removed, lifted, and paid for variety."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.errors import InvalidRequestError
from recsys.evaluation import metrics
from recsys.evaluation.bootstrap import Interval, bootstrap_intervals
from recsys.evaluation.feeds.lists import Lists
from recsys.evaluation.metrics import Values


@dataclass(frozen=True, eq=False)
class StageLists:
    """The candidates of all queries after one stage, in their order.

    Attributes:
        name: Name of the stage.
        role: What the stage does: "source", "merge", "filter", "scorer", "diversity", "slots", ...
        lists: Candidates per query. Those of a source are its own list.
    """

    name: str
    role: str
    lists: Lists


@dataclass(frozen=True, eq=False)
class StageFigures:
    """Quality of the candidates after one stage.

    Attributes:
        name: Name of the stage.
        role: Role of the stage.
        figures: Means over the queries: ``items``, the length of a list; ``found``, the share of a
            query's targets anywhere in it; ``only`` of a source, the share that no other source
            found; ``recall@k`` and ``ndcg@k``.
        changes: Difference from the stage before and its 95% interval, paired by query, of
            ``found``, ``recall@k`` and ``ndcg@k``; empty for sources and the merge.
    """

    name: str
    role: str
    figures: Mapping[str, float]
    changes: Mapping[str, tuple[float, Interval]]


def evaluate_stages(
    stages: Sequence[StageLists],
    targets: Lists,
    *,
    ks: Sequence[int] = (10, 50),
    seed: int = 0,
    resamples: int = 1000,
) -> list[StageFigures]:
    """The figures of every stage, in the given order.

    Args:
        stages: Stages in the order of the pipeline, the sources first.
        targets: Held-out items per query.
        ks: Lengths of the lists that recall and NDCG are taken at.

    Raises:
        InvalidRequestError: No query, no k, or a stage with another number of queries.

    Example:
        >>> targets = Lists.of([[3], [1]])
        >>> merged = StageLists("merge", "merge", Lists.of([[2, 3], [0, 2]]))
        >>> ranked = StageLists("rank", "scorer", Lists.of([[3, 2], [0, 2]]))
        >>> for stage in evaluate_stages([merged, ranked], targets):
        ...     print(stage.name, round(stage.figures["ndcg@10"], 3))
        merge 0.315
        rank 0.5
    """
    if not len(targets) or not ks or min(ks) < 1:
        raise InvalidRequestError(f"queries and k >= 1 are needed; got {len(targets)}, {list(ks)}")
    for stage in stages:
        if len(stage.lists) != len(targets):
            raise InvalidRequestError(
                f"the stage '{stage.name}' has {len(stage.lists)} queries, of {len(targets)}"
            )
    found = []
    before: dict[str, Values] | None = None
    for stage in stages:
        values = _values(stage.lists, targets, ks)
        changes: dict[str, tuple[float, Interval]] = {}
        if stage.role == "source":
            values["only"] = _only(stage, stages, targets)
        elif before is not None:
            gaps = {name: values[name] - before[name] for name in before if name != "items"}
            intervals = bootstrap_intervals(gaps, seed=seed, resamples=resamples)
            changes = {name: (float(gap.mean()), intervals[name]) for name, gap in gaps.items()}
        figures = {name: float(column.mean()) for name, column in values.items()}
        found.append(StageFigures(stage.name, stage.role, figures, changes))
        before = None if stage.role == "source" else values
    return found


def _values(lists: Lists, targets: Lists, ks: Sequence[int]) -> dict[str, Values]:
    """Figures per query, float64 ``[q]``."""
    hits, counts = lists.hits(targets), targets.lengths
    values = {
        "items": lists.lengths.astype(np.float64),
        "found": metrics.recall(hits, counts, max(hits.shape[1], 1)),
    }
    for k in ks:
        values[f"recall@{k}"] = metrics.recall(hits, counts, k)
        values[f"ndcg@{k}"] = metrics.ndcg(hits, counts, k)
    return values


def _only(stage: StageLists, stages: Sequence[StageLists], targets: Lists) -> Values:
    """Share of a query's targets that this source found, and no other one."""
    own = targets.hits(stage.lists)
    for other in stages:
        if other.role == "source" and other is not stage:
            own = own & ~targets.hits(other.lists)
    found: Values = np.count_nonzero(own, axis=1) / np.maximum(targets.lengths, 1)
    return found
