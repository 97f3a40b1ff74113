"""Several two-tower models as one: their vectors side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from recsys.errors import DataError
from recsys.features import FeatureBlock
from recsys.files import write_json
from recsys.ids import Rows, Vectors
from recsys.towers.model.frozen_items import blocks_read
from recsys.towers.query import QueryBatch
from recsys.towers.storage import (
    FACTS,
    FORMAT_VERSION,
    ITEMS,
    load_matrix,
    read_facts,
    save_matrix,
    unreadable,
)
from recsys.towers.towers import (
    Towers,
    check_item_vectors,
    in_threads,
    load_two_towers,
)

WIDTHS = "widths"


@dataclass(frozen=True, eq=False)
class JoinedTowers:
    """The members' vectors side by side, each divided by the square root of their number m.

    So (q_1 .. q_m) . (v_1 .. v_m) / m, one inner product of unit vectors, is the mean of the
    members' cosines: an ensemble (Hansen & Salamon, "Neural network ensembles", TPAMI 1990) that an
    index can hold. Build it with :meth:`of`.

    Attributes:
        members: Towers over the same items with the same inputs of queries.
        item_vectors: Vector of every item, float32 ``[items, sum of d]``.

    Raises:
        DataError: There is no member, or they differ in their items or inputs.

    Example:
        See ``examples/train_towers.py`` for one model; ``TrainConfig(members=...)`` trains several
        and joins them.
    """

    members: tuple[Towers, ...]
    item_vectors: Vectors

    def __post_init__(self) -> None:
        if not self.members:
            raise DataError("joined towers need at least one member")
        inputs = {
            (len(each.item_vectors), each.terms_dimension, each.reads) for each in self.members
        }
        if len(inputs) > 1:
            raise DataError(
                "joined towers must be over the same items and read the same; these members differ:"
                f" {sorted((items, terms, sorted(reads)) for items, terms, reads in inputs)}"
            )

    @classmethod
    def of(cls, members: Sequence[Towers]) -> JoinedTowers:
        """Join trained members."""
        vectors = [each.item_vectors for each in members]
        same_items = len({len(each) for each in vectors}) == 1
        return cls(tuple(members), _joined(vectors) if same_items else np.zeros((0, 0), np.float32))

    @property
    def terms_dimension(self) -> int:
        """As of each member."""
        return self.members[0].terms_dimension

    @property
    def reads(self) -> frozenset[str]:
        """As of each member."""
        return self.members[0].reads

    @property
    def reads_times(self) -> bool:
        """Whether any member reads the times of a history."""
        return any(each.reads_times for each in self.members)

    @property
    def context_columns(self) -> tuple[str, ...]:
        """Names of the context columns that the members read."""
        return self.members[0].context_columns

    @property
    def sizes(self) -> dict[str, int]:
        """As of the first member."""
        return self.members[0].sizes

    @property
    def item_blocks(self) -> dict[str, int]:
        """Width of each feature block that any member reads, by name."""
        return {name: w for each in self.members for name, w in each.item_blocks.items()}

    @property
    def trained_items(self) -> int:
        """As of each member."""
        return min(each.trained_items for each in self.members)

    @property
    def encodes_items(self) -> bool:
        """Whether :meth:`encode_items` works: where it does for every member."""
        return all(each.encodes_items for each in self.members)

    def encode(self, batch: QueryBatch, item_vectors: Vectors | None = None) -> Vectors:
        """One vector per query, as wide as those of items; see :meth:`Towers.encode`."""
        return self._encode(batch, self.item_vectors if item_vectors is None else item_vectors)

    def encode_many(self, batch: QueryBatch) -> Vectors:
        """As :meth:`encode`, with all CPUs."""
        return in_threads(self.encode, batch)

    def encode_items(self, blocks: Sequence[FeatureBlock], rows: Rows | None = None) -> Vectors:
        """One vector per item; see :meth:`Towers.encode_items`."""
        if self.encodes_items:
            blocks = list(blocks_read(blocks, self.item_blocks).values())
        return _joined([each.encode_items(blocks, rows) for each in self.members])

    def renumbered(self, items: Rows, users: Rows, item_vectors: Vectors) -> JoinedTowers:
        """The same towers for other items and users; see :meth:`Towers.renumbered`."""
        parts = zip(self.members, _columns(item_vectors, self._widths))
        members = tuple(each.renumbered(items, users, part) for each, part in parts)
        return JoinedTowers(members, item_vectors)

    def save(self, folder: Path, *, items: Literal["write", "skip"] = "write") -> None:
        """Write each member into a folder of its own; see :meth:`Towers.save`."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, each in enumerate(self.members, start=1):
            each.save(folder / f"member-{number}", items="skip")
        if items == "write":
            save_matrix(folder / ITEMS, self.item_vectors)
        write_json(folder / FACTS, {"format": FORMAT_VERSION, WIDTHS: self._widths})

    def _encode(self, batch: QueryBatch, matrix: Vectors) -> Vectors:
        check_item_vectors(matrix, sum(self._widths))
        parts = zip(self.members, _columns(matrix, self._widths))
        scale = float(np.sqrt(len(self.members)))
        return _joined([each.encode_scaled(batch, part, scale) for each, part in parts])

    @property
    def _widths(self) -> list[int]:
        return [each.config.dimension for each in self.members]


def _joined(parts: Sequence[Vectors]) -> Vectors:
    joined: Vectors = np.concatenate(parts, axis=1)
    joined /= np.float32(np.sqrt(len(parts)))
    return joined


def _columns(matrix: Vectors, widths: Sequence[int]) -> list[Vectors]:
    """Views of the columns of each member."""
    parts = [slice(stop - width, stop) for stop, width in zip(np.cumsum(widths), widths)]
    if isinstance(matrix, np.ndarray):
        return [matrix[:, part] for part in parts]
    return [cast(Vectors, _Columns(matrix, part)) for part in parts]


@dataclass(frozen=True, eq=False)
class _Columns:
    """Some columns of vectors that are in several arrays, such as those of a live index."""

    matrix: Any
    part: slice
    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self.part.stop - self.part.start

    def __len__(self) -> int:
        return len(self.matrix)

    def __getitem__(self, rows: Any) -> Vectors:
        vectors: Vectors = self.matrix[rows][..., self.part]
        return vectors


AnyTowers = Towers | JoinedTowers


def load_towers(folder: Path, item_vectors: Vectors | None = None) -> AnyTowers:
    """Read what the ``save`` of either wrote.

    Args:
        folder: The folder of the towers.
        item_vectors: The item vectors, in memory or memory-mapped, where the folder does not hold
            them. Members of joined towers get views of them.

    Raises:
        DataError: A file is missing, damaged, or does not fit the others.
    """
    facts = read_facts(folder)
    if WIDTHS not in facts:
        return load_two_towers(folder, item_vectors)
    widths = facts[WIDTHS]
    if not isinstance(widths, list) or not widths or not all(isinstance(w, int) for w in widths):
        raise DataError(f"towers in {folder} have members of widths {widths!r}: train again")
    try:
        matrix = load_matrix(folder / ITEMS) if item_vectors is None else item_vectors
    except (OSError, ValueError) as error:
        raise unreadable(folder, error) from error
    if matrix.shape[1] != sum(widths):
        raise DataError(
            f"the item vectors of {folder} are {matrix.shape}; expected {sum(widths)} columns:"
            " train again"
        )
    members = [
        load_two_towers(folder / f"member-{number}", part)
        for number, part in enumerate(_columns(matrix, widths), start=1)
    ]
    return JoinedTowers(tuple(members), matrix)
