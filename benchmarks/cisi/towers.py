"""A query tower over words and an item tower over documents, trained on titles and bodies.

A fifth of the documents is held out of training, though they are searched. The validation figure of
a setting is the mean reciprocal rank of their bodies, among all bodies, for their titles. Queries
and judgements are not read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.cisi.baselines import BERT
from benchmarks.cisi.collection import Collection, Score
from recsys.encoders import Encoder, LsaConfig, build_encoder
from recsys.features import FeatureBlock, FeatureCache
from recsys.files import sha256_json
from recsys.ids import IdMap, Mask, Rows, Vectors
from recsys.interactions import Interactions
from recsys.progress import Progress
from recsys.towers import (
    FullSoftmax,
    InBatchSoftmax,
    LossConfig,
    NoHistory,
    QueryBatch,
    Towers,
    TowersConfig,
    TrainConfig,
    fit,
)


@dataclass(frozen=True)
class Setting:
    """Settings of a training.

    Attributes:
        weights: Weights of BERT's and LSA's vectors, which are concatenated; 0 leaves one out.
        initial: See :class:`recsys.towers.TowersConfig`.
        loss: Training loss.
        learning_rate: Peak learning rate.
        epochs: Number of passes over the pairs.
    """

    weights: tuple[float, float] = (1.0, 0.5)
    initial: Literal["identity", "random"] = "identity"
    loss: LossConfig = FullSoftmax(temperature=0.05)
    learning_rate: float = 3e-4
    epochs: int = 10


SETTINGS = {
    "bert_and_lsa": Setting(),
    "untrained": Setting(learning_rate=1e-12, epochs=1),
    "bert_alone": Setting(weights=(1.0, 0.0)),
    "lsa_alone": Setting(weights=(0.0, 1.0)),
    "lsa_lighter": Setting(weights=(1.0, 0.25)),
    "lsa_heavier": Setting(weights=(1.0, 1.0)),
    "random_start": Setting(initial="random", learning_rate=1e-3, epochs=20),
    "slower": Setting(learning_rate=1e-4),
    "faster": Setting(learning_rate=1e-3),
    "colder": Setting(loss=FullSoftmax(temperature=0.03)),
    "warmer": Setting(loss=FullSoftmax(temperature=0.1)),
    "in_batch": Setting(loss=InBatchSoftmax(temperature=0.05)),
}
"""All settings are compared on validation; the best is evaluated on the queries."""


@dataclass(frozen=True, eq=False)
class TrainedTowers:
    """Towers of one setting and seed."""

    validation: float
    score: Score


@dataclass(frozen=True, eq=False)
class DocumentSplit:
    """A random split of the documents, with the encoders that all settings share."""

    collection: Collection
    seed: int
    folder: Path
    bert: Encoder
    progress: Progress

    @cached_property
    def held_out(self) -> Mask:
        """Held-out documents, bool ``[documents]``."""
        order = np.random.default_rng(self.seed).permutation(len(self.collection))
        return np.isin(np.arange(len(order)), order[: len(order) // 5])

    @property
    def texts(self) -> list[str]:
        """Training texts of LSA: all documents, the held-out ones without title."""
        documents = self.collection
        parts = zip(self.held_out, documents.whole, documents.bodies)
        return [body if out else whole for out, whole, body in parts]

    @cached_property
    def lsa(self) -> Encoder:
        """Latent semantic analysis of :attr:`texts`."""
        return build_encoder(LsaConfig(), self.texts)

    def encode(self, texts: Sequence[str], weights: tuple[float, float]) -> Vectors:
        """Concatenated vectors of the encoders, float32 ``[n, sum of their widths]``."""
        cache = FeatureCache(self.folder / "features")
        parts = [
            weight * cache.encode(encoder, texts, progress=self.progress).vectors
            for encoder, weight in zip((self.bert, self.lsa), weights)
            if weight
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def train(self, setting: Setting) -> TrainedTowers:
        """Train the towers of a setting, or continue their training."""
        documents, rows = self.collection, np.arange(len(self.collection), dtype=np.int32)
        # Bodies are the items of the training, whole documents those of the search.
        items = self.encode([*documents.bodies, *documents.whole], setting.weights)
        block = FeatureBlock(items, items.any(axis=1), "text")
        titles = self.encode(documents.titles, setting.weights)
        terms, targets = titles[~self.held_out], rows[~self.held_out]
        dimension = block.dimension
        towers = TowersConfig(
            dimension=dimension,
            history=NoHistory(),
            item_id="none",
            terms_dropout=0,
            initial=setting.initial,
        )
        train = TrainConfig(
            loss=setting.loss,
            batch_positions=256,
            learning_rate=setting.learning_rate,
            warmup_steps=10,
            decay="cosine",
            epochs=setting.epochs,
            patience=setting.epochs,
            seed=self.seed,
        )
        queries, answers = titles[self.held_out], rows[self.held_out]
        fitted = fit(
            _log(self.collection, targets),
            [block],
            np.vstack([np.zeros((1, dimension), np.float32), terms]),
            towers=towers,
            train=train,
            folder=self.folder / "towers" / self._name(setting, towers, train),
            validate=lambda towers: _reciprocal_rank(towers, queries, answers, len(documents)),
            progress=self.progress,
        )
        best = max(epoch.validation or 0 for epoch in fitted.epochs)

        def score(texts: Sequence[str]) -> Vectors:
            vectors = _encode_terms(fitted.towers, self.encode(texts, setting.weights))
            scores: Vectors = vectors @ fitted.towers.item_vectors[len(documents) :].T
            return scores

        return TrainedTowers(best, score)

    def _name(self, setting: Setting, towers: TowersConfig, train: TrainConfig) -> str:
        """Folder name, after all that a training depends on."""
        encoders = (self.bert.fingerprint, self.lsa.fingerprint)
        settings = [setting.weights, towers.model_dump(), train.model_dump()]
        return sha256_json([encoders, settings])[:16]


def _log(collection: Collection, targets: Rows) -> Interactions:
    """One user per pair; the items are the bodies, then the whole documents."""
    size = len(targets)
    ids = [f"{kind}/{value}" for kind in ("body", "whole") for value in collection.ids.index]
    return Interactions.of(
        IdMap.of("user", [str(pair) for pair in range(size)]),
        IdMap.of("item", ids),
        user=np.arange(size),
        item=targets,
        time=np.zeros(size),
        phrases=("", *(str(pair) for pair in range(size))),
        terms=np.arange(1, size + 1),
    )


def _reciprocal_rank(towers: Towers, queries: Vectors, answers: Rows, bodies: int) -> float:
    scores = _encode_terms(towers, queries) @ towers.item_vectors[:bodies].T
    own = scores[np.arange(len(answers)), answers]
    return float((1 / (scores >= own[:, None]).sum(axis=1)).mean())


def _encode_terms(towers: Towers, terms: Vectors) -> Vectors:
    nothing = [np.array([], np.int32)] * len(terms)
    return towers.encode(QueryBatch.of(nothing, terms=terms, terms_known=terms.any(axis=1)))


def pretrained() -> Encoder:
    """The pretrained BERT."""
    return build_encoder(BERT, [])
