"""A shop of thirty items that a whole run gets through in seconds."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Literal

from PIL import Image

CONFIG = """
name = "tiny"
seed = 3
spaces = ["two_tower", "text", "image"]
[data]
pictures = "photos"
[data.interactions]
format = "csv"
path = "log.csv"
columns = { timestamp = "at" }
[data.items]
format = "csv"
path = "items.csv"
[data.searches]
format = "csv"
path = "searches.csv"
columns = { timestamp = "at", terms = "terms" }
[data.fields]
title = "title"
text = ["title"]
categories = ["colour"]
image = "photo"
[split]
protocol = "leave-last-out"
[text]
name = "word2vec"
dimension = 8
epochs = 2
[image]
name = "auto-encoder"
dimension = 8
size = 16
filters = [4, 8, 8]
epochs = 1
[towers]
dimension = 8
history = { name = "mean", window = 10 }
[train]
batch_positions = 128
epochs = 4
patience = 4
validate_every = 2
[evaluation]
ks = [5, 10]
resamples = 10
choose_by = "recall@5"
oracle = "world.json"
sheet_users = 2
[index]
search = { kind = "exact" }
"""
COLOURS = {"red": (200, 30, 30), "green": (30, 160, 40), "blue": (40, 60, 200)}


def write_tiny(
    folder: Path,
    *,
    users: int = 40,
    visits: int = 6,
    pictures: Literal["encode", "skip"] = "encode",
) -> Path:
    """Write the shop's files and its configuration; return the latter."""
    rng = random.Random(5)
    (folder / "photos").mkdir(parents=True)
    items = []
    for number in range(30):
        colour = list(COLOURS)[number % 3]
        picture = io.BytesIO()
        Image.new("RGB", (16, 16), COLOURS[colour]).save(picture, "PNG")
        (folder / f"photos/{number}.png").write_bytes(picture.getvalue())
        title = f"{colour} {rng.choice(['lamp', 'rug', 'mug'])}"
        items.append([f"i{number}", title, colour, f"{number}.png"])
    log, searches = [], []
    for user in range(users):
        liked = [item for item in items if item[2] == list(COLOURS)[user % 3]]
        for at, item in enumerate(rng.sample(liked, visits)):
            log.append([f"u{user}", item[0], str(1_700_000_000 + 100 * at + user)])
            if rng.random() < 0.3:
                searches.append([*log[-1], item[1]])
    _write(folder / "items.csv", ["item_id", "title", "colour", "photo"], items)
    _write(folder / "log.csv", ["user_id", "item_id", "at"], log)
    _write(folder / "searches.csv", ["user_id", "item_id", "at", "terms"], searches)
    (folder / "world.json").write_text('{"oracle": {"recall@5": 0.9, "test_interactions": 40}}')
    config = CONFIG
    if pictures == "skip":
        start, stop = config.index("[image]"), config.index("[towers]")
        config = (config[:start] + config[stop:]).replace(', "image"]', "]")
        config = config.replace('pictures = "photos"\n', "").replace('image = "photo"\n', "")
    (folder / "tiny.toml").write_text(config)
    return folder / "tiny.toml"


def _write(path: Path, header: list[str], lines: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *lines])
