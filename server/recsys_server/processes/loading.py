"""Bundles in memory, ready to answer."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from recsys.bundle import open_bundle
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from recsys_server.settings import Settings


def load_rollout(settings: Settings) -> Rollout:
    """The rollout with which a worker begins, with the errors of :func:`load`."""
    return Rollout(Deployment(load(settings.bundles, settings.version)))


def load(bundles: Path, version: str) -> LoadedBundle:
    """Open a bundle, whose reference queries warm it up.

    Its objects stay out of garbage collections, which stall requests by 0.2 s; memory that loading
    no longer needs returns to the system.

    Raises:
        NotFoundError: The bundle does not exist.
        BundleError: It is damaged, or answers its reference queries differently.
    """
    gc.disable()
    try:
        loaded = LoadedBundle.of(open_bundle(bundles, version))
        gc.freeze()
    finally:
        gc.enable()
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # where the C library is not glibc
        ctypes.CDLL(None).malloc_trim(0)
    return loaded
