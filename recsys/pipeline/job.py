"""What the stages hand on to each other: each result, read from its stage's folder when asked for.

No stage keeps anything in memory for the next one, so that each can also be run by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recsys.encoders import EXHIBITS, Encoder, Exhibit, load_encoder, read_exhibits
from recsys.features import USER_VECTORS, FeatureBlock
from recsys.formats import resolve
from recsys.ids import Mask, Vectors
from recsys.ingestion import Ingested, load_ingested
from recsys.interactions import Interactions
from recsys.pictures import PictureStore
from recsys.pipeline.config import RunConfig
from recsys.progress import Progress, silent
from recsys.splits import Split, split
from recsys.towers.config import TowersConfig

if TYPE_CHECKING:
    from recsys.towers import AnyTowers

ENCODERS = ("text", "image")
BLOCKS = ("text", "image", "attributes")
PHRASES = "phrases"
DATA = "data"
KEPT_ENCODERS = "encoders"


@dataclass(frozen=True, eq=False)
class Job:
    """One run.

    Attributes:
        config: What is asked for.
        base: The folder that the configuration's paths start from.
        folder: Where the stages' folders are.
        cache: Where encoded contents are kept; runs may share it.
        progress: Told how far the work is.
    """

    config: RunConfig
    base: Path
    folder: Path
    cache: Path
    progress: Progress = field(default=silent, repr=False)

    def path(self, name: str | Path) -> Path:
        """Where a path of the configuration is."""
        return resolve(str(name), self.base)

    @property
    def bundles(self) -> Path:
        """Where this run publishes."""
        return self.folder / "bundles"

    @cached_property
    def ingested(self) -> Ingested:
        """The log and the catalogue."""
        pictures = self.config.data.pictures
        store = None if pictures is None else PictureStore.open(self.path(pictures))
        return load_ingested(self.folder / "ingest" / DATA, pictures=store)

    @cached_property
    def split(self) -> Split:
        """What is learned from and what judges."""
        return split(self.ingested.interactions, self.config.split)

    @cached_property
    def encoders(self) -> dict[str, Encoder]:
        """The encoders that this run has, by kind."""
        folders = {name: self.folder / "encode" / "encoders" / name for name in ENCODERS}
        return {name: load_encoder(path) for name, path in folders.items() if path.is_dir()}

    @property
    def exhibits(self) -> list[Exhibit]:
        """Pictures that show what this run's encoders learned."""
        folders = (self.folder / "encode" / EXHIBITS / name for name in ENCODERS)
        return [exhibit for folder in folders for exhibit in read_exhibits(folder)]

    @cached_property
    def blocks(self) -> dict[str, FeatureBlock]:
        """The feature blocks that this run has, by name."""
        files = {name: self.folder / "encode" / f"{name}.npz" for name in BLOCKS}
        return {name: FeatureBlock.load(path) for name, path in files.items() if path.is_file()}

    @cached_property
    def phrases(self) -> Vectors:
        """The encoded search terms of the log, float32 ``[phrases, t]``; zeros for none."""
        file = self.folder / "encode" / f"{PHRASES}.npz"
        if not file.is_file():
            return np.zeros((len(self.ingested.interactions.phrases), 0), np.float32)
        return FeatureBlock.load(file).vectors

    @cached_property
    def user_block(self) -> FeatureBlock | None:
        """Vectors of the log's users that were learned elsewhere; None where none are read."""
        file = self.folder / "encode" / f"{USER_VECTORS}.npz"
        reads = self.config.towers.user_vectors != "none" and file.is_file()
        return FeatureBlock.load(file) if reads else None

    @cached_property
    def known_users(self) -> Mask:
        """Whom the towers that are kept can tell apart; see :meth:`known_among`."""
        return self.known_among(self.split.final)

    def known_among(self, learned_from: Interactions) -> Mask:
        """Users that are in what was learned from, or that have a vector; bool ``[users]``."""
        met: Mask = np.diff(learned_from.offsets) > 0
        return met if self.user_block is None else met | self.user_block.mask

    @property
    def towers_config(self) -> TowersConfig:
        """The towers asked for; they read search terms only where there are any to learn from."""
        searched = self.phrases.shape[1] > 0 and bool(self.phrases.any())
        return self.config.towers.model_copy(update={} if searched else {"terms": "none"})

    @property
    def phrases_asked(self) -> Vectors | None:
        """The search terms that every query is asked with where towers read nothing else."""
        alone = self.towers_config.terms_alone and self.user_block is None
        return self.phrases if alone else None

    @cached_property
    def towers(self) -> AnyTowers:
        """The trained towers."""
        from recsys.towers import load_towers

        return load_towers(self.folder / "train" / "towers")
