"""The collection: its documents, the queries that were judged, and how a scorer of texts fares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.evaluation import Evaluation, evaluate
from recsys.formats import read_documents, read_judgements, read_queries, resolve
from recsys.ids import IdMap, Vectors
from recsys.splits import HeldOutQueries

Score = Callable[[Sequence[str]], Vectors]
"""From q texts to the scores of all documents, float32 ``[q, documents]``."""


@dataclass(frozen=True, eq=False)
class Collection:
    """Documents in row order, and the queries with at least one judgement.

    Attributes:
        ids: Of the documents.
        titles: Of the documents.
        bodies: Of the documents.
        queries: The judged queries; their words are ``queries.phrases[1:]``, in order.
        unjudged: How many queries have no judgement and so do not count.
    """

    ids: IdMap
    titles: tuple[str, ...]
    bodies: tuple[str, ...]
    queries: HeldOutQueries
    unjudged: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def whole(self) -> list[str]:
        """Each document's title and body."""
        return [f"{title}. {body}" for title, body in zip(self.titles, self.bodies)]

    @property
    def query_texts(self) -> tuple[str, ...]:
        return self.queries.phrases[1:]


def read_cisi() -> Collection:
    """CISI, found by name.

    Raises:
        NotFoundError: ``RECSYS_DATA_HOME`` does not hold it.
    """
    folder = resolve("data:cisi")
    documents = read_documents(folder / "CISI.ALL").to_pydict()
    queries = read_queries(folder / "CISI.QRY").to_pydict()
    judged = read_judgements(
        folder / "CISI.REL", queries=queries["query_id"], documents=documents["item_id"]
    )
    ids = IdMap.of("item", documents["item_id"])
    targets: dict[str, list[int]] = {}
    for line in judged.to_pylist():
        targets.setdefault(line["query_id"], []).append(ids.row(line["item_id"]))
    asked = [pair for pair in zip(queries["query_id"], queries["terms"]) if pair[0] in targets]
    size = len(asked)
    held_out = HeldOutQueries.of(
        user=[0] * size,
        histories=[[]] * size,
        targets=[targets[query] for query, _ in asked],
        terms=range(1, size + 1),
        phrases=("", *(terms for _, terms in asked)),
    )
    titles, bodies = (
        tuple(text or "" for text in documents[column]) for column in ("title", "body")
    )
    return Collection(ids, titles, bodies, held_out, len(queries["query_id"]) - size)


@dataclass(frozen=True, eq=False)
class TextScorer:
    """Scores documents for the words of a query."""

    name: str
    of_texts: Score

    def score(self, queries: HeldOutQueries) -> Vectors:
        """float32 ``[q, documents]``."""
        return self.of_texts([queries.phrases[row] for row in queries.terms])


def judge(collection: Collection, name: str, score: Score) -> Evaluation:
    """All documents ranked for each judged query; ``ndcg@10``, and ``map@N`` with N all of them."""
    size = len(collection)
    every = np.ones(size, np.bool_)
    return evaluate(
        TextScorer(name, score),
        collection.queries,
        candidates=every,
        item_counts=np.ones(size, np.int64),
        ks=(10, size),
    )


def quality(collection: Collection, result: Evaluation) -> dict[str, float]:
    """The two figures that count."""
    mean_precision = result.figures[f"map@{len(collection)}"]
    return {"ndcg@10": result.figures["ndcg@10"], "map": mean_precision}
