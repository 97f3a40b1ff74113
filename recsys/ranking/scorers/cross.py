"""The deep and cross network over features, the item and the history. Numpy only.

The network of Wang et al. ("DCN V2", WWW 2021), whose cross layers in training are those of
TensorFlow Recommenders, reads

    x = [features, e, a, e * a, w, e * w]

with a trained vector e of the item, the mean a of the trained vectors of the history's last items,
weighted by attention of the item to each of them (Zhou et al., "Deep interest network", KDD 2018),
and the mean w of the trained vectors of the searched words. Vectors of items are the sum of a
trained table and of a projection of the towers' vectors, which items unknown to training have too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from recsys.encoders.words.tokens import words
from recsys.errors import DataError
from recsys.files import save_arrays, write_json
from recsys.ids import Rows, Vectors
from recsys.ranking.inputs import FeatureTable, PairContext
from recsys.ranking.scorers.files import ScorerFiles

Layer = tuple[Vectors, Vectors]
"""Kernel ``[in, out]`` and bias ``[out]``."""


@dataclass(frozen=True, eq=False)
class CrossScorer:
    """Log-odds from a deep and cross network.

    Attributes:
        features: Names of the features.
        centre: Mean of each feature in training, float32 ``[f]``.
        scale: Divisor of each feature, float32 ``[f]``.
        window: Number of last items of the history that are read.
        vocabulary: Words with a trained vector.
        item_vectors: Trained vectors of candidates, float32 ``[m, k]``.
        history_vectors: Trained vectors of items of a history, float32 ``[m, k]``.
        word_vectors: Trained vectors of words, float32 ``[v, k]``.
        projections: Two matrices ``[d, k]`` from the towers' vectors, of candidates and of items of
            a history; d is 0 where no tower's vector is read.
        positions: Added to the attention per position from the end of a history, float32
            ``[window]``.
        crosses: Cross layers, square.
        deep: Layers with a rectifier after each but the last, which has one or two outputs: the
            log-odds, and the grade.

    Example:
        See ``docs/how-to/rank-candidates.md``.
    """

    kind: ClassVar[str] = "dcn"
    features: tuple[str, ...]
    centre: Vectors
    scale: Vectors
    window: int
    vocabulary: tuple[str, ...] = field(repr=False)
    item_vectors: Vectors = field(repr=False)
    history_vectors: Vectors = field(repr=False)
    word_vectors: Vectors = field(repr=False)
    projections: tuple[Vectors, Vectors] = field(repr=False)
    positions: Vectors = field(repr=False)
    crosses: tuple[Layer, ...] = field(repr=False)
    deep: tuple[Layer, ...] = field(repr=False)

    @property
    def reads_vectors(self) -> bool:
        """Whether the towers' vectors of the items and the history are read."""
        return len(self.projections[0]) > 0

    def score(self, table: FeatureTable, context: PairContext) -> Vectors:
        """float32 ``[n]``."""
        outputs = self._outputs(self._inputs(table, context))
        return np.ascontiguousarray(outputs[:, 0], np.float32)

    def grades(self, table: FeatureTable, context: PairContext) -> Vectors | None:
        """Expected grade of each item, float32 ``[n]``; None where training had no grades."""
        if self.deep[-1][1].shape == (1,):
            return None
        return np.ascontiguousarray(self._outputs(self._inputs(table, context))[:, 1], np.float32)

    def explain(self, table: FeatureTable, context: PairContext, at: int) -> Mapping[str, float]:
        """Change of the score from replacing each feature by its mean in training.

        ``history`` and ``terms`` are the changes from leaving them out.
        """
        row = self._inputs(table, context)[at]
        f, k = len(self.features), self.item_vectors.shape[1]
        variants = np.repeat(row[None], f + 3, axis=0)
        variants[np.arange(f), np.arange(f)] = 0
        variants[f, f + k : f + 3 * k] = 0
        variants[f + 1, f + 3 * k :] = 0
        scores = self._outputs(variants)[:, 0]
        names = (*self.features, "history", "terms")
        return dict(zip(names, (scores[-1] - scores[:-1]).tolist()))

    def save(self, folder: Path) -> None:
        """Write ``scorer.json`` and ``scorer.npz`` into ``folder``."""
        arrays: dict[str, npt.NDArray[np.float32]] = {
            name: getattr(self, name)
            for name in (
                *("centre", "scale", "item_vectors", "history_vectors", "word_vectors"),
                "positions",
            )
        }
        arrays |= {f"projection/{at}": each for at, each in enumerate(self.projections)}
        for name in ("crosses", "deep"):
            for at, (kernel, bias) in enumerate(getattr(self, name)):
                arrays |= {f"{name}/{at}/kernel": kernel, f"{name}/{at}/bias": bias}
        save_arrays(folder / "scorer.npz", arrays)
        facts = {
            "kind": self.kind,
            "features": list(self.features),
            "window": self.window,
            "vocabulary": list(self.vocabulary),
            "crosses": len(self.crosses),
            "deep": len(self.deep),
        }
        write_json(folder / "scorer.json", facts)

    def _inputs(self, table: FeatureTable, context: PairContext) -> Vectors:
        """x of each item, float32 ``[n, f + 5 k]``."""
        values = (table.select(self.features).values - self.centre) / self.scale
        items = _vectors_of(self.item_vectors, table.rows)
        history = context.last(self.window)
        past = _vectors_of(self.history_vectors, history)
        if self.reads_vectors:
            given = context.history_vectors
            if table.vectors is None or given is None or len(given) < len(history):
                raise DataError(
                    "the scorer 'dcn' needs RetrievedItems.vectors, and "
                    f"PairContext.history_vectors of the last {self.window} items of the history"
                )
            items = items + table.vectors @ self.projections[0]
            past = past + given[len(given) - len(history) :] @ self.projections[1]
        attended = _attended(items, past, self.positions)
        searched = np.broadcast_to(self._words(context), items.shape)
        parts = [values, items, attended, items * attended, searched, items * searched]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def _outputs(self, inputs: Vectors) -> Vectors:
        hidden = inputs
        for kernel, bias in self.crosses:
            hidden = inputs * (hidden @ kernel + bias) + hidden
        for at, (kernel, bias) in enumerate(self.deep):
            hidden = (np.maximum(hidden, 0) if at else hidden) @ kernel + bias
        return hidden

    def _words(self, context: PairContext) -> Vectors:
        found = rows_of_words(self._rows, (*context.searched, context.terms))
        if not found:
            return np.zeros(self.word_vectors.shape[1], np.float32)
        return np.asarray(self.word_vectors[found].mean(axis=0), np.float32)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {word: row for row, word in enumerate(self.vocabulary)}


