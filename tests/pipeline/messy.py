"""A shop with the faults of real exports, and a ledger of what ingestion must report and keep."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
from PIL import Image

CONFIG = """
name = "messy"
seed = 3
[data]
pictures = "photos"
[data.interactions]
format = "csv"
path = "events.tsv"
[data.interactions.columns]
user = "visitor"
item = "product"
timestamp = "when"
event = "kind"
weight = "quantity"
context = ["device", "note"]
[data.searches]
format = "csv"
path = "searches.csv"
columns = { timestamp = "at", terms = "words", date_format = "%d/%m/%Y %H:%M:%S" }
[data.items]
format = "csv"
path = "items.csv"
encoding = "cp1252"
columns = ["title", "tags", "price", "photo"]
[data.fields]
title = "title"
text = ["title"]
categories = ["tags"]
numbers = ["price"]
image = "photo"
[data.policy]
bad_rows = "skip"
unknown_items = "skip"
duplicate_items = "keep-first"
duplicate_interactions = "drop-exact"
events = { view = 0.1, cart = 0.5, purchase = 1, search = 0.1 }
[split]
protocol = "leave-last-out"
target_events = ["purchase"]
repeats = "keep-strongest"
[text]
name = "bag-of-words"
[image]
name = "auto-encoder"
dimension = 4
size = 16
filters = [4, 4, 4]
epochs = 1
[towers]
dimension = 8
history = { name = "mean", window = 10 }
[train]
batch_positions = 1024
epochs = 1
[evaluation]
ks = [10]
resamples = 5
baselines = []
sheet_users = 0
[index]
search = { kind = "exact" }
"""
LISTS = """
[data.items]
format = "parquet"
path = "items.parquet"
"""
START = 1_700_000_000
TITLES = ("Lampe à pied", 'Screen 24" wide', "Café – crème", "Œuf; dur", "Rug")
PRICES = {"19,99": None, "1,299.00": None, "EUR 5": None, "inf": None, "12.50": 12.5, "": None}
"""Prices as written, and as read without keys."""
TIMES = (
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S UTC",
    "%Y-%m-%dT%H:%M:%S+00:00",
    "%Y%m%dT%H%M%S",
    "%Y%m%d%H%M%S",
)
NOTES = ("", "", 'fits 5" pipes', '"', '"best', 'a "good" one')
WEIGHTS = {"view": 0.1, "cart": 0.5, "purchase": 1.0, "search": 0.1}
FAULTS = {
    "visitor": {
        "": ("", "missing user_id"),
        "  ": ("", "user_id is blank"),
        "v" * 600: ("", "user_id is longer than 512 characters"),
    },
    "product": {
        "": ("", "missing item_id"),
        "9999999": ("", "the item is not in the items table"),
        "9999999.0": ("", "the item is not in the items table"),
    },
    "when": {
        "": ("", "missing timestamp"),
        "31/12/2023 10:00": ("timestamp", "expected a date"),
        "2023-13-45": ("timestamp", "expected a date"),
        "soon": ("timestamp", "expected a date"),
    },
    "kind": {"refund": ("", "event not kept"), "": ("", "event not kept")},
    "quantity": {
        "0": ("", "the weight is not above 0"),
        "-1": ("", "the weight is not above 0"),
        "two": ("weight", "expected a number"),
        "1,5": ("weight", "expected a number"),
        "": ("", "the weight is not a finite number"),
        "inf": ("", "the weight is not a finite number"),
    },
}
"""Faults of an event that leave it out, by column and value: column and kind of reason."""


_ODD_NAMES = {
    "none": ("", "not named"),
    "absent": ("nowhere.png", "not in the store"),
    "absolute": ("/srv/p.png", "the name is absolute"),
    "long": ("p" * 3_000, "the name cannot be a file's"),
    "url": ("https://example.org/p.png", "the name is a URL"),
    "outside": ("../p.png", "the name leads out"),
}


@dataclass
class Ledger:
    """What ingestion must report and keep.

    Attributes:
        lost: Rows that are left out, by table, column and kind of reason.
        missing: Values that are read as missing, by table, column and kind of reason.
        unpictured: Items whose picture is not found, by kind of reason.
        undecoded: Items whose picture cannot be decoded.
        read: Number of rows of each table.
        items: Title, tags and price of each item that is kept.
        events: User, item, time, kind, weight, device, note and terms of each interaction.
        joined: Number of searches that give an event its terms.
    """

    lost: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    missing: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unpictured: Counter[str] = field(default_factory=Counter)
    undecoded: set[str] = field(default_factory=set)
    read: Counter[str] = field(default_factory=Counter)
    items: dict[str, tuple[str, str, float | None]] = field(default_factory=dict)
    events: Counter[tuple[object, ...]] = field(default_factory=Counter)
    joined: int = 0


def write_messy(folder: Path, *, items: int, events: int, seed: int = 7) -> Ledger:
    """Write the shop's files and its configurations; return what must become of them.

    ``lists.toml`` reads the items from parquet, where tags and pictures are lists with nulls and
    ids are floats, and ``messy.toml`` from csv.
    """
    rng, ledger = random.Random(seed), Ledger()
    (folder / "photos").mkdir(parents=True)
    _write_items(folder, items, rng, ledger)
    searches = _write_events(folder, events, rng, ledger)
    _write_searches(folder, searches, rng, ledger)
    (folder / "messy.toml").write_text(CONFIG, encoding="utf-8-sig")
    start, stop = CONFIG.index("[data.items]"), CONFIG.index("[data.fields]")
    lists = CONFIG[:start] + LISTS + CONFIG[stop:]
    (folder / "lists.toml").write_text(lists.replace('"messy"', '"lists"'))
    return ledger


def _write_items(folder: Path, count: int, rng: random.Random, ledger: Ledger) -> None:
    lines: list[list[str]] = []
    for number in range(count):
        item = str(100 + number)
        title, price = rng.choice(TITLES), rng.choice([*["12.50"] * 5, *PRICES])
        tags = rng.choice(["red", "red|blue", "", "|green"])
        lines.append([item, title, tags, price, _photo(folder, item, rng, ledger), "", ""])
        ledger.items[item] = (title, tags, PRICES[price])
        ledger.missing["items", "price", "not a finite number"] += bool(price and not PRICES[price])
        if rng.random() < 0.03:  # an older state of the item, which is left out with its price
            lines.append([item, "Old title", "old", rng.choice(list(PRICES)), "old.png", "", ""])
            ledger.lost["items", "", "the item_id is in the table more than once"] += 1
        if rng.random() < 0.02:
            lines.append(["", "No id", "", "EUR 5", "", "", ""])
            ledger.lost["items", "", "missing item_id"] += 1
    ledger.read["items"] = len(lines)
    header = ["item_id", "title", "tags", "price", "photo", "", ""]
    with (folder / "items.csv").open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *lines])
    table = {name: [line[at] for line in lines] for at, name in enumerate(header[:5])}
    table["item_id"] = [float(each) if each else None for each in table["item_id"]]
    table["tags"] = [[tag or None for tag in tags.split("|")] for tags in table["tags"]]
    table["photo"] = [[name, None] for name in table["photo"]]
    pyarrow.parquet.write_table(pa.table(table), folder / "items.parquet")


def _photo(folder: Path, item: str, rng: random.Random, ledger: Ledger) -> str:
    """Name of the item's picture, which is written if there is one."""
    kind = rng.choice(
        [*["good"] * 8, "none", "absent", "absolute", "long", "url", "outside", "broken"]
    )
    if kind in ("good", "broken"):
        content = io.BytesIO()
        Image.new("RGB", (16, 16), rng.choice(["red", "green", "blue"])).save(content, "PNG")
        whole = content.getvalue()
        faulty = rng.choice([b"", whole[:40], b"<html>", bytes(100)])
        (folder / f"photos/{item}.png").write_bytes(whole if kind == "good" else faulty)
        ledger.undecoded |= {item} if kind == "broken" else set()
        return f"{item}.png"
    name, reason = _ODD_NAMES[kind]
    ledger.unpictured[reason] += 1
    return name


