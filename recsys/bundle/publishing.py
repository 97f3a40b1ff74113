"""Publish a bundle: write it to a staging folder, check it, rename it, make it current.

If the process is killed at any point, the current bundle stays current and whole; the next writer
removes what is left in the staging folder.
"""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from recsys.bundle.activations import point_to
from recsys.bundle.disk_errors import writing
from recsys.bundle.manifest import (
    Manifest,
    describe_files,
    library_versions,
    read_whole,
    write_manifest,
)
from recsys.bundle.opening import load_checked
from recsys.bundle.parts import Parts, save_parts
from recsys.bundle.reference_queries import ReferenceQuery, make_reference_queries
from recsys.bundle.versions import (
    VERSIONS,
    clean,
    folder_of,
    names,
    new_staging,
    next_name,
)
from recsys.errors import BundleError, DataError
from recsys.files import LOCK, lock, replace_folder
from recsys.progress import Progress, silent


def publish(root: Path, parts: Parts, *, progress: Progress = silent) -> str:
    """Publish ``parts`` in ``root`` and make them current; returns the name of the bundle.

    A bundle with the same content (everything but the time) is made current again rather than
    written a second time. A second publisher waits for the first.

    Raises:
        DataError: The parts do not fit each other, or their description is not JSON.
        BundleError: The written bundle does not load or answers differently from the parts, or the
            folder cannot be written, as where the disk is full; nothing is left behind.
        InvalidRequestError, UnknownIdError: One of the reference queries cannot be answered.
    """
    queries = make_reference_queries(parts.retriever(), parts.ingested, parts.reference_queries)
    total = 7 + len(parts.spaces) + len(parts.encoders) + (parts.ranker is not None)
    done = itertools.count()

    def step(name: str) -> None:
        progress("publish", next(done), total, name)

    with writing(root, action="publish into"), lock(root / LOCK):
        try:
            step("clean")
            clean(root)
            staged = new_staging(root)
            staged.mkdir()
            save_parts(parts, staged, step)
            step("manifest")
            manifest = _describe(parts, queries, staged, names(root))
            write_manifest(manifest, staged)
            step("reference queries")
            load_checked(staged, manifest)
            name = _twin(root, manifest)
            if name is None:
                name = manifest.version
                step("rename")
                (root / VERSIONS).mkdir(exist_ok=True)
                replace_folder(staged, folder_of(root, name))
            step("current")
            point_to(root, name)
            progress("publish", total, total, "done")
        finally:
            clean(root)
    return name


def _describe(
    parts: Parts, queries: tuple[ReferenceQuery, ...], folder: Path, known: list[str]
) -> Manifest:
    ingested = parts.ingested
    manifest = Manifest(
        version="",
        created="",
        items=len(ingested.catalogue),
        catalogue=parts.catalogue_kind,
        users=len(ingested.interactions.users),
        interactions=len(ingested.interactions),
        watermark=parts.watermark,
        spaces={name: space.index.dimension for name, space in sorted(parts.spaces.items())},
        encoders={kind: each.fingerprint for kind, each in sorted(parts.encoders.items())},
        config=_for_json("config", dict(parts.config)),
        figures=_for_json("figures", dict(parts.figures)),
        fingerprints=dict(parts.fingerprints),
        libraries=library_versions(),
        reference_queries=queries,
        files=describe_files(folder),
    )
    named = {
        "version": next_name(known, manifest.content()),
        "created": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return manifest.model_copy(update=named)


def _for_json(name: str, values: dict[str, Any]) -> Any:
    try:
        return json.loads(json.dumps(values, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise DataError(
            f"'{name}' of a bundle must be fit for JSON: {error}", field=name
        ) from error


def _twin(root: Path, manifest: Manifest) -> str | None:
    """The name of a whole bundle with the same content, if there is one."""
    content = manifest.content()
    for name in reversed(names(root)):
        if not name.endswith(content[:8]):
            continue
        try:
            other = read_whole(folder_of(root, name))
        except BundleError:
            continue
        if other.content() == content:
            return name
    return None
