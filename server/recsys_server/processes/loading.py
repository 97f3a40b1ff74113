"""Bundles in memory, ready to answer."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from recsys.bundle import open_bundle
from recsys.pictures import PictureStore
from recsys.pictures.isolation import Decoder
from recsys.store import open_store
from recsys_client.response import UnknownUser
from recsys_server.auditing import Audit
from recsys_server.rollout import LoadedBundle


def load(
    bundles: Path,
    version: str,
    *,
    store: str | None = None,
    unknown_user: UnknownUser = "error",
    audit: Audit | None = None,
    decoder: Decoder | None = None,
    pictures: Path | None = None,
) -> LoadedBundle:
    """Open a bundle, whose reference queries and feeds warm it up.

    With the path or URL of a store, the bundle follows it. ``unknown_user`` is the answer for users
    without an interaction; ``audit`` samples its searches, ``decoder`` decodes pictures.
    ``pictures`` is the folder or archive of the files that show the items.

    Its objects stay out of garbage collections, which stall requests by 0.2 s; memory that loading
    no longer needs returns to the system.

    Raises:
        NotFoundError: The bundle does not exist.
        BundleError: It is damaged, or answers its reference queries differently.
        StoreError: The store cannot be opened.
        DataError: The pictures are neither a folder nor a zip archive.
    """
    gc.disable()
    try:
        bundle = open_bundle(
            bundles,
            version,
            decoder=decoder,
            pictures=None if pictures is None else PictureStore.open(pictures),
        )
        retriever = replace(
            bundle.retriever,
            unknown_user=unknown_user,
            audit=None if audit is None else audit.begin(bundle.version),
        )
        bundle = replace(bundle, retriever=retriever)
        loaded = LoadedBundle.of(
            bundle, None if store is None else open_store(store), collect=collect_released
        )
        if loaded.feed is not None:
            loaded.feed.warm_up()
        gc.freeze()
    finally:
        gc.enable()
    _return_memory()
    return loaded


def collect_released() -> None:
    """Free what a bundle that is no longer used leaves behind, in reference cycles, too."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    _return_memory()


def _return_memory() -> None:
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # where the C library is not glibc
        ctypes.CDLL(None).malloc_trim(0)
