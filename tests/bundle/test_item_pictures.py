"""Pictures of a bundle's items, which are files next to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.bundle import open_bundle, publish
from recsys.catalogue import CatalogueFields
from recsys.ingestion import ingest
from recsys.pictures import PictureStore
from recsys.store import ItemUpserted, open_store
from tests.bundle.made import made_parts, use_table_towers


def test_items_have_the_pictures_that_lie_next_to_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_table_towers(monkeypatch)
    items = pd.DataFrame(
        {
            "item_id": ["i0", "i1", "i2"],
            "title": ["red lamp", "blue rug", "grey vase"],
            "image": ["a.png", "gone.png", None],
        }
    )
    log = pd.DataFrame(
        {"user_id": ["u0", "u1"] * 6, "item_id": ["i0", "i1", "i2"] * 4, "timestamp": np.arange(12)}
    )
    fields = CatalogueFields(title="title", text=("title",), image="image")
    publish(tmp_path / "bundles", made_parts(ingested=ingest(log, items, fields)))
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"a picture")
    pictures = PictureStore.open(tmp_path / "pictures")

    bundle = open_bundle(tmp_path / "bundles", pictures=pictures)
    with open_store(tmp_path / "store.db") as store, bundle.live(store) as engine:
        assert [engine.picture(f"i{n}") for n in range(3)] == [b"a picture", None, None]
        store.append([ItemUpserted("i0", "red lamp", picture=b"another")])
        engine.catch_up()
        assert engine.picture("i0") == b"another"
    plain = open_bundle(tmp_path / "bundles")
    with open_store(tmp_path / "other.db") as store, plain.live(store) as engine:
        assert engine.picture("i0") is None
