"""A picture of the auto-encoder's inputs and reconstructions, for the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from recsys._tf import tf
from recsys.encoders.illustrations import write_illustration
from recsys.ids import Vectors
from recsys.pictures.decoding import Pixels

SHOWN, SIDE, GAP, MARGIN, LABEL = 12, 96, 10, 88, 22
"""Columns, and sizes in pixels."""

INK, SOFT = "#1f2933", "#616e7c"
BATCH = 256


def write_reconstructions(folder: Path, pixels: Pixels, codes: Vectors, decoder: Any) -> None:
    """Write the illustration ``reconstructions`` into ``folder``.

    It shows the pictures at even steps of the rank by error, from the best to the worst.
    """
    errors = _errors(pixels, codes, decoder)
    steps = np.linspace(0, len(errors) - 1, min(SHOWN, len(errors))).round().astype(int)
    rows = np.argsort(errors, kind="stable")[steps]
    outputs = np.round(_decoded(decoder, codes[rows]) * 255).astype(np.uint8)
    mean, plain = float(errors.mean()), _variance(pixels)
    explained = f" ({1 - mean / plain:.0%} of the variance is explained)" if plain > 0 else ""
    caption = (
        f"Above, training pictures; below, their reconstructions from {codes.shape[1]} numbers; "
        "under each its mean squared error, pixels from 0 to 1. From the best of all "
        f"{len(errors):,} pictures to the worst, at even steps of the rank. The mean error is "
        f"{mean:.4f}; that of the mean picture is {plain:.4f}{explained}."
    )
    sheet = _sheet(pixels[rows], outputs, errors[rows])
    title = "Reconstructions of the auto-encoder"
    write_illustration(folder, "reconstructions", sheet, title=title, caption=caption)


def _decoded(decoder: Any, codes: Vectors) -> Vectors:
    return np.asarray(decoder(tf.constant(codes), training=False), np.float32)


def _errors(pixels: Pixels, codes: Vectors, decoder: Any) -> npt.NDArray[np.float64]:
    """The mean squared error of each picture, float64 ``[n]``."""
    found = [np.zeros(0)]
    for start in range(0, len(pixels), BATCH):
        targets = pixels[start : start + BATCH] / np.float32(255)
        differences = _decoded(decoder, codes[start : start + BATCH]) - targets
        found.append(np.square(differences).mean(axis=(1, 2, 3), dtype=np.float64))
    return np.concatenate(found)


def _variance(pixels: Pixels) -> float:
    """The mean squared error of the mean picture."""
    total, squares = np.zeros(pixels.shape[1:]), np.zeros(pixels.shape[1:])
    for start in range(0, len(pixels), BATCH):
        part = pixels[start : start + BATCH] / np.float32(255)
        total += part.sum(axis=0, dtype=np.float64)
        squares += np.square(part).sum(axis=0, dtype=np.float64)
    count = len(pixels)
    return max(0.0, float((squares / count - np.square(total / count)).mean()))


def _sheet(originals: Pixels, outputs: Pixels, errors: npt.NDArray[np.float64]) -> Image.Image:
    """Two rows of pictures, enlarged without smoothing, and a row of figures."""
    columns = len(errors)
    width = MARGIN + columns * (SIDE + GAP) - GAP + 2
    sheet = Image.new("RGB", (width, 2 * (SIDE + GAP) + LABEL), "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for row, (name, pictures) in enumerate((("original", originals), ("decoded", outputs))):
        top = row * (SIDE + GAP)
        pen.text((0, top + SIDE // 2), name, fill=INK, font=font, anchor="lm")
        for column, picture in enumerate(pictures):
            large = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            sheet.paste(large, (MARGIN + column * (SIDE + GAP), top))
    base = 2 * (SIDE + GAP)
    pen.text((0, base + 4), "error", fill=SOFT, font=font, anchor="lt")
    for column, error in enumerate(errors):
        middle = MARGIN + column * (SIDE + GAP) + SIDE // 2
        pen.text((middle, base + 4), f"{error:.4f}", fill=SOFT, font=font, anchor="mt")
    return sheet