def load_cross(files: ScorerFiles) -> CrossScorer:
    """Read what :meth:`CrossScorer.save` wrote.

    Raises:
        DataError: A part is missing or damaged.
    """
    f = len(files.features)
    vocabulary = files.facts.get("vocabulary")
    if not isinstance(vocabulary, list) or not all(isinstance(word, str) for word in vocabulary):
        raise files.fault("vocabulary", "a list of words", vocabulary)
    window = int(files.number("window"))
    items = files.array("item_vectors", None, None)
    m, k = items.shape
    width = f + 5 * k
    crosses = tuple(
        _layer(files, f"crosses/{at}", width, width) for at in range(int(files.number("crosses")))
    )
    deep: list[Layer] = []
    for at in range(int(files.number("deep"))):
        deep.append(_layer(files, f"deep/{at}", deep[-1][0].shape[1] if deep else width, None))
    if not deep or deep[-1][1].shape not in {(1,), (2,)}:
        raise files.fault("deep", "layers that end in one or two outputs", len(deep))
    first = files.array("projection/0", None, k)
    return CrossScorer(
        files.features,
        files.array("centre", f),
        files.array("scale", f),
        window,
        tuple(vocabulary),
        items,
        files.array("history_vectors", m, k),
        files.array("word_vectors", len(vocabulary), k),
        (first, files.array("projection/1", len(first), k)),
        files.array("positions", window),
        crosses,
        tuple(deep),
    )


def rows_of_words(rows: Mapping[str, int], phrases: tuple[str, ...]) -> list[int]:
    """Rows of the words of all phrases; a word that is in none of them has no row."""
    return [rows[word] for phrase in phrases if phrase for word in words(phrase) if word in rows]


def _layer(files: ScorerFiles, name: str, width: int, outputs: int | None) -> Layer:
    kernel = files.array(f"{name}/kernel", width, outputs)
    return kernel, files.array(f"{name}/bias", kernel.shape[1])


def _vectors_of(table: Vectors, rows: Rows) -> Vectors:
    """Trained vectors of items; zeros for items unknown to training."""
    known = rows < len(table)
    if known.all():
        return table[rows]
    return table[np.where(known, rows, 0)] * known[:, None].astype(np.float32)


def _attended(items: Vectors, past: Vectors, positions: Vectors) -> Vectors:
    """Mean of the history's vectors by attention of each item, float32 ``[n, k]``."""
    if not len(past):
        return np.zeros_like(items)
    logits = items @ past.T / np.float32(np.sqrt(items.shape[1]))
    logits = logits + positions[: len(past)][::-1]
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True) @ past, np.float32)
