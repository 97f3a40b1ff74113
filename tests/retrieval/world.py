"""A small world with known answers: items on a circle, numbers for words and pictures, a tower.

Item ``iNN`` stands at the angle NN * 9 degrees in every space. In ``text`` the last ten items have
no vector, in ``image`` every third. Its price is NN. Ten items share a brand, and the last four
have none; every second item has the tag "even", the first five have "new". The query tower adds up
the vectors of the history, of the user and of the terms: untrained, but an encoder and no script.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.encoders import Encoded, Fault
from recsys.ids import IdMap, Vectors
from recsys.index import ExactConfig, IndexConfig
from recsys.interactions import Interactions
from recsys.retrieval import IMAGE, TEXT, TWO_TOWER, Retriever, Space
from recsys.towers import QueryBatch

ITEMS = [f"i{number:02d}" for number in range(40)]
HISTORIES = {"ann": [3, 4, 5], "bob": [20, 21], "eve": [], "zoe": [38, 39]}


def at(*numbers: float) -> Vectors:
    """Unit vectors at the rows of items, float32 ``[n, 2]``."""
    angles = np.radians(np.array(numbers, np.float64) * 9)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


@dataclass
class SumTower:
    """Adds up the history's, the user's and the terms' vectors; counts its calls."""

    table: Vectors
    user_table: Vectors
    terms_dimension: int = 2
    reads: frozenset[str] = frozenset({"history", "user", "terms"})
    reads_times: bool = False
    context_columns: tuple[str, ...] = ()
    calls: list[int] = field(default_factory=list)

    def encode(self, batch: QueryBatch, item_vectors: Vectors | None = None) -> Vectors:
        self.calls.append(len(batch))
        out = np.zeros((len(batch), self.table.shape[1]), np.float32)
        for line, history in enumerate(batch.histories):
            out[line] += self.table[history].sum(axis=0) if len(history) else self.table[0]
            if batch.user_known[line]:
                out[line] += 0.01 * self.user_table[batch.users[line]]
            if batch.terms_known[line]:
                out[line] += 10 * batch.terms[line]
        return out


@dataclass
class NumberWords:
    """Reads words that are numbers, as rows on the circle; other words it does not know."""

    dimension: int = 2
    calls: list[int] = field(default_factory=list)

    def encode(self, contents: Sequence[str]) -> Encoded:
        self.calls.append(len(contents))
        vectors = np.zeros((len(contents), 2), np.float32)
        for line, text in enumerate(contents):
            numbers = [float(word) for word in text.split() if word.isdigit()]
            if numbers:
                vectors[line] = at(*numbers).mean(axis=0)
        return Encoded.of(vectors)


@dataclass
class NumberPictures:
    """Reads "pictures" that are numbers, as rows on the circle; others it cannot read."""

    dimension: int = 2
    calls: list[list[bytes]] = field(default_factory=list)

    def encode(self, contents: Sequence[bytes | None]) -> Encoded:
        self.calls.append([content for content in contents if content is not None])
        vectors, faults = np.zeros((len(contents), 2), np.float32), []
        for line, content in enumerate(contents):
            if content is None:
                continue
            numbers = [float(word) for word in content.split() if word.isdigit()]
            if numbers:
                mean = at(*numbers).mean(axis=0)
                vectors[line] = mean if np.linalg.norm(mean) > 1e-6 else 0
            else:
                faults.append(Fault(line, "no number" if content else "the file is empty"))
        return Encoded.of(vectors, faults)


@dataclass
class World:
    catalogue: Catalogue
    log: Interactions
    tower: SumTower
    words: NumberWords
    eyes: NumberPictures
    spaces: dict[str, Space]

    def retriever(self, **changes: object) -> Retriever:
        parts = {"text_encoder": self.words, "image_encoder": self.eyes, **changes}
        return Retriever(self.catalogue, self.log, self.tower, self.spaces, **parts)


def make_world(config: IndexConfig | None = None) -> World:
    config = config or ExactConfig()
    # Every item but the last has a title.
    titles = [f"Item {number}" for number in range(len(ITEMS) - 1)] + [""]
    tags = [["even"] * (number % 2 == 0) + ["new"] * (number < 5) for number in range(len(ITEMS))]
    table = pd.DataFrame(
        {
            "item_id": ITEMS,
            "title": titles,
            "brand": [f"b{item[1]}" if item < "i36" else None for item in ITEMS],
            "price": [float(number) for number in range(len(ITEMS))],
            "tags": ["|".join(each) for each in tags],
        }
    )
    fields = CatalogueFields(title="title", categories=("brand", "tags"), numbers=("price",))
    catalogue = Catalogue.of(table, fields)
    users = IdMap.of("user", list(HISTORIES))
    pairs = [(user, item) for user, items in enumerate(HISTORIES.values()) for item in items]
    log = Interactions.of(
        users,
        catalogue.ids,
        user=[user for user, _ in pairs],
        item=[item for _, item in pairs],
        time=np.arange(len(pairs)),
    )
    vectors, rows = at(*range(40)), np.arange(40)
    spaces = {
        TWO_TOWER: Space.two_tower(vectors, config),
        TEXT: Space.content(TEXT, 3 * vectors, rows < 30, config),
        IMAGE: Space.content(IMAGE, vectors, rows % 3 != 0, config),
    }
    tower = SumTower(vectors, at(0, 10, 20, 30))
    return World(catalogue, log, tower, NumberWords(), NumberPictures(), spaces)
