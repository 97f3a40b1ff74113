"""Documents and queries of the collection, and the evaluation of a scorer of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.evaluation import Evaluation, evaluate_queries
from recsys.formats import read_documents, read_judgements, read_queries, resolve
from recsys.ids import IdMap, Vectors
from recsys.splits import HeldOutQueries

Score = Callable[[Sequence[str]], Vectors]
"""Function from q texts to the scores of all documents, float32 ``[q, documents]``."""


@dataclass(frozen=True, eq=False)
class Collection:
    """Documents by row, and the queries with at least one judgement."""

    ids: IdMap
    titles: tuple[str, ...]
    bodies: tuple[str, ...]
    queries: HeldOutQueries
    unjudged: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def whole(self) -> list[str]:
        """Title and body per document."""
        return [f"{title}. {body}" for title, body in zip(self.titles, self.bodies)]


def read_cisi() -> Collection:
    """The collection CISI.

    Raises:
        NotFoundError: ``RECSYS_DATA_HOME`` does not hold it.
    """
    folder = resolve("data:cisi")
    documents = read_documents(folder / "CISI.ALL").to_pydict()
    queries = read_queries(folder / "CISI.QRY").to_pydict()
    judgements = read_judgements(
        folder / "CISI.REL", queries=queries["query_id"], documents=documents["item_id"]
    )
    ids = IdMap.of("item", documents["item_id"])
    targets: dict[str, list[int]] = {}
    for line in judgements.to_pylist():
        targets.setdefault(line["query_id"], []).append(ids.row(line["item_id"]))
    relevant = [pair for pair in zip(queries["query_id"], queries["terms"]) if pair[0] in targets]
    size = len(relevant)
    held_out = HeldOutQueries.of(
        user=[0] * size,
        histories=[[]] * size,
        targets=[targets[query] for query, _ in relevant],
        terms=range(1, size + 1),
        phrases=("", *(terms for _, terms in relevant)),
    )
    titles, bodies = (
        tuple(text or "" for text in documents[column]) for column in ("title", "body")
    )
    return Collection(ids, titles, bodies, held_out, len(queries["query_id"]) - size)


@dataclass(frozen=True, eq=False)
class TextScorer:
    """Scorer of documents for the text of a query."""

    name: str
    score_texts: Score

    def score(self, queries: HeldOutQueries) -> Vectors:
        """float32 ``[q, documents]``."""
        return self.score_texts([queries.phrases[row] for row in queries.terms])


def evaluate_search(collection: Collection, score: Score) -> Evaluation:
    """Rank all N documents for each query: ``ndcg@10`` and ``map@N``."""
    size = len(collection)
    every = np.ones(size, np.bool_)
    return evaluate_queries(
        TextScorer("search", score),
        collection.queries,
        candidates=every,
        item_counts=np.ones(size, np.int64),
        ks=(10, size),
    )


def quality(collection: Collection, result: Evaluation) -> dict[str, float]:
    """nDCG@10 and mean average precision."""
    mean_precision = result.figures[f"map@{len(collection)}"]
    return {"ndcg@10": result.figures["ndcg@10"], "map": mean_precision}
