"""Pair networks as scorers of retrieved items: they read the history and the item, no features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from recsys.errors import DataError
from recsys.files import write_json
from recsys.ids import Vectors
from recsys.ranking.bags import Bags
from recsys.ranking.inputs import FeatureTable, PairContext
from recsys.ranking.scorers.cross import rows_of_words
from recsys.ranking.scorers.files import ScorerFiles
from recsys.ranking.sparse_network import SparsePairNetwork, load_sparse_pairs
from recsys.ranking.vector_network import VectorPairNetwork, load_vector_pairs

_NETWORK = "network"
_NO_ROWS = np.zeros(0, np.int32)


@dataclass(frozen=True, eq=False)
class SparseNetworkScorer:
    """Log-odds of a :class:`recsys.ranking.SparsePairNetwork`.

    Attributes:
        network: The network; its items have the rows of the catalogue.

    Example:
        See ``docs/how-to/rank-candidates.md``.
    """

    kind: ClassVar[str] = "sparse-pair"
    network: SparsePairNetwork

    @property
    def features(self) -> tuple[str, ...]:
        """No features."""
        return ()

    @property
    def reads_vectors(self) -> bool:
        """False: the network has its own vectors."""
        return False

    def score(self, table: FeatureTable, context: PairContext) -> Vectors:
        """float32 ``[n]``; items that the network does not know have the vector and bias 0."""
        known = len(self.network.items)
        history = context.history[context.history < known]
        phrases = (*context.searched[-self.network.config.searches :], context.terms)
        words = {word: row for row, word in enumerate(self.network.words.index)}
        searched = np.array(rows_of_words(words, phrases), np.int32)
        user = self.network.user_vectors(Bags.of([history]), Bags.of([searched]))
        inside = table.rows < known
        rows = np.where(inside, table.rows, 0)
        vectors = self.network.item_vectors[rows] * inside[:, None]
        odds = self.network.head.log_odds(user, vectors)[0]
        return np.asarray(odds + self.network.bias[rows] * inside, np.float32)

    def explain(self, table: FeatureTable, context: PairContext, at: int) -> Mapping[str, float]:
        """Changes of the score from leaving out the history, and the search terms."""
        one = FeatureTable(table.names, table.values[at : at + 1], table.rows[at : at + 1])
        without = {
            "history": replace(context, history=_NO_ROWS, times=None, history_vectors=None),
            "terms": replace(context, terms="", searched=()),
        }
        score = float(self.score(one, context)[0])
        return {name: score - float(self.score(one, each)[0]) for name, each in without.items()}

    def save(self, folder: Path) -> None:
        """Write ``scorer.json`` and the network into ``folder``."""
        self.network.save(folder / _NETWORK)
        write_json(folder / "scorer.json", {"kind": self.kind, "features": []})


@dataclass(frozen=True, eq=False)
class VectorNetworkScorer:
    """Log-odds of a :class:`recsys.ranking.VectorPairNetwork` over the towers' item vectors.

    Attributes:
        network: The network, trained on a block of the towers' item vectors.

    Example:
        See ``docs/how-to/rank-candidates.md``.
    """

    kind: ClassVar[str] = "vector-pair"
    network: VectorPairNetwork

    @property
    def features(self) -> tuple[str, ...]:
        """No features."""
        return ()

    @property
    def reads_vectors(self) -> bool:
        """True: the items' and the history's."""
        return True

    def score(self, table: FeatureTable, context: PairContext) -> Vectors:
        """float32 ``[n]``.

        Raises:
            DataError: Vectors are missing.
        """
        if table.vectors is None or context.history_vectors is None:
            raise DataError(
                "the scorer 'vector-pair' needs RetrievedItems.vectors and "
                "PairContext.history_vectors"
            )
        return self._log_odds(table.vectors, context.history_vectors)

    def explain(self, table: FeatureTable, context: PairContext, at: int) -> Mapping[str, float]:
        """Change of the score from leaving out the history."""
        score = float(self.score(table, context)[at])
        assert table.vectors is not None
        without = self._log_odds(table.vectors[at : at + 1], table.vectors[:0])
        return {"history": score - float(without[0])}

    def save(self, folder: Path) -> None:
        """Write ``scorer.json`` and the network into ``folder``."""
        self.network.save(folder / _NETWORK)
        write_json(folder / "scorer.json", {"kind": self.kind, "features": []})

    def _log_odds(self, items: Vectors, past: Vectors) -> Vectors:
        network = self.network
        items, past = ((each - network.centre) / network.scale for each in (items, past))
        past = past[-network.config.window :]
        user = past.mean(axis=0) if len(past) else np.zeros(len(network.centre))
        odds = network.head.log_odds(np.asarray(user, np.float32)[None], items.astype(np.float32))
        return np.asarray(odds[0], np.float32)


def load_sparse_scorer(files: ScorerFiles) -> SparseNetworkScorer:
    """Read what :meth:`SparseNetworkScorer.save` wrote."""
    return SparseNetworkScorer(load_sparse_pairs(files.folder / _NETWORK))


def load_vector_scorer(files: ScorerFiles) -> VectorNetworkScorer:
    """Read what :meth:`VectorNetworkScorer.save` wrote."""
    return VectorNetworkScorer(load_vector_pairs(files.folder / _NETWORK))
