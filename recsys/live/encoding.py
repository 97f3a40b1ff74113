"""Vectors of upserted items in every space: encoders, feature blocks, then the item tower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from recsys.catalogue import Catalogue
from recsys.errors import InvalidRequestError, RecsysError, ServiceError, suggestion
from recsys.features import FeatureBlock, ItemEncoder
from recsys.ids import Mask, Rows, Vectors
from recsys.live.contents import ItemTable
from recsys.retrieval import TWO_TOWER
from recsys.store import ItemUpserted
from recsys.vectors import MaskedVectors


class ItemTowers(Protocol):
    """The part of ``recsys.towers.Towers`` that encodes items."""

    @property
    def item_vectors(self) -> Vectors:
        """Vectors of the items of the bundle, float32 ``[n, d]``."""

    @property
    def encodes_items(self) -> bool:
        """Whether :meth:`encode_items` works; False for a fixed catalogue."""

    @property
    def trained_items(self) -> int:
        """Number of items, the first ones of the bundle, that training knew."""

    def encode_items(self, blocks: Sequence[FeatureBlock], rows: Rows | None = None) -> Vectors:
        """One vector per item of the blocks; ``rows`` are those of trained items."""


@dataclass(frozen=True, eq=False)
class EncodedItems:
    """Items with a vector in each space, and those that cannot have one.

    Attributes:
        positions: Positions of the encoded items among those given, int ``[m]``.
        vectors: Vectors per space, one per encoded item.
        faults: Reason per position of an item that was not encoded.
    """

    positions: Sequence[int]
    vectors: Mapping[str, MaskedVectors]
    faults: Mapping[int, RecsysError]


@dataclass(frozen=True, eq=False)
class UpsertEncoder:
    """Encodes upserted items as training encoded its own.

    Attributes:
        table: Conversion of items to rows of the bundle's table.
        items: Encoder of raw items as feature blocks.
        towers: Towers of the space ``two_tower``, or None without it.
        dimensions: Dimension of each space.
        is_open: Whether items unknown to training can be encoded by the item tower.
    """

    table: ItemTable
    items: ItemEncoder
    towers: ItemTowers | None
    dimensions: Mapping[str, int]
    is_open: bool

    def check(self, item: ItemUpserted, is_known: bool) -> None:
        """Check an item before it is recorded.

        Args:
            item: The item.
            is_known: Whether the bundle or an earlier upsert gave it a vector.

        Raises:
            InvalidRequestError: A part has no column, an attribute is of another type, a ready
                vector does not fit its space, or the catalogue is fixed and the item is unknown.
        """
        self.table.check(item)
        for name, vector in (item.vectors or {}).items():
            field = f"vectors.{name:.80}"
            if name not in self.dimensions:
                raise InvalidRequestError(
                    f"item {item.item_id!r:.80}: no space {name!r:.80}"
                    f"{suggestion(name, self.dimensions)}; there are: {', '.join(self.dimensions)}",
                    field=field,
                )
            if len(vector) != self.dimensions[name] or not vector.any():
                raise InvalidRequestError(
                    f"item {item.item_id!r:.80}: a vector of the space '{name}' has "
                    f"{self.dimensions[name]} numbers, not all 0; got {len(vector)}",
                    field=field,
                )
        given = TWO_TOWER in (item.vectors or {})
        if TWO_TOWER in self.dimensions and not self.is_open and not is_known and not given:
            raise InvalidRequestError(
                f"item {item.item_id!r:.80} is unknown, and the catalogue of this bundle is fixed: "
                "its towers encode no item that they were not trained on; give a ready vector of "
                f"the space '{TWO_TOWER}', or train with feature blocks and publish again",
                field="item_id",
            )

    def encode(
        self, items: Sequence[ItemUpserted], rows: Rows, current: MaskedVectors | None
    ) -> EncodedItems:
        """Encode checked items together; those that fail are encoded one by one.

        Args:
            items: The items.
            rows: Row of each item, int32 ``[n]``.
            current: Vectors of the items in the space ``two_tower`` so far, which towers of a
                fixed catalogue keep; None without that space.
        """
        try:
            return EncodedItems(range(len(items)), self._encode(items, rows, current), {})
        except ServiceError:  # of this process, not of an item
            raise
        except (RecsysError, pa.ArrowException) as error:
            if len(items) == 1:
                fault = error if isinstance(error, RecsysError) else _unreadable(items[0], error)
                return EncodedItems([], {}, {0: fault})
        found, faults = [], {}
        for at, item in enumerate(items):
            own = slice(at, at + 1)
            kept = None if current is None else _part(current, own)
            encoded = self.encode([item], rows[own], kept)
            if encoded.faults:
                faults[at] = encoded.faults[0]
            else:
                found.append((at, encoded.vectors))
        vectors = {
            name: MaskedVectors(
                np.concatenate([each[name].vectors for _, each in found]),
                np.concatenate([each[name].mask for _, each in found]),
            )
            for name in (self.dimensions if found else ())
        }
        return EncodedItems([at for at, _ in found], vectors, faults)

    def _encode(
        self, items: Sequence[ItemUpserted], rows: Rows, current: MaskedVectors | None
    ) -> dict[str, MaskedVectors]:
        catalogue = Catalogue.of(self.table.table(items), self.table.fields)
        pictures = [item.picture for item in items]
        blocks = self.items.encode(catalogue, pictures, broken="skip")
        by_name = {block.name: block for block in blocks}
        made = {}
        for name, dimension in self.dimensions.items():
            if name == TWO_TOWER:
                assert current is not None
                vectors, mask = self._towers_vectors(blocks, rows, current)
            elif name in by_name:
                vectors, mask = by_name[name].vectors.copy(), by_name[name].mask.copy()
                mask &= vectors.any(axis=1)
            else:
                vectors = np.zeros((len(items), dimension), np.float32)
                mask = np.zeros(len(items), np.bool_)
            for at, item in enumerate(items):
                if name in (item.vectors or {}):
                    vectors[at], mask[at] = (item.vectors or {})[name], True
            made[name] = MaskedVectors(vectors, mask)
        return made

    def _towers_vectors(
        self, blocks: Sequence[FeatureBlock], rows: Rows, current: MaskedVectors
    ) -> tuple[Vectors, Mask]:
        """Output of the item tower; with a fixed catalogue the vectors so far."""
        if not self.is_open or self.towers is None:
            return current.vectors.copy(), current.mask.copy()
        vectors = np.zeros((len(rows), self.dimensions[TWO_TOWER]), np.float32)
        trained = rows < self.towers.trained_items
        for known in (True, False):
            chosen = np.flatnonzero(trained == known).astype(np.int32)
            if len(chosen):
                own = [block.take(chosen) for block in blocks]
                known_rows = rows[chosen] if known else None
                vectors[chosen] = self.towers.encode_items(own, known_rows)
        return vectors, np.ones(len(rows), np.bool_)


def _part(vectors: MaskedVectors, part: slice) -> MaskedVectors:
    return MaskedVectors(vectors.vectors[part], vectors.mask[part])


def _unreadable(item: ItemUpserted, error: Exception) -> InvalidRequestError:
    return InvalidRequestError(f"item {item.item_id!r:.80} cannot be encoded: {error}")
