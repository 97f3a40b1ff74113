"""Parts of a bundle that are small and load without TensorFlow: a real log, spaces and encoder.

The towers are a table and an addition; what trained ones do in a bundle is in ``test_whole``.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recsys.towers
from recsys.bundle import Parts
from recsys.catalogue import CatalogueFields
from recsys.encoders import Encoder, WordVectorsConfig, build_encoder
from recsys.ids import Rows, Vectors
from recsys.index import ExactConfig
from recsys.ingestion import IngestedData, ingest
from recsys.retrieval import TEXT, TWO_TOWER, Space
from recsys.towers import QueryBatch

COLOURS = ["red", "green", "blue", "grey"]
THINGS = ["lamp", "rug", "chair", "vase", "clock"]


@dataclass(frozen=True, eq=False)
class TableTower:
    """A history is the sum of its items' vectors."""

    item_vectors: Vectors
    terms_dimension: int = 0
    reads: frozenset[str] = frozenset({"history", "user"})
    encodes_items: bool = False
    reads_times: bool = False
    context_columns: tuple[str, ...] = ()

    def encode(self, batch: QueryBatch, item_vectors: Vectors | None = None) -> Vectors:
        table = self.item_vectors if item_vectors is None else item_vectors
        rows = [table[history].sum(axis=0) for history in batch.histories]
        return np.array(rows, np.float32).reshape(len(batch), self.item_vectors.shape[1])

    def encode_many(self, batch: QueryBatch) -> Vectors:
        return self.encode(batch)

    def renumbered(self, items: Rows, users: Rows, item_vectors: Vectors) -> TableTower:
        return TableTower(item_vectors)

    def save(self, folder: Path, *, items: str = "write") -> None:
        folder.mkdir()
        np.save(folder / "items.npy", self.item_vectors)


def load_table_tower(folder: Path, item_vectors: Vectors | None = None) -> TableTower:
    return TableTower(np.load(folder / "items.npy", allow_pickle=False))


def use_table_towers(patch: pytest.MonkeyPatch) -> None:
    """Let bundles load table towers, without importing the real ones."""
    patch.setitem(recsys.towers.__dict__, "load_towers", load_table_tower)


def made_ingested(items: int = 20, *, seed: int = 0) -> IngestedData:
    rng = np.random.default_rng(seed)
    names = [f"{COLOURS[n % 4]} {THINGS[n % 5]}" for n in range(items)]
    catalogue = pd.DataFrame({"item_id": [f"i{n}" for n in range(items)], "title": names})
    log = pd.DataFrame(
        {
            "user_id": [f"u{n % 12}" for n in range(120)],
            "item_id": [f"i{n}" for n in rng.integers(items, size=120)],
            "timestamp": np.arange(120),
            "terms": [["", "blue lamp", "rug"][n % 3] for n in range(120)],
        }
    )
    return ingest(log, catalogue, CatalogueFields(title="title", text=("title",)))


def made_encoder() -> Encoder:
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "words.txt"
        words = [f"{word} {' '.join(map(str, rng.random(6)))}" for word in COLOURS + THINGS]
        file.write_text("\n".join(words) + "\n")
        return build_encoder(WordVectorsConfig(file=str(file)), ["blue lamp", "red rug"])


def made_parts(*, seed: int = 0, ingested: IngestedData | None = None) -> Parts:
    """Another seed gives other towers over the same log."""
    ingested = made_ingested() if ingested is None else ingested
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((len(ingested.catalogue), 4)).astype(np.float32)
    encoder = made_encoder()
    block = encoder.encode(ingested.catalogue.texts())
    return Parts(
        ingested,
        TableTower(vectors),
        {
            TWO_TOWER: Space.two_tower(vectors, ExactConfig()),
            TEXT: Space.content(TEXT, block.vectors, block.mask, ExactConfig()),
        },
        {TEXT: encoder},
        config={"towers": {"dimension": 4}, "seed": seed},
        figures={"recall@10": 0.25},
        fingerprints={"interactions": "abc"},
    )
