"""What was found, as one picture: a line of thumbnails under each query."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from recsys.catalogue import Catalogue

WIDTH, HEIGHT, LINE = 120, 170, 22


def draw(path: Path, catalogue: Catalogue, queries: Sequence[str], rows: np.ndarray) -> None:
    """Write a PNG of each query and the pictures of its item rows, ``[queries, places]``."""
    size = (WIDTH * rows.shape[1], (HEIGHT + LINE) * len(queries))
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    for at, (query, found) in enumerate(zip(queries, rows.tolist())):
        top = at * (HEIGHT + LINE)
        pen.text((4, top + 4), query, fill="black")
        for place, row in enumerate(found):
            content = catalogue.image(row)
            if content is not None:
                picture = Image.open(io.BytesIO(content)).convert("RGB")
                picture.thumbnail((WIDTH - 4, HEIGHT - 4))
                sheet.paste(picture, (place * WIDTH, top + LINE))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
