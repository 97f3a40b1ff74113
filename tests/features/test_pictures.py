"""Pictures of a catalogue, read on demand, as far as the cache."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.features import CataloguePictures, FeatureCache
from recsys.pictures import PictureStore
from tests.features.counting import CountingEncoder

TABLE = pd.DataFrame({"item_id": ["a", "b", "c"], "image": ["a.png", None, "lost.png"]})


def catalogue(path: Path) -> Catalogue:
    return Catalogue.of(TABLE, CatalogueFields(image="image"), PictureStore.open(path))


def test_read_by_row(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"pixels")
    pictures = CataloguePictures(catalogue(tmp_path))
    assert list(pictures) == pictures[:] == [b"pixels", None, None]
    assert pictures[-3] == b"pixels"


def test_a_damaged_member_of_an_archive_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"pixels of a picture")
    path.write_bytes(path.read_bytes().replace(b"pixels", b"qixels", 1))
    pictures = CataloguePictures(catalogue(path))
    encoded = FeatureCache(tmp_path / "cache").encode(CountingEncoder(), pictures)
    assert not encoded.mask.any()
    assert [fault.position for fault in encoded.faults] == [0]
    assert "'a.png' is damaged" in encoded.faults[0].reason
