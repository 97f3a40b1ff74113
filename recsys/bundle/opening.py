"""Open a bundle: hold every file against the manifest, load, ask the probes again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recsys.bundle.manifest import Manifest, check_files, library_versions, read_manifest
from recsys.bundle.parts import Parts, load_parts
from recsys.bundle.probes import check_probes
from recsys.bundle.versions import CURRENT, find_version, folder_of
from recsys.catalogue import Catalogue
from recsys.errors import BundleError, DataError, EncoderError
from recsys.retrieval import Retriever


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle, ready to answer.

    Attributes:
        version: Its name.
        path: Its folder.
        manifest: What it says of itself.
        parts: What it is made of.
        retriever: Answers queries from it.

    Example:
        See ``docs/bundle-format.md``.
    """

    version: str
    path: Path
    manifest: Manifest
    parts: Parts
    retriever: Retriever

    @property
    def catalogue(self) -> Catalogue:
        """Every item, with its words and attributes."""
        return self.parts.ingested.catalogue


def open_bundle(root: Path, version: str = CURRENT) -> Bundle:
    """Verify and load a bundle.

    Args:
        root: The folder of bundles.
        version: A bundle's name, or "current".

    Raises:
        NotFoundError: There is no such bundle.
        BundleError: A file is not as the manifest says, or a probe answers otherwise.
    """
    name = find_version(root, version)
    folder = folder_of(root, name)
    manifest = _checked(folder, name)
    parts, retriever = load_checked(folder, manifest)
    return Bundle(name, folder, manifest, parts, retriever)


def verify(root: Path, version: str = CURRENT) -> Manifest:
    """Hold a bundle's files against its manifest, without loading them.

    Raises:
        NotFoundError: There is no such bundle.
        BundleError: A file is missing, not expected, truncated or changed.
    """
    name = find_version(root, version)
    return _checked(folder_of(root, name), name)


def load_checked(folder: Path, manifest: Manifest) -> tuple[Parts, Retriever]:
    """Load a folder whose files have been checked, and ask the probes.

    Raises:
        BundleError: It does not load here, or a probe answers otherwise.
    """
    try:
        parts = load_parts(folder, spaces=list(manifest.spaces), encoders=list(manifest.encoders))
        retriever = parts.retriever()
    except (DataError, EncoderError) as error:
        here = library_versions()
        others = [
            f"{name} {wrote} (here {here.get(name, 'none')})"
            for name, wrote in manifest.libraries.items()
            if here.get(name) != wrote
        ]
        remedy = f"it was written with {', '.join(others)}" if others else "publish again"
        raise BundleError(
            f"{folder} is as it was written but does not load: {error.message}; {remedy}"
        ) from error
    check_probes(retriever, manifest.probes, str(folder))
    return parts, retriever


def _checked(folder: Path, name: str) -> Manifest:
    manifest = read_manifest(folder)
    if manifest.version != name:
        raise BundleError(f"{folder} holds the bundle {manifest.version}; move it back to its name")
    check_files(folder, manifest.files)
    return manifest
