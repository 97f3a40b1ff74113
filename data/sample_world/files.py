"""Writes a sample world to disk, byte for byte the same for the same seed and libraries."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

_ZIP_DATE = (2024, 1, 1, 0, 0, 0)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a csv or a parquet file, by the suffix."""
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False, compression="zstd")
    else:
        table.to_csv(path, index=False, lineterminator="\n")


def write_pictures(names: list[str], pictures: list[Image.Image], path: Path) -> None:
    """Write one PNG per picture under its name, all with one fixed date."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, picture in zip(names, pictures, strict=True):
            buffer = io.BytesIO()
            picture.save(buffer, "PNG", optimize=True)
            archive.writestr(zipfile.ZipInfo(name, date_time=_ZIP_DATE), buffer.getvalue())


def write_json(content: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8", newline="\n")
