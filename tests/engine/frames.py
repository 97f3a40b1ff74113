"""DataFrames of the tiny shop, with odd names, and settings that train in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from tests.pipeline.tiny import write_tiny

QUICK: dict[str, Any] = {
    "seed": 3,
    "spaces": ["two_tower", "text"],
    "split": {"protocol": "leave-last-out"},
    "text": {"name": "bag-of-words"},
    "towers": {"dimension": 8, "history": {"name": "mean", "window": 10}},
    "train": {"batch_positions": 128, "epochs": 2, "validate_every": 2},
    "evaluation": {"ks": [5, 10], "resamples": 10, "choose_by": "recall@5", "sheet_users": 2},
    "index": {"search": {"kind": "exact"}, "queries": 50},
}


def shop_frames(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The log, whose users are integers and whose times are in a time zone, and the items."""
    write_tiny(folder)
    log, items = pd.read_csv(folder / "log.csv"), pd.read_csv(folder / "items.csv")
    visits = pd.DataFrame(
        {
            "Customer No": range(len(log)),
            "customerId": log["user_id"].str[1:].astype(int),
            "SKU": log["item_id"].astype("category"),
            "visited at": pd.to_datetime(log["at"], unit="s", utc=True),
        }
    )
    products = items.rename(columns={"item_id": "sku", "title": "Name"})
    return visits, products.assign(price=range(len(products)))
