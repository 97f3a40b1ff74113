"""``manifest.json``: description of a bundle, and the comparison of its files with it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any, Literal

from pydantic import ValidationError

from recsys.bundle.disk_errors import reading
from recsys.bundle.reference_queries import ReferenceQuery
from recsys.config import Config
from recsys.errors import BundleError
from recsys.files import read_json, sha256_file, sha256_json, write_json
from recsys.version import __version__

FORMAT_VERSION: Literal[2] = 2
FILE = "manifest.json"
REPORT = "report"
"""Folder of the report of an evaluation."""
_LARGEST = 1 << 28
"""Number of bytes from which a manifest is not read."""
_LIBRARIES = (
    *("tensorflow", "tf-keras", "tensorflow-recommenders", "scann", "numpy", "pandas"),
    *("pyarrow", "gensim", "pillow"),
)


class FileEntry(Config):
    """One file as written.

    Attributes:
        size: Number of bytes.
        sha256: SHA-256 in hex.
    """

    size: int
    sha256: str


class Manifest(Config):
    """Description of a bundle.

    Attributes:
        format_version: Version of the layout.
        version: Name of the bundle.
        created: Time of publishing, ISO 8601 in UTC.
        items: Number of items in the catalogue.
        catalogue: "open" if the bundle encodes items unknown to training, else "fixed".
        users: Number of users in the log.
        interactions: Number of interactions in the log.
        watermark: Sequence number of the last change of a store that the bundle includes; 0 for a
            bundle that was not made from a store.
        spaces: Dimension of each space.
        encoders: Fingerprint of each encoder, by kind.
        config: Configuration of the run.
        figures: Measurements, by name.
        fingerprints: Fingerprints of the data, by name.
        libraries: Versions of the libraries that wrote it.
        reference_queries: Requests with their answers.
        files: Every other file of the bundle, by path.
    """

    format_version: Literal[2] = FORMAT_VERSION
    version: str
    created: str
    items: int
    catalogue: Literal["fixed", "open"]
    users: int
    interactions: int
    watermark: int = 0
    spaces: dict[str, int]
    encoders: dict[str, str]
    config: dict[str, Any]
    figures: dict[str, float]
    fingerprints: dict[str, str]
    libraries: dict[str, str]
    reference_queries: tuple[ReferenceQuery, ...]
    files: dict[str, FileEntry]

    @property
    def size(self) -> int:
        """Number of bytes of all files but the manifest."""
        return sum(entry.size for entry in self.files.values())

    @property
    def report_files(self) -> dict[str, FileEntry]:
        """The files of the report of an evaluation; empty without one."""
        return {path: each for path, each in self.files.items() if path.startswith(f"{REPORT}/")}

    def content(self) -> str:
        """A digest of everything but the name and the time."""
        return sha256_json(self.model_dump(mode="json", exclude={"version", "created"}))


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write ``manifest.json`` with a digest of itself."""
    values = manifest.model_dump(mode="json")
    write_json(folder / FILE, {**values, "sha256": sha256_json(values)})


def read_manifest(folder: Path) -> Manifest:
    """Read ``manifest.json`` and verify its own digest.

    Raises:
        BundleError: It is missing, damaged, changed or of another format version.
    """
    path = folder / FILE
    try:
        values = read_json(path, limit=_LARGEST)
        content = {**values} if isinstance(values, dict) else {}
        expected = content.pop("sha256", None)
        found = sha256_json(content)
    except OSError as error:
        raise BundleError(f"cannot read {path}: {error.strerror}; publish again") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is not JSON: {error}; publish again") from error
    if content.get("format_version") != FORMAT_VERSION:
        raise BundleError(
            f"{path} has format version {content.get('format_version')!r:.80}; this library reads "
            f"{FORMAT_VERSION}: use the library that wrote it, or publish again"
        )
    if expected != found:
        raise BundleError(
            f"{path} was changed: it states sha256 {expected!s:.80} and has {found}; "
            "publish again, or roll back"
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        raise BundleError(f"{path}: {key!r:.200}: {fault['msg']:.200}; publish again") from error


def read_named(folder: Path) -> Manifest:
    """Read the manifest of a published bundle and compare its name with that of the folder.

    Raises:
        BundleError: The manifest cannot be used, or names another bundle.
    """
    manifest = read_manifest(folder)
    if manifest.version != folder.name:
        raise BundleError(
            f"{folder} holds the bundle {manifest.version!s:.80}; move it back to its name"
        )
    return manifest


def read_whole(folder: Path) -> Manifest:
    """Read the manifest of a published bundle and compare its name and files with it.

    Raises:
        BundleError: The manifest or a file is missing, damaged, changed or not expected.
    """
    with reading(folder):
        manifest = read_named(folder)
        check_files(folder, manifest.files)
    return manifest


def describe_files(folder: Path) -> dict[str, FileEntry]:
    """Every file below ``folder`` but the manifest, by path with '/'; a link is an error."""
    return {
        name: FileEntry(size=path.stat().st_size, sha256=sha256_file(path))
        for name, path in sorted(_walk(folder).items())
    }


def check_files(folder: Path, files: Mapping[str, FileEntry]) -> None:
    """Compare the files of a bundle with its manifest: names and sizes first, then digests."""
    found = check_sizes(folder, files)
    for name, entry in sorted(files.items()):
        checksum = sha256_file(found[name])
        if checksum != entry.sha256:
            raise BundleError(
                f"{folder}: '{name}' must have sha256 {entry.sha256:.80} and has {checksum}; "
                "publish again, or roll back"
            )


def check_sizes(folder: Path, files: Mapping[str, FileEntry]) -> dict[str, Path]:
    """Compare names and sizes of the files with a manifest, and return the files by name."""
    found = _walk(folder)
    for name in sorted(files):
        if name not in found:
            raise BundleError(f"{folder}: {name!r} is missing; publish again, or roll back")
    for name in sorted(found):
        if name not in files:
            raise BundleError(f"{folder}: {name!r} is not in the manifest; remove it")
    for name, entry in sorted(files.items()):
        size = found[name].stat().st_size
        if size != entry.size:
            raise BundleError(
                f"{folder}: '{name}' must have {entry.size:,} bytes and has {size:,}; "
                "publish again, or roll back"
            )
    return found


def library_versions() -> dict[str, str]:
    """Versions of Python, of this library and of those installed that it writes with."""
    found = {"python": python_version(), "recsys": __version__}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _walk(folder: Path) -> dict[str, Path]:
    """Files by path, as found on disk, so that a manifest cannot name files elsewhere."""
    if folder.is_symlink():
        raise BundleError(f"{folder} is a link, which is refused; put the bundle itself there")
    found: dict[str, Path] = {}
    for path in _below(folder):
        name, mode = path.relative_to(folder).as_posix(), path.lstat().st_mode
        if name == FILE and stat.S_ISREG(mode):
            continue
        if not stat.S_ISREG(mode):
            kind = "a link" if stat.S_ISLNK(mode) else "not a file"
            raise BundleError(f"{folder}: {name!r} is {kind}, which is refused; remove it")
        found[name] = path
    return found


def _below(folder: Path) -> list[Path]:
    """Everything below a folder but folders, links not followed; ``rglob`` ignores what it may not
    read."""

    def refuse(error: OSError) -> None:
        raise error

    found: list[Path] = []
    for parent, folders, files in os.walk(folder, onerror=refuse):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        found += [Path(parent, name) for name in (*links, *files)]
    return sorted(found)
