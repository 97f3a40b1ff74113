"""Data sets by name: in the folder of RECSYS_DATA_HOME, in the cache, or downloaded.

Only data sets with a checksum of their publisher are downloaded.
"""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import Literal

import platformdirs

from recsys.errors import DownloadError, NotFoundError
from recsys.formats.archive import unpack
from recsys.formats.download import download as download_file
from recsys.progress import Progress, silent

Download = Literal["never", "missing"]
DATA_HOME = "RECSYS_DATA_HOME"
GROUPLENS = "https://files.grouplens.org/datasets/movielens"
ARCHIVES = {
    "movielens-100k": "ml-100k.zip",
    "movielens-1m": "ml-1m.zip",
    "movielens-20m": "ml-20m.zip",
    "movielens-25m": "ml-25m.zip",
}
"""The publisher's archive of each data set that can be downloaded."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def locate(
    name: str,
    *,
    download: Download = "missing",
    progress: Progress = silent,
    cache: Path | None = None,
    base_url: str = GROUPLENS,
) -> Path:
    """The folder of a data set: RECSYS_DATA_HOME/name, else cache/name, else downloaded to there.

    Args:
        download: Whether a data set that is found nowhere is downloaded.
        cache: Folder of downloaded data sets; None for the user's cache folder.

    Raises:
        NotFoundError: The data set is found nowhere, and it cannot or may not be downloaded.
        DownloadError: It could not be downloaded.

    Example:
        >>> locate("films-of-mars", download="never")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        recsys_client.errors.NotFoundError: no data set 'films-of-mars' ...
    """
    if not _NAME.fullmatch(name):
        raise NotFoundError(
            f"{name!r} is not the name of a data set: letters, digits, '.', '_', '-'"
        )
    home = os.environ.get(DATA_HOME)
    kept = cache or Path(platformdirs.user_cache_path("recsys")) / "data"
    folders = [*([Path(home) / name] if home else []), kept / name]
    for folder in folders:
        if folder.is_dir():
            return folder
    looked = " or ".join(map(str, folders))
    remedy = f"set {DATA_HOME} to a folder that holds '{name}'"
    if name not in ARCHIVES:
        known = ", ".join(ARCHIVES)
        raise NotFoundError(
            f"no data set '{name}' in {looked}, and no known publisher; {remedy} "
            f"(can be downloaded: {known})"
        )
    if download == "never":
        raise NotFoundError(f"no data set '{name}' in {looked}; {remedy}, or let it be downloaded")
    return _from_publisher(name, f"{base_url}/{ARCHIVES[name]}", kept, progress, remedy)


def resolve(
    path: str,
    base: Path | None = None,
    *,
    download: Download = "missing",
    progress: Progress = silent,
) -> Path:
    """Resolve a path of a configuration: ``data:NAME/rest`` is in a data set,
    ``package:NAME/rest`` in an installed Python package, whose code is not run; any other path is
    relative to ``base`` (None: the current folder).

    Raises:
        NotFoundError: The data set or package is missing, or the path leads out of it.
        DownloadError: It could not be downloaded.

    Example:
        >>> resolve("items.csv", Path("configs")).as_posix()
        'configs/items.csv'
    """
    scheme, _, inside = path.partition(":")
    if scheme not in ("data", "package"):
        return (base or Path()) / Path(path).expanduser()
    name, _, rest = inside.partition("/")
    if ".." in Path(rest).parts or Path(rest).is_absolute():
        kind = "data set" if scheme == "data" else "package"
        raise NotFoundError(f"{path!r} leads out of the {kind}; write {scheme}:{name}/FILE")
    if scheme == "package":
        return _package(name) / rest
    return locate(name, download=download, progress=progress) / rest


def _package(name: str) -> Path:
    """The folder of an installed top-level package, found without importing it."""
    try:
        spec = importlib.util.find_spec(name) if name.isidentifier() else None
    except ValueError:  # The program that runs is no package.
        spec = None
    folders = (spec.submodule_search_locations if spec else None) or []
    for folder in map(Path, folders):
        if folder.is_dir():
            return folder
    raise NotFoundError(
        f"no installed Python package '{name}'; pip install it, or write the path of the folder"
    )


def _from_publisher(name: str, url: str, kept: Path, progress: Progress, remedy: str) -> Path:
    archive = kept / "archives" / url.rsplit("/", 1)[-1]
    try:
        if not archive.is_file():
            download_file(url, archive, progress=progress)
        unpack(archive, kept / name)
    except DownloadError as error:
        raise DownloadError(
            f"data set '{name}': {error.message}. To use it without its publisher, {remedy}"
        ) from error
    except OSError as error:
        raise DownloadError(f"data set '{name}' cannot be kept in {kept}: {error}") from error
    archive.unlink()
    return kept / name
