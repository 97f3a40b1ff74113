"""What a live engine needs of a bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, cast

from recsys.catalogue import Catalogue
from recsys.errors import DataError
from recsys.features import ItemEncoder
from recsys.interactions import Interactions
from recsys.live.contents import ItemTable
from recsys.live.encoding import ItemTowers, UpsertEncoder
from recsys.retrieval import Retriever


@dataclass(frozen=True, eq=False)
class LiveParts:
    """A bundle as the base of snapshots.

    Attributes:
        retriever: Retriever over the bundle's tables.
        items: Encoder of raw items.
        kind: "open" if the bundle encodes items unknown to training, else "fixed".
        watermark: Sequence number of the last change of the store that the bundle includes.
        hash_picture: Perceptual hash of a picture's file, by which feeds find near-duplicates;
            None where the bundle has no hashes.

    Raises:
        DataError: The retriever is over something else than the tables of a bundle.
    """

    retriever: Retriever
    items: ItemEncoder
    kind: Literal["fixed", "open"]
    watermark: int = 0
    hash_picture: Callable[[bytes], int | None] | None = None

    def __post_init__(self) -> None:
        tables = self.retriever.catalogue, self.retriever.log
        if not isinstance(tables[0], Catalogue) or not isinstance(tables[1], Interactions):
            raise DataError("a live engine begins with the tables of a bundle; got a snapshot")

    @property
    def catalogue(self) -> Catalogue:
        """The items of the bundle."""
        return cast(Catalogue, self.retriever.catalogue)

    @property
    def log(self) -> Interactions:
        """The log of the bundle."""
        return cast(Interactions, self.retriever.log)

    @cached_property
    def upsert_encoder(self) -> UpsertEncoder:
        """Encoder of upserted items."""
        return UpsertEncoder(
            ItemTable(self.catalogue),
            self.items,
            cast("ItemTowers | None", self.retriever.towers),
            {name: space.dimension for name, space in self.retriever.spaces.items()},
            self.kind == "open",
        )
