"""A small shop with everything that a feed reads: attributes, words, pictures, a query tower."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.encoders import Encoded
from recsys.feed import Feed, FeedConfig, FeedView, PictureHashes
from recsys.ids import IdMap, Vectors
from recsys.index import ExactConfig
from recsys.interactions import Interactions
from recsys.retrieval import Retriever, Space

DAY = 86_400
NOW = 1_000 * DAY
ITEMS = 60
HISTORY = (3, 4, 5)
"""Items of the user "ann", oldest first."""
VECTORS = np.random.default_rng(1).normal(size=(ITEMS, 6)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
VECTORS[11] = VECTORS[10]


class LastItem:
    """A query tower whose vector is that of the last item of the history."""

    terms_dimension, reads_times = 0, False
    reads = frozenset({"history"})
    context_columns = ()

    def encode(self, batch: Any, item_vectors: Vectors | None = None) -> Vectors:
        found = [
            VECTORS[rows[-1]] if len(rows) else VECTORS.mean(axis=0) for rows in batch.histories
        ]
        return np.stack(found)


class Words:
    """A text encoder that knows the words "item0", "item1", and so on."""

    dimension = VECTORS.shape[1]

    def encode(self, contents: Sequence[Any]) -> Encoded:
        rows = [int(text[4:]) if str(text).startswith("item") else -1 for text in contents]
        known = np.array([row >= 0 for row in rows])
        return Encoded(np.where(known[:, None], VECTORS[rows], 0).astype(np.float32), known)


def id_of(row: int) -> str:
    return f"i{row}"


@cache
def retriever() -> Retriever:
    """The retriever of the shop."""
    table = pa.table(
        {
            "item_id": [id_of(row) for row in range(ITEMS)],
            "title": [f"Item {row}" for row in range(ITEMS)],
            "brand": [f"brand{row % 7}" for row in range(ITEMS)],
            "tags": [f"tag{row % 2}|tag{row % 3}" for row in range(ITEMS)],
            "available": [None if row == 59 else str(row != 20).lower() for row in range(ITEMS)],
            "added": [NOW - row * DAY for row in range(ITEMS)],
            "price": [float(row) for row in range(ITEMS)],
        }
    )
    fields = CatalogueFields(
        title="title",
        categories=("brand", "tags"),
        numbers=("price",),
        filters={"available": "boolean", "added": "time"},
    )
    catalogue = Catalogue.of(table, fields)
    generator = np.random.default_rng(0)
    users = IdMap.of("user", ["ann", *(f"u{number}" for number in range(30))])
    user = np.concatenate([np.zeros(3, int), generator.integers(1, 31, 400)])
    item = np.concatenate([HISTORY, (generator.random(400) ** 2 * 50).astype(int)])
    time = np.concatenate(
        [NOW - np.array([3, 2, 1]) * DAY, NOW - generator.integers(4, 400, 400) * DAY]
    )
    log = Interactions.of(users, catalogue.ids, user=user, item=item, time=time)
    spaces = {
        "two_tower": Space.two_tower(VECTORS, ExactConfig()),
        "text": Space.content("text", VECTORS, np.arange(ITEMS) != 30, ExactConfig()),
    }
    return Retriever(catalogue, log, LastItem(), spaces, text_encoder=Words())


@cache
def view() -> FeedView:
    """The view of the shop; items 6 and 7 have the same picture."""
    pictures = [
        None if row == 8 else _picture(min(row, 6) if row == 7 else row) for row in range(10)
    ]
    return FeedView(retriever(), PictureHashes.of(pictures))


def feed_of(**sections: dict[str, Any]) -> Feed:
    """A feed with pipelines given as the values of their sections; stages have time enough."""
    made = {name: FeedConfig.model_validate(values) for name, values in sections.items()}
    patient = {name: without_budgets(section) for name, section in made.items()}
    return Feed(view(), patient or {"default": without_budgets(FeedConfig())})


def without_budgets(section: FeedConfig) -> FeedConfig:
    """The section with budgets that no test reaches."""
    changed = {
        role: tuple(
            stage.model_copy(update={"budget_ms": 600_000.0}) for stage in getattr(section, role)
        )
        for role in ("sources", "hydrators", "filters", "scorers", "diversity", "slots")
    }
    return section.model_copy(update={**changed, "budget_ms": 600_000.0})


def _picture(seed: int) -> bytes:
    shades = np.random.default_rng(seed).integers(0, 255, (8, 8), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(shades).resize((64, 64)).save(file, "PNG")
    return file.getvalue()