def _write_events(
    folder: Path, count: int, rng: random.Random, ledger: Ledger
) -> dict[tuple[str, str, int], tuple[object, ...]]:
    """Write the log; return the events that may follow a search."""
    known, lines = list(ledger.items), []
    good: dict[tuple[str, str, int], tuple[object, ...]] = {}
    kinds = ["view"] * 6 + ["cart"] * 2 + ["purchase"] * 2
    for number in range(count):
        user, item = f"v{rng.randrange(max(20, count // 15))}", rng.choice(known)
        time, kind = START + 61 * number, rng.choice(kinds)
        quantity, device = rng.choice(["1", "2", "1.0"]), rng.choice(["phone", "desk", "", " "])
        note = rng.choice(NOTES)
        row = {"visitor": user, "product": item + rng.choice(["", ".0"]), "kind": kind}
        row |= {"when": _moment(time, rng.choice(TIMES)), "quantity": quantity}
        row |= {"device": device, "note": note}
        fault = rng.choice(list(FAULTS)) if rng.random() < 0.1 else ""
        if fault:
            row[fault] = rng.choice(list(FAULTS[fault]))
            column, reason = FAULTS[fault][row[fault]]
            ledger.lost["interactions", column, reason] += 1
        lines.append(row)
        if fault:
            continue
        ledger.missing["interactions", "device", "blank or longer"] += device == " "
        weight = WEIGHTS[kind] * float(quantity)
        good[user, item, time] = (user, item, time, kind, weight, device.strip(), note)
        if rng.random() < 0.05:
            lines.append(row)
            ledger.lost["interactions", "", "the same user, item, time and event again"] += 1
    ledger.read["interactions"] = len(lines)
    names = ["visitor", "product", "when", "kind", "quantity", "device", "note"]
    text = [
        "\t".join([*names, "", ""]),
        *("\t".join([*map(row.get, names), "", ""]) for row in lines),
    ]
    (folder / "events.tsv").write_text("\n".join(text) + "\n", encoding="utf-8-sig")
    return good


