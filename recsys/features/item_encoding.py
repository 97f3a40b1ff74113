"""From raw items to feature blocks, with the encoders and the schema of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsys.catalogue import Catalogue
from recsys.encoders import Encoder, Fault
from recsys.encoders.contents import content_at
from recsys.errors import EncoderError
from recsys.features.attributes import NAME as ATTRIBUTES
from recsys.features.attributes import AttributeSchema
from recsys.features.block import FeatureBlock
from recsys.features.pictures import CataloguePictures

TEXT, IMAGE = "text", "image"


@dataclass(frozen=True, eq=False)
class ItemEncoder:
    """Encodes items unknown to training as training encoded its own.

    Attributes:
        text: Text encoder, or None.
        image: Image encoder, or None.
        attributes: Schema of the attributes, or None.

    Example:
        >>> import pandas as pd
        >>> from recsys.catalogue import CatalogueFields
        >>> from recsys.encoders import BagOfWordsConfig, build_encoder
        >>> text = build_encoder(BagOfWordsConfig(min_count=1), ["red lamp", "red rug"])
        >>> table = pd.DataFrame({"item_id": ["new"], "title": ["a red lamp"]})
        >>> catalogue = Catalogue.of(table, CatalogueFields(text=("title",)))
        >>> [(block.name, block.dimension) for block in ItemEncoder(text).encode(catalogue)]
        [('text', 3)]
    """

    text: Encoder | None = None
    image: Encoder | None = None
    attributes: AttributeSchema | None = None

    @property
    def widths(self) -> dict[str, int]:
        """Width of each block that :meth:`encode` gives, by name."""
        parts = {} if self.text is None else _part_slices(self.text)
        widths = {name: span.stop - span.start for name, span in parts.items()}
        for name, encoder in ((TEXT, self.text), (IMAGE, self.image)):
            if encoder is not None:
                widths[name] = encoder.dimension
        if self.attributes is not None:
            widths[ATTRIBUTES] = len(self.attributes.columns)
        return widths

    def encode(
        self,
        catalogue: Catalogue,
        pictures: Sequence[bytes | None] | None = None,
        *,
        broken: Literal["skip", "raise"] = "raise",
    ) -> list[FeatureBlock]:
        """One block per encoder, per part of a joined text encoder, and for the attributes.

        Args:
            catalogue: The items, with the fields of the training.
            pictures: Bytes of each item's picture; those of the catalogue by default.
            broken: Whether an item with an unreadable picture is masked, or raises.

        Raises:
            EncoderError: A picture cannot be read, or there is not one entry per item.
            DataError: A column of attributes is missing or holds something else.
        """
        blocks = []
        if self.text is not None:
            block = FeatureBlock.of(TEXT, self.text.encode(catalogue.texts()))
            blocks += [block, *text_parts(self.text, block).values()]
        if self.image is not None:
            files = CataloguePictures(catalogue) if pictures is None else pictures
            blocks.append(self._images(self.image, catalogue, files, broken))
        if self.attributes is not None:
            blocks.append(self.attributes.encode(catalogue.table))
        return blocks

    def _images(
        self,
        encoder: Encoder,
        catalogue: Catalogue,
        files: Sequence[bytes | None],
        broken: Literal["skip", "raise"],
    ) -> FeatureBlock:
        if len(files) != len(catalogue):
            raise EncoderError(
                f"expected a picture or None for each of {len(catalogue)} items; got {len(files)}"
            )
        found = [content_at(files, position) for position in range(len(files))]
        unreadable = [content for content in found if isinstance(content, Fault)]
        encoded = encoder.encode([None if isinstance(c, Fault) else c for c in found])
        faults = sorted([*unreadable, *encoded.faults], key=lambda fault: fault.position)
        if faults and broken == "raise":
            name = catalogue.ids.id(faults[0].position)
            raise EncoderError(
                f"the picture of item '{name}' cannot be read: {faults[0].reason}; replace or"
                " remove it, or pass broken='skip'"
            )
        return FeatureBlock.of(IMAGE, encoded)


def text_parts(encoder: Encoder, block: FeatureBlock) -> dict[str, FeatureBlock]:
    """The block of each part of a joined text encoder, ``text.PART``; ``text.PART-2`` for a second.

    Args:
        encoder: The text encoder; one that is not joined has no parts.
        block: Its block.
    """
    parts = {}
    for name, span in _part_slices(encoder).items():
        vectors = np.ascontiguousarray(block.vectors[:, span])
        parts[name] = FeatureBlock(vectors, np.asarray(vectors.any(axis=1)), name)
    return parts


def _part_slices(encoder: Encoder) -> dict[str, slice]:
    slices: dict[str, slice] = {}
    start, names = 0, []
    for part in getattr(encoder, "encoders", ()):
        names.append(part.name)
        count = names.count(part.name)
        name = f"{TEXT}.{part.name}" + (f"-{count}" if count > 1 else "")
        slices[name] = slice(start, start + part.dimension)
        start += part.dimension
    return slices
