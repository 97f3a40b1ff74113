"""The parts of a bundle, and the path of each in its folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from recsys.bundle.feeds import FEEDS, load_feeds, save_feeds
from recsys.bundle.manifest import REPORT
from recsys.encoders import Encoder, load_encoder
from recsys.errors import DataError
from recsys.evaluation.published import PublishedReport
from recsys.features import AttributeSchema, ItemEncoder
from recsys.feed import FeedConfig, FeedView, PictureHashes
from recsys.ids import Vectors
from recsys.index.storage import StoredVectors
from recsys.ingestion import IngestedData, load_ingested, save_ingested
from recsys.ranking import Ranker, load_ranker
from recsys.retrieval import IMAGE, TEXT, TWO_TOWER, Request, Retriever, Space

if TYPE_CHECKING:
    from recsys.towers import AnyTowers

DATA, TOWERS, SPACES, ENCODERS, RANKER = "data", "towers", "spaces", "encoders", "ranker"
ATTRIBUTES = "attributes.json"
CatalogueKind = Literal["fixed", "open"]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, eq=False)
class Parts:
    """Everything that answers queries, and its description.

    Attributes:
        ingested: Catalogue, and the log with the histories of users.
        towers: Trained towers.
        spaces: Spaces by name.
        encoders: Encoders of queries and items by kind, "text" and "image".
        attributes: Schema of the attributes of items, or None.
        ranker: Ranker of retrieved items, or None.
        config: Configuration of the run, as JSON values.
        figures: Measurements, by name.
        fingerprints: Fingerprints of the data, by name.
        reference_queries: Requests whose answers are compared on each opening; None chooses a few.
        watermark: Sequence number of the last change of a store that the parts include; 0 where
            they were not made from a store.
        feeds: Pipelines of feeds by name; without any, feeds have the default pipeline.
        picture_hashes: Hashes of the items' pictures, by which feeds find near-duplicates.
        report: Evaluation of the towers, or None; it is not read when a bundle is opened.
    """

    ingested: IngestedData
    towers: AnyTowers
    spaces: Mapping[str, Space]
    encoders: Mapping[str, Encoder] = field(default_factory=dict)
    attributes: AttributeSchema | None = None
    ranker: Ranker | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    reference_queries: Sequence[Request] | None = None
    watermark: int = 0
    feeds: Mapping[str, FeedConfig] = field(default_factory=dict)
    picture_hashes: PictureHashes = PictureHashes.none()
    report: PublishedReport | None = None

    @property
    def item_encoder(self) -> ItemEncoder:
        """Encodes raw items as the feature blocks of the towers."""
        return ItemEncoder(self.encoders.get(TEXT), self.encoders.get(IMAGE), self.attributes)

    @property
    def catalogue_kind(self) -> CatalogueKind:
        """Whether the towers and encoders encode items unknown to training ("open") or not."""
        widths = self.item_encoder.widths
        blocks = self.towers.item_blocks.items() if self.towers.encodes_items else ()
        given = bool(blocks) and all(widths.get(name) == width for name, width in blocks)
        return "open" if given else "fixed"

    def retriever(self) -> Retriever:
        """A retriever over these parts.

        Raises:
            DataError: They do not fit each other.
        """
        return Retriever(
            self.ingested.catalogue,
            self.ingested.interactions,
            self.towers,
            dict(self.spaces),
            text_encoder=self.encoders.get(TEXT),
            image_encoder=self.encoders.get(IMAGE),
        )

    def feed_view(self, retriever: Retriever) -> FeedView:
        """What feeds read of these parts and of a retriever over them."""
        return FeedView(retriever, self.picture_hashes, self.ranker)


def save_parts(parts: Parts, folder: Path, step: Callable[[str], None]) -> None:
    """Write every part into an empty folder; ``step`` is called with the name of the next."""
    for name in (*parts.spaces, *parts.encoders):
        if not _NAME.fullmatch(name):
            raise DataError(f"the name of a space or encoder must match {_NAME.pattern}: {name!r}")
    step("catalogue and log")
    save_ingested(parts.ingested, folder / DATA)
    step("towers")
    held = _tower_vectors(parts.spaces) is not None
    parts.towers.save(folder / TOWERS, items="skip" if held else "write")
    if parts.attributes is not None:
        parts.attributes.save(folder / ATTRIBUTES)
    if parts.ranker is not None:
        step("ranker")
        parts.ranker.save(folder / RANKER)
    save_feeds(folder / FEEDS, parts.feeds, parts.picture_hashes)
    if parts.report is not None:
        parts.report.save(folder / REPORT)
    for name, space in sorted(parts.spaces.items()):
        step(f"space {name}")
        space.save(folder / SPACES / name)
    for kind, encoder in sorted(parts.encoders.items()):
        step(f"encoder {kind}")
        (folder / ENCODERS).mkdir(exist_ok=True)
        encoder.save(folder / ENCODERS / kind)


def load_parts(
    folder: Path, *, spaces: Sequence[str], encoders: Sequence[str], watermark: int
) -> Parts:
    """Read what :func:`save_parts` wrote."""
    from recsys.towers import load_towers

    loaded = {name: Space.load(folder / SPACES / name, name) for name in spaces}
    feeds, hashes = load_feeds(folder / FEEDS)
    has_attributes = (folder / ATTRIBUTES).is_file()
    return Parts(
        load_ingested(folder / DATA),
        load_towers(folder / TOWERS, _tower_vectors(loaded)),
        loaded,
        {kind: load_encoder(folder / ENCODERS / kind) for kind in encoders},
        AttributeSchema.load(folder / ATTRIBUTES) if has_attributes else None,
        load_ranker(folder / RANKER) if (folder / RANKER).is_dir() else None,
        watermark=watermark,
        feeds=feeds,
        picture_hashes=hashes,
    )


def _tower_vectors(spaces: Mapping[str, Space]) -> Vectors | None:
    """The towers' item vectors, where a space holds them as they are, in float32."""
    vectors = spaces[TWO_TOWER].vectors if TWO_TOWER in spaces else None
    return None if isinstance(vectors, StoredVectors) else vectors