def _write_searches(
    folder: Path,
    events: dict[tuple[str, str, int], tuple[object, ...]],
    rng: random.Random,
    ledger: Ledger,
) -> None:
    lines: list[list[str]] = []
    terms: dict[tuple[str, str, int], str] = {}
    for user, item, time in events:
        drawn, words = rng.random(), rng.choice(['24" screen', "café, crème", "rug"])
        at = _moment(time, "%d/%m/%Y %H:%M:%S")
        if drawn < 0.05:
            lines.append([user, item, at, words])
            terms[user, item, time] = words
        elif drawn < 0.07:
            lines.append([user, item, "2023-02-30", words])
            ledger.lost["searches", "timestamp", "expected a time"] += 1
        elif drawn < 0.08:
            lines.append([user, "8888888", at, words])
            ledger.lost["searches", "", "the item is not in the items table"] += 1
        elif drawn < 0.09:
            lines.append([user, item, _moment(time + 7, "%d/%m/%Y %H:%M:%S"), words])
            ledger.events[user, item, time + 7, "search", 0.1, "", "", words] += 1
    ledger.events.update((*event, terms.get(key, "")) for key, event in events.items())
    ledger.read["searches"], ledger.joined = len(lines), len(terms)
    with (folder / "searches.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([["user_id", "item_id", "at", "words"], *lines])


def _moment(time: int, written: str) -> str:
    return datetime.fromtimestamp(time, timezone.utc).strftime(written)
