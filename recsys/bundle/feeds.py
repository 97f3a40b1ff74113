"""The feeds of a bundle: pipelines and picture hashes, which are published and swapped with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from recsys.config import parse_config
from recsys.errors import DataError
from recsys.feed import FeedConfig, PictureHashes
from recsys.files import read_json, write_json

FEEDS = "feeds"
_PIPELINES, _PICTURES = "pipelines.json", "picture_hashes.npz"


def save_feeds(folder: Path, feeds: Mapping[str, FeedConfig], hashes: PictureHashes) -> None:
    """Write pipelines and picture hashes into a new folder; nothing where there are none."""
    if feeds or len(hashes):
        folder.mkdir()
    if feeds:
        values = {name: section.model_dump(mode="json") for name, section in feeds.items()}
        write_json(folder / _PIPELINES, values)
    if len(hashes):
        hashes.save(folder / _PICTURES)


def load_feeds(folder: Path) -> tuple[dict[str, FeedConfig], PictureHashes]:
    """Read what :func:`save_feeds` wrote.

    Raises:
        DataError: A file is damaged.
        ConfigError: A pipeline has a stage or key that this version does not know.
    """
    feeds, hashes = dict[str, FeedConfig](), PictureHashes.none()
    if (folder / _PIPELINES).is_file():
        try:
            values = read_json(folder / _PIPELINES)
            items = list(values.items())
        except (OSError, ValueError, AttributeError) as error:
            raise DataError(f"cannot read the feeds in {folder}: {error}") from error
        for name, section in items:
            feeds[name] = parse_config(section, FeedConfig, source=f"feed '{name}'")
    if (folder / _PICTURES).is_file():
        hashes = PictureHashes.load(folder / _PICTURES)
    return feeds, hashes
