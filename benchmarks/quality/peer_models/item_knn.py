"""Item neighbours of the library implicit: by cosine, TF-IDF or BM25."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.quality.peer_models.answering import Checkpoint, Setting
from benchmarks.quality.peer_models.files import Floats, Log, Queries
from benchmarks.quality.peer_models.ranking import top_k


def train(log: Log, setting: Setting, seed: int) -> Iterator[Checkpoint]:
    """``setting["last"]`` limits a history to its latest items."""
    from implicit import nearest_neighbours

    kinds = {
        "cosine": nearest_neighbours.CosineRecommender,
        "tfidf": nearest_neighbours.TFIDFRecommender,
        "bm25": nearest_neighbours.BM25Recommender,
    }
    model = kinds[setting["kind"]](K=setting["neighbours"])
    model.fit(log.matrix(), show_progress=False)

    def score(queries: Queries) -> Floats:
        scores: Floats = (queries.matrix(setting["last"]) @ model.similarity).toarray()
        return scores

    yield Checkpoint(None, lambda queries, k: top_k(queries, score, k))
