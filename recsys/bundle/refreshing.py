"""A bundle with the changes of a store: new items are encoded with the towers as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recsys.bundle.manifest import REPORT
from recsys.bundle.opening import Bundle, open_bundle
from recsys.bundle.parts import Parts
from recsys.bundle.publishing import publish
from recsys.bundle.tuning_queries import content_queries, tower_queries
from recsys.bundle.versions import CURRENT
from recsys.evaluation.published import PublishedReport
from recsys.feed import PictureHashes
from recsys.ids import Vectors
from recsys.ingestion import IngestedData
from recsys.pictures.hashing import picture_hash
from recsys.progress import Progress, silent
from recsys.retrieval import TWO_TOWER, Space

if TYPE_CHECKING:
    from recsys.live import RefusedChange, Snapshot
    from recsys.live.freezing import FrozenSnapshot
    from recsys.store import Store

QUERIES = 1_000
"""Largest number of queries of a kind on which an index is tuned."""


@dataclass(frozen=True)
class RefreshReport:
    """Result of a refresh.

    Attributes:
        version: Name of the bundle; that of the bundle before where nothing has changed.
        watermark: Sequence number of the last change that it includes.
        items: Number of items.
        new_items: Number of these items that the bundle before did not hold.
        deleted_items: Number of items of the bundle before that are deleted.
        users: Number of users.
        interactions: Number of interactions.
        refused: Upserts of the store that the bundle cannot include.
    """

    version: str
    watermark: int
    items: int
    new_items: int
    deleted_items: int
    users: int
    interactions: int
    refused: tuple[RefusedChange, ...]


def refresh(
    root: Path, store: Store, *, version: str = CURRENT, progress: Progress = silent
) -> RefreshReport:
    """Publish a bundle with the changes that a store holds, without training.

    New items are encoded with the encoders and the item tower of the bundle, every space is
    indexed, and users get their recorded histories. Deleted items and users are left out.

    Args:
        root: Folder of bundles.
        store: The store that the bundle follows, for this call alone.
        version: Name of the bundle to begin with.
        progress: Receives reports of progress.

    Raises:
        NotFoundError: The bundle does not exist.
        StoreError: The store cannot be read, or ends before the bundle's watermark.
        BundleError: The new bundle cannot be written or answers differently from its parts.
    """
    from recsys.live.freezing import freeze

    bundle = open_bundle(root, version)
    progress("refresh", 0, 2, "follow the store")
    with bundle.live(store) as engine:
        snapshot = engine.catch_up(store.watermark)
        refused = engine.refused
        frozen = freeze(snapshot, store, after=bundle.manifest.watermark)
        vectors = snapshot.retriever.history_vectors
        rows = snapshot.catalogue.rows
        item_vectors = None if vectors is None else np.ascontiguousarray(vectors[rows])
        hashes = _picture_hashes(bundle.parts.picture_hashes, snapshot, store)
    if frozen.watermark > bundle.manifest.watermark:
        progress("refresh", 1, 2, "index")
        parts = replace(_parts(bundle, frozen, item_vectors), picture_hashes=hashes)
        name = publish(root, parts, progress=progress)
    else:
        name = bundle.version
    return RefreshReport(
        name,
        frozen.watermark,
        items=len(frozen.catalogue),
        new_items=len(frozen.catalogue) - len(frozen.items),
        deleted_items=len(bundle.catalogue) - len(frozen.items),
        users=len(frozen.log.users),
        interactions=len(frozen.log),
        refused=refused,
    )


def _picture_hashes(before: PictureHashes, snapshot: Snapshot, store: Store) -> PictureHashes:
    """The hashes of the items of a snapshot; pictures of upserted items are read of the store."""
    if not len(before):
        return before
    rows = snapshot.catalogue.rows
    values, mask = before.at(rows)
    for at, row in enumerate(rows.tolist()):
        item = snapshot.catalogue.upserted(row)
        if item is not None:
            stored = store.item(item.item_id)
            picture = None if stored is None else stored.picture
            found = None if picture is None else picture_hash(picture)
            values[at], mask[at] = found or 0, found is not None
    return PictureHashes(values, mask)


def _parts(bundle: Bundle, frozen: FrozenSnapshot, item_vectors: Vectors | None) -> Parts:
    """The parts of the new bundle."""
    parts = bundle.parts
    towers = parts.towers
    if item_vectors is not None:
        towers = towers.renumbered(frozen.items, frozen.users, item_vectors)
    spaces = {}
    for name, space in parts.spaces.items():
        config, made = space.index.config, frozen.vectors[name]
        if name == TWO_TOWER:
            assert item_vectors is not None
            queries = tower_queries(towers, frozen.log, QUERIES)
            spaces[name] = Space.two_tower(item_vectors, config, queries=queries)
        else:
            spaces[name] = Space.content(
                name,
                np.ascontiguousarray(made.vectors),
                made.mask.copy(),
                config,
                queries=content_queries(made.vectors, frozen.log, QUERIES),
            )
    return replace(
        parts,
        ingested=IngestedData(frozen.log, frozen.catalogue, parts.ingested.report),
        towers=towers,
        spaces=spaces,
        fingerprints={**parts.fingerprints, "store": f"watermark {frozen.watermark}"},
        reference_queries=None,
        watermark=frozen.watermark,
        report=_report(bundle, frozen),
    )


def _report(bundle: Bundle, frozen: FrozenSnapshot) -> PublishedReport | None:
    """The report of the bundle before, which has the same towers, without deleted users."""
    folder = bundle.path / REPORT
    if not folder.is_dir():
        return None
    return PublishedReport.load(folder).of_users(lambda user_id: user_id in frozen.log.users)
