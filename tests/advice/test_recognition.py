"""The advice of tables whose columns are not recognised is followed in Python and by ``init``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from recsys.cli import main
from recsys.engine.fitting import EngineInputs
from recsys.errors import DataError

LOG = pd.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "y"], "timestamp": [1, 2]})
ITEMS = pd.DataFrame({"item_id": ["x", "y"], "title": ["red lamp", "blue mug"]})
SEARCHES = LOG.assign(query=["red", "blue"])

# Tables with a column that is renamed, the meaning of it, and the table that the message names.
ROWS = [
    ({"interactions": LOG.rename(columns={"user_id": "zq"})}, "user", "zq"),
    ({"interactions": LOG.rename(columns={"item_id": "zq"})}, "item", "zq"),
    ({"interactions": LOG.assign(userid=["c", "d"])}, "user", "userid"),
    (
        {
            "interactions": LOG.drop(columns="timestamp").assign(
                zq=pd.to_datetime(["2024-01-01", "2024-01-02"]),
                zw=pd.to_datetime(["2024-01-01", "2024-01-02"]),
            )
        },
        "timestamp",
        "zq",
    ),
    ({"interactions": LOG, "items": ITEMS.rename(columns={"item_id": "zq"})}, "item", "zq"),
    ({"interactions": LOG, "searches": SEARCHES.rename(columns={"query": "zq"})}, "terms", "zq"),
    (
        {"interactions": LOG, "searches": SEARCHES.rename(columns={"user_id": "zq"})},
        "user",
        "zq",
    ),
]


@pytest.mark.parametrize(("tables", "meaning", "column"), ROWS)
def test_the_advice_is_followed(
    tables: dict[str, Any], meaning: str, column: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as raised:
        EngineInputs.of(**tables)
    keyword = "fields" if "items" in tables else "columns"
    assert f"{keyword}={{'{meaning}': ...}}" in raised.value.message
    EngineInputs.of(**tables, **{keyword: {meaning: column}})

    option = f"--{keyword[:-1]}"
    assert f"(recsys init: {option} {meaning}=...)" in raised.value.message
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    files = [str(tmp_path / f"{name}.csv") for name in tables]
    if "searches" in tables:
        files.insert(1, "--searches")
    with pytest.raises(SystemExit) as ended:
        main(["init", *files, option, f"{meaning}={column}"])
    assert not ended.value.code
