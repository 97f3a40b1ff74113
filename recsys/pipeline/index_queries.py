"""Queries of every kind that a space answers, to tune its index and to measure its recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from recsys.ids import Vectors
from recsys.index import ExactIndex, Hits
from recsys.index.recall import recalls
from recsys.pipeline.job import Job
from recsys.pipeline.scoring import batch_of
from recsys.retrieval import TEXT, TWO_TOWER, Space
from recsys.splits import HeldOutQueries
from recsys.towers import QueryBatch

CUTOFFS = (1, 10, 100, 1_000)
"""Values of k at which the recall of a space is measured."""
_TITLES = 300
_TUNING, _MEASURING = 0, 1
"""First row of every second one that tunes, and that measures."""


class SampledQueries:
    """Query vectors of a run's spaces: "users", "items" and, where read, "terms" and "titles".

    Args:
        job: The run.
        limit: Largest number of queries of a kind.
    """

    def __init__(self, job: Job, limit: int) -> None:
        self._job, self._limit = job, limit

    def tuning(self, space: str) -> dict[str, Vectors]:
        """Queries to tune on; no target is read.

        Every second query of the test split, which is the nearest in time to the queries that the
        service answers, and as many as are missing of the validation split.
        """
        split = self._job.split
        users = [self._some(np.arange(len(split.test))[::2])]
        missing = self._limit - len(users[0])
        parts = [split.test.at(np.sort(users[0]))]
        if missing > 0 and len(split.validation):
            rows = self._some(np.arange(len(split.validation)))[:missing]
            parts.append(split.validation.at(np.sort(rows)))
        return self._of(space, parts, _TUNING)

    def measuring(self, space: str) -> dict[str, Vectors]:
        """Other queries, to measure on."""
        test = self._job.split.test
        users = np.sort(self._some(np.arange(len(test))[1::2]))
        return self._of(space, [test.at(users)], _MEASURING)

    def _of(self, space: str, users: Sequence[HeldOutQueries], half: int) -> dict[str, Vectors]:
        if space == TWO_TOWER:
            kinds, encode = self._towers(half), self._encoded
        else:
            kinds, encode = self._block(space, half), partial(_means, _unit(self._vectors(space)))
        found = [encode(part) for part in users if len(part)]
        if found:
            kinds["users"] = np.concatenate(found)
        return {kind: vectors for kind, vectors in kinds.items() if len(vectors)}

    def _encoded(self, users: HeldOutQueries) -> Vectors:
        job = self._job
        batch = batch_of(users, known=job.known_users, phrases=job.query_phrases)
        return job.towers.encode_many(batch)

    def _towers(self, half: int) -> dict[str, Vectors]:
        job, towers = self._job, self._job.towers
        kinds = {"items": self._half(towers.item_vectors, half)}
        if towers.terms_dimension and job.query_phrases is None:
            terms = self._half(job.phrases, half)
            nothing = [np.zeros(0, np.int32)] * len(terms)
            kinds["terms"] = towers.encode_many(QueryBatch.of(nothing, terms=terms))
        return kinds

    def _block(self, space: str, half: int) -> dict[str, Vectors]:
        vectors, phrases = self._vectors(space), self._job.phrases
        kinds = {"items": self._half(vectors, half)}
        if space == TEXT and phrases.shape[1] == vectors.shape[1]:
            kinds["terms"] = self._half(phrases, half)
        if space == TEXT and TEXT in self._job.encoders:
            kinds["titles"] = self._titles(half)
        return {
            kind: _unit(each) for kind, each in kinds.items() if each.shape[1] == vectors.shape[1]
        }

    def _titles(self, half: int) -> Vectors:
        """Some titles as search terms, since the log of searches may be short or absent."""
        titles = self._job.ingested.catalogue.titles()
        rows = self._some(np.arange(len(titles))[half::2])[:_TITLES]
        encoded = self._job.encoders[TEXT].encode([titles[row] for row in np.sort(rows)])
        return np.asarray(encoded.vectors[encoded.mask])

    def _vectors(self, space: str) -> Vectors:
        block = self._job.blocks[space]
        return np.where(block.mask[:, None], block.vectors, np.float32(0))

    def _half(self, vectors: Vectors, half: int) -> Vectors:
        """Some of the vectors that are not zero, every second of all."""
        rows = np.flatnonzero(np.any(vectors != 0, axis=1))
        return np.asarray(vectors[np.sort(self._some(rows[half::2]))])

    def _some(self, rows: Any) -> Any:
        return np.random.default_rng(self._job.config.seed).permutation(rows)[: self._limit]


def measure_recall(
    space: Space, kinds: Mapping[str, Vectors], *, at: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Recall of a space per kind of query and k: the mean, and that of the worst query.

    The values of k are ``CUTOFFS`` and ``at``, as far as the space has items.

    Returns:
        Per kind and k, as a string, ``{"mean": ..., "worst": ...}``.
    """
    exact = Space(space.vectors, space.mask, space.name, ExactIndex.of(space.vectors))
    ks = sorted({min(k, len(space)) for k in (*CUTOFFS, at)})
    found: dict[str, dict[str, dict[str, float]]] = {}
    for kind, queries in kinds.items():
        nothing = [np.zeros(0, np.int32)] * len(queries)
        truth = exact.search(queries, ks[-1], exclude=nothing)
        found[kind] = {}
        for k in ks:
            shares = recalls(space.search(queries, k, exclude=nothing), _first(truth, k))
            found[kind][str(k)] = {"mean": float(shares.mean()), "worst": float(shares.min())}
    return found


def worst_kind(recall: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[int, float]:
    """Lowest mean over the kinds of :func:`measure_recall`, by k."""
    lowest: dict[int, float] = {}
    for by_k in recall.values():
        for k, value in by_k.items():
            lowest[int(k)] = min(lowest.get(int(k), 1.0), value["mean"])
    return lowest


def _first(hits: Hits, k: int) -> Hits:
    return Hits(hits.rows[:, :k], hits.scores[:, :k], hits.valid[:, :k], hits.work)


def _means(vectors: Vectors, users: HeldOutQueries) -> Vectors:
    """The mean over each history, without items that have no vector."""
    histories = (users.history(query) for query in range(len(users)))
    present = [vectors[rows[np.any(vectors[rows] != 0, axis=1)]] for rows in histories]
    means = [rows.mean(axis=0, dtype=np.float64) for rows in present if len(rows)]
    return _unit(np.array(means, np.float32).reshape(-1, vectors.shape[1]))


def _unit(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    scaled = vectors / np.where(norms > 0, norms, 1)[:, None]
    unit: Vectors = scaled.astype(np.float32)
    return unit
