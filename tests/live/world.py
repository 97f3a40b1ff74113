"""A bundle for live engines: numbers as words and pictures on a circle, and towers of arrays.

Everything is exact and small: an item's vector is the sum of its blocks' and, where training knew
it, of an id vector; a query is the mean of the vectors in its history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.features import FeatureBlock, ItemEncoder, attribute_block
from recsys.ids import IdMap, Rows, Vectors
from recsys.index import ExactConfig, IndexConfig
from recsys.interactions import Interactions
from recsys.live import LiveParts
from recsys.retrieval import IMAGE, TEXT, TWO_TOWER, Retriever, Space
from recsys.towers import QueryBatch
from tests.retrieval.world import NumberPictures, NumberWords, at

ITEMS = [f"i{number}" for number in range(8)]
FIELDS = CatalogueFields(
    title="title", text=("title", "about"), categories=("brand", "tags"), numbers=("price",)
)
HISTORIES = {"ann": [1, 2], "bob": [3], "eve": []}
KINDS = (TWO_TOWER, TEXT, IMAGE)


@dataclass(frozen=True, eq=False)
class ArrayTowers:
    """The mean of a history's vectors, and of a user's own where training knew the user."""

    item_vectors: Vectors
    ids: Vectors
    user_table: Vectors
    is_open: bool = True
    terms_dimension: int = 0
    reads: frozenset[str] = frozenset({"history", "user"})
    reads_times: bool = False
    context_columns: tuple[str, ...] = ()

    @property
    def encodes_items(self) -> bool:
        return self.is_open

    @property
    def item_blocks(self) -> dict[str, int]:
        return {TEXT: 2, IMAGE: 2} if self.is_open else {}

    @property
    def trained_items(self) -> int:
        return len(self.ids)

    def encode(self, batch: QueryBatch, item_vectors: Vectors | None = None) -> Vectors:
        table = self.item_vectors if item_vectors is None else item_vectors
        out = np.zeros((len(batch), 2), np.float32)
        for line, history in enumerate(batch.histories):
            if len(history):
                out[line] = table[history].astype(np.float64).mean(axis=0)
            if batch.user_known[line] and batch.users[line] < len(self.user_table):
                out[line] += np.float32(0.1) * self.user_table[batch.users[line]]
        return out

    def encode_items(self, blocks: Sequence[FeatureBlock], rows: Rows | None = None) -> Vectors:
        by_name = {block.name: block for block in blocks}
        out = by_name[TEXT].vectors + np.float32(0.5) * by_name[IMAGE].vectors
        return out if rows is None else out + self.ids[rows]


def made_table(n: int = len(ITEMS)) -> pa.Table:
    return pa.table(
        {
            "item_id": [f"i{number}" for number in range(n)],
            "title": [f"Item {number}" for number in range(n - 1)] + [None],
            "about": [f"{(number * 7) % 40}" for number in range(n)],
            "brand": [f"b{number % 3}" if number % 4 else None for number in range(n)],
            "tags": ["new|sale" if number % 2 else "new" for number in range(n)],
            "price": [10 * number for number in range(n)],
        }
    )


def made_parts(
    *, is_open: bool = True, config: IndexConfig | None = None, watermark: int = 0
) -> LiveParts:
    config = config or ExactConfig()
    catalogue = Catalogue.of(made_table(), FIELDS)
    n = len(catalogue)
    pairs = [(user, item) for user, items in enumerate(HISTORIES.values()) for item in items]
    log = Interactions.of(
        IdMap.of("user", list(HISTORIES)),
        catalogue.ids,
        user=[user for user, _ in pairs],
        item=[item for _, item in pairs],
        time=10 * np.arange(1, len(pairs) + 1),
    )
    words, pictures = NumberWords(), NumberPictures()
    _, schema = attribute_block(catalogue)
    items = ItemEncoder(words, pictures, schema)
    blocks = items.encode(catalogue, [None] * n)
    ids = np.random.default_rng(5).normal(0, 0.3, (n, 2)).astype(np.float32)
    towers = ArrayTowers(np.zeros((0, 2), np.float32), ids, at(0, 10, 20), is_open)
    vectors = towers.encode_items(blocks, np.arange(n, dtype=np.int32))
    towers = ArrayTowers(vectors, ids, towers.user_table, is_open)
    text = blocks[0]
    half = np.arange(n) % 2 == 0
    spaces = {
        TWO_TOWER: Space.two_tower(vectors, config),
        TEXT: Space.content(TEXT, text.vectors.copy(), text.mask.copy(), config),
        IMAGE: Space.content(IMAGE, at(*range(n)), half, config),
    }
    retriever = Retriever(
        catalogue, log, towers, spaces, text_encoder=words, image_encoder=pictures
    )
    return LiveParts(retriever, items, "open" if is_open else "fixed", watermark)
