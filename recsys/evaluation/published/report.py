"""The report of a bundle: figures, segments and failed queries as JSON, and values per query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import DataError
from recsys.evaluation.evaluation import Evaluation
from recsys.evaluation.published.failures import FailedQuery
from recsys.files import load_arrays, read_json, save_arrays, write_json
from recsys.splits.query_digests import QueryDigests

MAX_QUERIES = 10_000
"""Number of queries whose values are kept, and of digests of candidates."""
MAX_FAILURES = 50
_EPOCHS = 1_000
_REPORT, _VALUES, _DIGESTS = "report.json", "values.npz", "queries.npz"
_BYTES = 1 << 26


@dataclass(frozen=True, eq=False)
class PublishedReport:
    """The evaluation of a run, as its bundle holds it.

    Equal evaluations have equal files: there are no dates and no durations in them.

    Attributes:
        content: JSON values: ``name``, ``seeds``, ``protocol``, ``k``, ``evaluations`` by scorer
            (``figures``, ``intervals``, ``counts``), the model first; ``epochs``, the figures of
            the training; ``failed_queries``, their number; ``failures``, the worst of them.
        model: Metrics of the model at ``k`` per query, for at most 10,000 queries.
        queries: Digests of these queries, and of at most 10,000 candidates. Both are those with
            the lowest digests: two reports on the same queries keep the same ones.

    Example:
        >>> found = Evaluation("two_tower", {"recall@10": 0.5}, {}, {"queries": 2},
        ...     {"recall@10": np.array([1, 0], np.float32)}, 1.0)
        >>> digests = QueryDigests(*np.arange(6, dtype=np.uint64).reshape(3, 2))
        >>> made = PublishedReport.of({"two_tower": found}, digests, name="demo", seeds=[1],
        ...     protocol="leave-last-out", k=10)
        >>> made.content["evaluations"]["two_tower"]["figures"]
        {'recall@10': 0.5}
    """

    content: Mapping[str, Any]
    model: Evaluation = field(repr=False)
    queries: QueryDigests = field(repr=False)

    @classmethod
    def of(
        cls,
        evaluations: Mapping[str, Evaluation],
        queries: QueryDigests,
        *,
        name: str,
        seeds: Sequence[int],
        protocol: str,
        k: int,
        epochs: Sequence[Mapping[str, Any]] = (),
        failures: Sequence[FailedQuery] = (),
    ) -> PublishedReport:
        """The report of evaluations, of which the first is that of the model.

        Args:
            evaluations: Evaluations by scorer.
            queries: Digests of the test queries, in the order of the values.
            name: Name of the run.
            seeds: Seeds on which the figures depend.
            protocol: Name of the protocol of the split.
            k: The k of the values that are kept.
            epochs: Figures per epoch; those that are no numbers are left out.
            failures: Failed queries of the model, the worst first.
        """
        model = next(iter(evaluations.values()))
        hits = model.values.get(f"hr@{k}")
        entries = {key: each.as_json() for key, each in evaluations.items()}
        for entry in entries.values():
            del entry["seconds"]
        content = {
            "name": name,
            "seeds": list(seeds),
            "protocol": protocol,
            "k": k,
            "evaluations": entries,
            "epochs": [_numbers(epoch) for epoch in epochs[-_EPOCHS:]],
            "failed_queries": 0 if hits is None else int((hits == 0).sum()),
            "failures": [asdict(each) for each in failures[:MAX_FAILURES]],
        }
        kept = np.sort(np.lexsort((queries.histories, queries.targets))[:MAX_QUERIES])
        digests = QueryDigests(
            queries.targets[kept],
            queries.histories[kept],
            np.sort(queries.candidates)[:MAX_QUERIES],
        )
        values = {
            metric: column[kept]
            for metric, column in model.values.items()
            if metric.endswith(f"@{k}")
        }
        return cls(content, _stored(model.name, entries[model.name], values), digests)

    @classmethod
    def load(cls, folder: Path) -> PublishedReport:
        """A report that :meth:`save` wrote.

        Raises:
            DataError: A file is missing or damaged.
        """
        try:
            content = read_json(folder / _REPORT, limit=_BYTES)
            name = model_of(content)
            values: dict[str, Any] = load_arrays(folder / _VALUES)
            model = _stored(name, content["evaluations"][name], values)
            return cls(content, model, QueryDigests.load(folder / _DIGESTS))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{folder} holds no report of an evaluation: {error}") from error

    def of_users(self, is_known: Callable[[str], bool]) -> PublishedReport:
        """The report without the failed queries of users that are not known, as deleted ones."""
        failures = [each for each in self.content["failures"] if is_known(each["user_id"])]
        return replace(self, content={**self.content, "failures": failures})

    def save(self, folder: Path) -> None:
        """Write the report into a new folder."""
        folder.mkdir()
        write_json(folder / _REPORT, dict(self.content))
        save_arrays(folder / _VALUES, dict(self.model.values))
        self.queries.save(folder / _DIGESTS)


def model_of(content: Mapping[str, Any]) -> str:
    """Name of the scorer that a report is about."""
    return str(next(iter(content["evaluations"])))


def segments(content: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Names of the segments of a report, and the number of queries of each."""
    model = content["evaluations"][model_of(content)]
    start, end = "recall_of_", f"@{content['k']}"
    names = [
        metric.removeprefix(start).removesuffix(end)
        for metric in model["figures"]
        if metric.startswith(start) and metric.endswith(end)
    ]
    return [(name, int(model["counts"].get(f"{name}_queries", 0))) for name in names]


def _stored(name: str, entry: Mapping[str, Any], values: Mapping[str, Any]) -> Evaluation:
    intervals = {metric: (low, high) for metric, (low, high) in entry["intervals"].items()}
    return Evaluation(name, entry["figures"], intervals, entry["counts"], values, 0.0)


def _numbers(epoch: Mapping[str, Any]) -> dict[str, float]:
    """The figures of an epoch that depend on the data and the seeds alone."""
    return {
        name: value
        for name, value in epoch.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and name != "seconds"
    }
