"""What the Python snippets of a page need: undefined names, bundles and a running service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.bundle import Bundle, open_bundle, publish
from recsys.catalogue import CatalogueFields
from recsys.engine import fit
from recsys.ingestion import ingest
from tests.bundle.made import made_parts, use_table_towers
from tests.engine.frames import QUICK
from tests.evaluation.test_published import made as made_report

Names = dict[str, Any]
DAY = 86_400
BUNDLES = Path("runs/demo/bundles")
ADDRESS = "127.0.0.1:50051"


def names_for(page: str, folder: Path) -> Names:
    """The namespace of a page, in which its snippets run one after another."""
    setup = SETUPS.get(page)
    return {} if setup is None else setup(folder)


def small_fit(run: Path) -> Callable[..., recsys.Engine]:
    """:func:`recsys.fit` on sixty users, with settings that train in seconds, in one run."""

    def fit_on_few(
        interactions: pd.DataFrame, items: pd.DataFrame, **options: Any
    ) -> recsys.Engine:
        log = interactions[interactions["user_id"] <= "u0060"]
        some = items[items["item_id"].isin(log["item_id"]) | (items["item_id"] <= "i0010")]
        image = {"name": "auto-encoder", "size": 16, "epochs": 1, "max_pictures": 64}
        spaces = ["two_tower", "text", "image"]
        settings = {**QUICK, "spaces": spaces, "image": image, "folder": run}
        return fit(log, some, **{**settings, **options})

    return fit_on_few


def demo_bundle(folder: Path) -> Bundle:
    """A bundle with ids as in the demo, published in ``folder`` at the demo's path."""
    rng = np.random.default_rng(0)
    items = [*(f"i{number:04d}" for number in range(1, 40)), "lamp-red-plain"]
    catalogue = pd.DataFrame(
        {
            "item_id": items,
            "title": ["red lamp", "blue rug"] * 20,
            "category": ["home|budget", "making"] * 20,
            "price": np.arange(40.0),
        }
    )
    log = pd.DataFrame(
        {
            "user_id": [
                ["c36", *(f"u{n:04d}" for n in range(1, 12))][number % 12] for number in range(120)
            ],
            "item_id": rng.choice(items, 120),
            "timestamp": np.arange(120),
        }
    )
    fields = CatalogueFields(
        title="title", text=("title",), categories=("category",), numbers=("price",)
    )
    ingested = ingest(log, catalogue, fields)
    publish(folder / BUNDLES, replace(made_parts(ingested=ingested), report=made_report()))
    return open_bundle(folder / BUNDLES)


def evaluation(folder: Path) -> Names:
    from recsys.evaluation import PopularityScorer

    rng = np.random.default_rng(1)
    log = pd.DataFrame(
        {
            "user_id": [f"u{number % 30}" for number in range(600)],
            "item_id": [f"i{number}" for number in rng.integers(0, 40, 600)],
            "timestamp": [1_704_067_200 + number * DAY // 5 for number in range(600)],
        }
    )
    interactions = ingest(log).interactions
    return {"interactions": interactions, "model": PopularityScorer(interactions)}


def index(folder: Path) -> Names:
    rng = np.random.default_rng(1)
    vectors = [rng.standard_normal((count, 8), np.float32) for count in (2000, 50, 3, 20)]
    return {
        **dict(zip(("item_vectors", "sample_queries", "queries", "other_queries"), vectors)),
        "seen_rows": [np.array([row], np.int32) for row in range(3)],
        "mask": np.ones(2000, bool),
        "new_rows": np.array([7, 2000]),
        "new_vectors": vectors[1][:2],
        "old_rows": np.array([3]),
    }


def bundle(folder: Path) -> Names:
    return {"root": folder / "bundles", "parts": made_parts()}


def snapshots(folder: Path) -> Names:
    with pytest.MonkeyPatch.context() as patch:
        use_table_towers(patch)
        publish(folder / "bundles", made_parts())
    return {"root": folder / "bundles"}


def collection(folder: Path) -> Names:
    (folder / "CISI.ALL").write_text(".I 1\n.T\nA title\n.W\nA body\n", encoding="utf-8")
    (folder / "CISI.QRY").write_text(".I 1\n.W\nA query\n", encoding="utf-8")
    (folder / "CISI.REL").write_text("1 1 0 0.0\n", encoding="utf-8")
    return {"folder": folder}


def defaults(folder: Path) -> Names:
    text = 'name = "shop"\n[data.interactions]\nformat = "csv"\npath = "visits.csv"\n'
    (folder / "shop.toml").write_text(text, encoding="utf-8")
    return {}


SETUPS: dict[str, Callable[[Path], Names]] = {
    "docs/explanation/defaults.md": defaults,
    "docs/explanation/evaluation.md": evaluation,
    "docs/explanation/index.md": index,
    "docs/explanation/snapshots.md": snapshots,
    "docs/how-to/rank-a-feed.md": snapshots,
    "docs/reference/bundle-format.md": bundle,
    "docs/reference/data-formats.md": collection,
}
