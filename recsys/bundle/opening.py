"""Open a bundle: verify its files, load it, compare the answers to its reference queries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.bundle.manifest import Manifest, library_versions, read_whole
from recsys.bundle.parts import DATA, Parts, load_parts
from recsys.bundle.reference_queries import check_reference_queries
from recsys.bundle.tuning_queries import queries_of
from recsys.bundle.versions import CURRENT, find_version, folder_of
from recsys.catalogue import Catalogue
from recsys.encoders.pictures.isolated import isolated
from recsys.errors import BundleError, RecsysError
from recsys.feed import Feed
from recsys.ingestion import ingested_fingerprint
from recsys.pictures import PictureStore
from recsys.pictures.hashing import picture_hash
from recsys.pictures.isolation import Decoder
from recsys.retrieval import Retriever
from recsys.retrieval.forks import check_process

if TYPE_CHECKING:
    from recsys.index.live import CompactionRule
    from recsys.live import LiveEngine
    from recsys.store import Store

_QUERIES = 300
"""Largest number of queries of a kind on which new bases of a live engine are tuned."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle, ready to answer.

    Attributes:
        version: Name of the bundle.
        path: Folder of the bundle.
        manifest: Description of the bundle.
        parts: Parts of the bundle.
        retriever: Retriever over the parts.
        decoder: Decoder of pictures from outside, or None.
    """

    version: str
    path: Path
    manifest: Manifest
    parts: Parts
    retriever: Retriever
    decoder: Decoder | None = None

    @property
    def catalogue(self) -> Catalogue:
        """Every item, with its text and attributes."""
        return self.parts.ingested.catalogue

    @cached_property
    def feed(self) -> Feed:
        """Feeds over this bundle, with its pipelines, or the default one without any.

        Raises:
            ConfigError: A pipeline does not fit the bundle.
        """
        view = self.parts.feed_view(self.retriever)
        return Feed(view, self.parts.feeds) if self.parts.feeds else Feed(view)

    def live(
        self, store: Store, folder: Path | None = None, *, rule: CompactionRule | None = None
    ) -> LiveEngine:
        """An engine that answers from this bundle and the changes of a store.

        Args:
            store: Store that is followed from the bundle's watermark on, for this engine alone. An
                import of the bundle's own log is left out.
            folder: Folder for the files of new bases of the spaces; a temporary one by default.
            rule: When to compact a space.

        Raises:
            StoreError: The store cannot be read, or ends before the bundle's watermark.
        """
        from recsys.live import LiveEngine, LiveParts

        store.exclude_import(ingested_fingerprint(self.path / DATA))
        parts = LiveParts(
            self.retriever,
            self.parts.item_encoder,
            self.parts.catalogue_kind,
            self.manifest.watermark,
            partial(picture_hash, decoder=self.decoder) if len(self.parts.picture_hashes) else None,
        )
        log, spaces = self.parts.ingested.interactions, self.parts.spaces
        queries = queries_of(spaces, self.parts.towers, log, _QUERIES)
        return LiveEngine(parts, store, folder, rule=rule, queries=queries)


def open_bundle(
    root: Path,
    version: str = CURRENT,
    *,
    decoder: Decoder | None = None,
    pictures: PictureStore | None = None,
) -> Bundle:
    """Verify and load a bundle of the folder ``root``.

    Args:
        root: Folder of bundles.
        version: Name of the bundle.
        decoder: Decoder of the pictures of queries and of upserted items; by default they are
            decoded in this process, without limits on time and memory.
        pictures: Files of the items' pictures by the names in the catalogue, which are not part of
            the bundle; without them only items that were upserted have a picture to show.

    Raises:
        NotFoundError: The bundle does not exist.
        BundleError: A file differs from the manifest, or the answer to a reference query differs.
        ServiceError: This process was forked from one that had opened a bundle.
    """
    check_process()
    name = find_version(root, version)
    folder = folder_of(root, name)
    manifest = read_whole(folder)
    parts, retriever = load_checked(folder, manifest, decoder=decoder)
    catalogue = replace(parts.ingested.catalogue, pictures=pictures)
    retriever = replace(retriever, bundle_version=name, catalogue=catalogue)
    return Bundle(name, folder, manifest, parts, retriever, decoder)


def verify(root: Path, version: str = CURRENT) -> Manifest:
    """Compare a bundle's files with its manifest, without loading them.

    Raises:
        NotFoundError: The bundle does not exist.
        BundleError: A file is missing, not expected, truncated or changed.
    """
    return read_whole(folder_of(root, find_version(root, version)))


def load_checked(
    folder: Path, manifest: Manifest, *, decoder: Decoder | None = None
) -> tuple[Parts, Retriever]:
    """Load a folder of verified files, and compare the answers to the reference queries.

    Raises:
        BundleError: It does not load here, or an answer differs.
    """
    try:
        parts = load_parts(
            folder,
            spaces=list(manifest.spaces),
            encoders=list(manifest.encoders),
            watermark=manifest.watermark,
        )
        if decoder is not None:
            encoders = {kind: isolated(each, decoder) for kind, each in parts.encoders.items()}
            parts = replace(parts, encoders=encoders)
        retriever = parts.retriever()
    except Exception as error:  # The files are those that were published, but of another program.
        reason = (
            error.message if isinstance(error, RecsysError) else f"{type(error).__name__}: {error}"
        )
        installed = library_versions()
        others = [
            f"{name} {wrote} (here {installed.get(name, 'none')})"
            for name, wrote in manifest.libraries.items()
            if installed.get(name) != wrote
        ]
        remedy = f"it was written with {', '.join(others)}" if others else "publish again"
        raise BundleError(f"{folder} is unchanged but does not load: {reason}; {remedy}") from error
    check_reference_queries(retriever, manifest.reference_queries, str(folder))
    return parts, retriever
