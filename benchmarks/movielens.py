"""MovieLens-1M for benchmarks that call the library directly: its log and feature blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.encoders import Encoder, ImageEncoderConfig, TextEncoderConfig, obtain_encoder
from recsys.features import CataloguePictures, FeatureBlock, FeatureCache, attribute_block
from recsys.formats import (
    ParquetItems,
    SequenceInteractions,
    read_interactions,
    read_items,
    resolve,
)
from recsys.ingestion import IngestedData, IngestPolicy, ingest
from recsys.interactions import Interactions
from recsys.pictures import PictureStore
from recsys.progress import Progress, silent

FIELDS = CatalogueFields(title="title", categories=("genres",), numbers=("year",), image="image")
WORDS = "data:words/glove.6B.50d.20k.txt"
PICTURES = "data:cnn/mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"


@dataclass(frozen=True, eq=False)
class MovieLens:
    """The 3,307 films of the usual 5-core and the users' sequences."""

    progress: Progress = silent
    folder: Path = Path("runs/movielens")

    @cached_property
    def _ingested(self) -> IngestedData:
        log = read_interactions(SequenceInteractions(path="data:movielens-1m/sequences.parquet"))
        items = read_items(ParquetItems(path="data:movielens-1m/items.parquet"))
        return ingest(
            log,
            items,
            FIELDS,
            IngestPolicy(items_without_interactions="drop"),
            pictures=PictureStore.open(resolve("data:movielens-1m")),
        )

    @property
    def log(self) -> Interactions:
        """All interactions."""
        return self._ingested.interactions

    @property
    def catalogue(self) -> Catalogue:
        """All films."""
        return self._ingested.catalogue

    def texts(self, columns: Sequence[str]) -> list[str]:
        """Text of these columns per film."""
        fields = FIELDS.model_copy(update={"text": tuple(columns)})
        return replace(self.catalogue, fields=fields).texts()

    def encoder(self, config: TextEncoderConfig, columns: Sequence[str]) -> Encoder:
        """An encoder of words, trained on these columns if it needs training."""
        folder = self.folder / "encoders" / f"{config.name}-{'-'.join(columns)}"
        return obtain_encoder(config, self.texts(columns), folder, progress=self.progress)

    def text(self, name: str, config: TextEncoderConfig, columns: Sequence[str]) -> FeatureBlock:
        """Feature block of these columns."""
        encoder, cache = self.encoder(config, columns), FeatureCache(self.folder / "cache")
        encoded = cache.encode(encoder, self.texts(columns), progress=self.progress)
        return FeatureBlock.of(name, encoded)

    def image(self, name: str, config: ImageEncoderConfig) -> FeatureBlock:
        """Feature block of the posters."""
        pictures = CataloguePictures(self.catalogue)
        folder = self.folder / "encoders" / config.name
        encoder = obtain_encoder(config, pictures, folder, progress=self.progress)
        cache = FeatureCache(self.folder / "cache")
        return FeatureBlock.of(name, cache.encode(encoder, pictures, progress=self.progress))

    def attributes(self) -> FeatureBlock:
        """Feature block of genres and years."""
        return attribute_block(self.catalogue)[0]
