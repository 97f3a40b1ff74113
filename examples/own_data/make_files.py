"""Makes the files of a small shop, as its systems would export them: two csv files and a folder of
pictures. It does not use recsys; replace the files with your own.

    python examples/own_data/make_files.py examples/own_data/files
"""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path

from PIL import Image, ImageDraw

COLOURS = {"red": (200, 40, 40), "green": (40, 150, 60), "blue": (50, 80, 200)}
THINGS = ["lamp", "chair", "vase", "rug", "clock", "mug", "shelf", "mirror"]
STYLES = ["plain", "striped", "dotted", "checked", "framed"]
SHOPPERS, VISITS = 150, 16


def make_files(folder: Path, seed: int = 7) -> None:
    """Write products.csv, visits.csv and photos/ into ``folder``."""
    rng = random.Random(seed)
    products = [
        {
            "sku": f"{thing}-{colour}-{style}",
            "name": f"{colour.title()} {style} {thing}",
            "about": f"A {style} {thing} in {colour} for the home",
            "kind": thing,
            "price": f"{rng.uniform(5, 90):.2f}",
            "photo": f"{thing}-{colour}-{style}.png",
        }
        for thing in THINGS
        for colour in COLOURS
        for style in STYLES
    ]
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    for product in products:
        _draw(product["sku"]).save(folder / "photos" / product["photo"])
    _write(folder / "products.csv", products)
    _write(folder / "visits.csv", _visits(products, rng))


def _visits(products: list[dict[str, str]], rng: random.Random) -> list[dict[str, str]]:
    """Visits; each shopper prefers one colour and two kinds of things."""
    lines = []
    for shopper in range(SHOPPERS):
        colour, kinds = rng.choice(list(COLOURS)), rng.sample(THINGS, 2)
        liked = [p for p in products if f"-{colour}-" in p["sku"] and p["kind"] in kinds]
        coloured = [p for p in products if f"-{colour}-" in p["sku"]]
        seconds = 1_700_000_000 + rng.randrange(20 * 86_400)
        looked = rng.sample(liked, 8) + rng.sample(coloured, VISITS - 8)
        rng.shuffle(looked)
        for product in looked:
            seconds += rng.randrange(60, 86_400)
            lines.append({"customer": f"c{shopper}", "sku": product["sku"], "at": str(seconds)})
    return sorted(lines, key=lambda line: int(line["at"]))


def _draw(sku: str) -> Image.Image:
    thing, colour, style = sku.split("-")
    picture = Image.new("RGB", (48, 48), (245, 245, 240))
    draw = ImageDraw.Draw(picture)
    inset = 4 + THINGS.index(thing)
    draw.rectangle((inset, 6, 48 - inset, 44), fill=COLOURS[colour])
    if style == "striped":
        for x in range(inset, 48 - inset, 6):
            draw.line((x, 6, x, 44), fill=(255, 255, 255), width=2)
    elif style == "dotted":
        for x in range(inset + 3, 46 - inset, 8):
            for y in range(10, 42, 8):
                draw.ellipse((x, y, x + 3, y + 3), fill=(255, 255, 255))
    elif style == "checked":
        for offset in range(12, 44, 8):
            draw.line((inset, offset, 48 - inset, offset), fill=(20, 20, 20))
            draw.line((offset, 6, offset, 44), fill=(20, 20, 20))
    elif style == "framed":
        draw.rectangle((inset, 6, 48 - inset, 44), outline=(20, 20, 20), width=4)
    return picture


def _write(path: Path, lines: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    make_files(parser.parse_args().folder)
