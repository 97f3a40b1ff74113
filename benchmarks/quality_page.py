"""The figures of ``docs/quality.md``, written from the records of ``benchmarks/results``.

``python -m benchmarks.quality`` and ``python -m benchmarks.levers`` write them when they have
merged; ``python -m benchmarks.quality_page`` alone writes them again. What has no record is not
mentioned.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.levers import cold
from benchmarks.levers.tables import Row, rows
from benchmarks.levers.world import BASE, World
from benchmarks.levers.worlds import WORLDS
from benchmarks.page import filled, table
from benchmarks.quality.datasets import DATA_SETS
from benchmarks.quality.results import columns
from recsys.files import read_json, write_text

PAGE = Path("docs/quality.md")
QUALITY = Path("benchmarks/results/quality.json")
LEVERS = Path("benchmarks/results/levers.json")
Record = Mapping[str, Any]
TITLES = {"beauty": "Amazon Beauty", "movielens-1m": "MovieLens-1M", "gowalla": "Gowalla"}
NAMES = {
    "ours": "**ours**",
    "als": "ALS (implicit)",
    "bpr": "BPR (implicit)",
    "item_knn": "item-kNN (implicit)",
    "ease": "EASE",
    "tfrs_tutorial": "TFRS' retrieval tutorial",
    "sasrec_rectools": "SASRec (RecTools)",
    "promised": "*to be reached*",
}


MEASURED = "## On the test"
ONE_CORE = "Ours had one of the two cores, and the other was busy."
NOTES = {
    "movielens-1m": ONE_CORE,
    "gowalla": "All vectors and factors have 64 dimensions, as in the published table. What was"
    " chosen on validation is trained anew on training and validation together, as published.\n\n"
    "**The lists are in the order in which their users came to the places, and the test is what"
    " came next.** The models published on these files read sets. Neighbours in a list are far more"
    " alike than any two in it; the test's places are most like the end of the list, the validation"
    " file's, a random draw, like its middle (`python -m benchmarks.split_shift`, which looks at"
    " the test for that; it also tells how the popularity of places moves). So the validation file"
    " cannot tell what the order is worth: by it, towers that read it and towers that do not are"
    " alike (NDCG@20 0.125). What reads the order was chosen on the last fifth of each *training*"
    " list (`python -m benchmarks.levers --dataset gowalla-order`), all else on the validation"
    " file.\n\n"
    f"{ONE_CORE}",
}
ABLATION = """## What each lever is worth

The base is one pair of towers of the preset; every other line is the base with one thing removed or
replaced, and the losers are left in. All of it is judged **on validation**: this is how settings
are chosen, and the test was not looked at. The base has three seeds, which tell the spread; another
line has one where no spread stands beside it, so that two standard deviations are not yet a
difference. Each lever has one setting, that of its paper or the engine's default, and was not tuned
any further: what loses here may win elsewhere. Minutes are those of one core with more or less
work beside it, and tell no more than an order of magnitude."""
COLD = """## Items that training never met

A tenth of the items of Amazon Beauty is withheld from training altogether, and of each user the
last two of the others, so that one training tells of both (`cold-items` with `warm = "last"`, see
[evaluation](evaluation.md)). Recall of warm targets ranks them among *all* items, cold recall ranks
cold targets among the cold ones. The test, three seeds each; one pair of towers, the preset's but
for what they read. Towers with content leave out half of the ids in each step, so that content
learns to stand for them; those without are shown with and without that, and the better by
validation is what the others are held against."""


def write(quality: Path = QUALITY, levers: Path = LEVERS, page: Path = PAGE) -> None:
    """Put the figures of both records between the comments of the page."""
    parts = sections(_record(quality), _record(levers))
    write_text(page, filled(page.read_text(encoding="utf-8"), parts))


def sections(quality: Record | None, levers: Record | None) -> dict[str, str]:
    """The written parts of the page, by name; empty where there is no record."""
    others = [world for world in WORLDS.values() if world.name != cold.NAME]
    return {
        "figures": _joined(
            MEASURED, [_figures(quality, name) for name in DATA_SETS] if quality else []
        ),
        "levers": _joined(ABLATION, [_levers(levers, world) for world in others] if levers else []),
        "cold": _cold(levers) if levers else "",
    }


def _figures(record: Record, name: str) -> str:
    """A data set: ours, the peers, what was published and what is to be reached."""
    measured = [part for part in record["parts"] if part.split(".")[0] == name]
    if not measured:
        return ""
    metrics = DATA_SETS[name].metrics
    header = ["model", *map(_metric, metrics), "minutes", "GiB"]
    lines = []
    for model, cells in columns(dict(record), name, metrics):
        shown = [f"**{cell}**" if model == "ours" and cell else cell for cell in cells]
        lines.append([NAMES.get(model, model), *shown])
    told = [f"### {TITLES[name]}", table(header, lines)]
    if name in NOTES:
        told.append(NOTES[name])
    if name in record["parts"]:
        told.append(_width(record["parts"][name]["settings"], record["parts"][name]["seeds"]))
    for peer, why in record["left_out"].items():
        data, model = peer.split(".")
        if data == name:
            told.append(f"{NAMES[model]} is not run here: {why}.")
    return "\n\n".join(told)


def _width(settings: Mapping[str, Any], seeds: list[int]) -> str:
    """How wide a vector of ours is, and why."""
    width, pairs = settings["towers"]["dimension"], len(settings["train"]["members"])
    spread = f"mean and standard deviation of {len(seeds)} seeds" if len(seeds) > 1 else "one seed"
    if settings["train"].get("distillation") is not None:
        teachers = "a pair of towers" if pairs < 2 else f"{pairs} pairs of towers"
        return (
            f"Ours is a student of {width} numbers a user and an item, taught by {teachers} and a"
            f" filter of items x items; the minutes are those of all of it; {spread}."
        )
    if not pairs:
        return f"Ours is one pair of towers with vectors of {width} numbers; {spread}."
    joined = f"{pairs * width}"
    return (
        f"Ours is {pairs} pairs of towers, each with vectors of {width} numbers, joined into one of"
        f" {joined}; the minutes are those of all {pairs}; {spread}."
    )


def _levers(record: Record, world: World) -> str:
    found = rows(record, world)
    if not found:
        return ""
    header = ["", "what it is", *map(_metric, world.metrics), "in std of the base", "minutes"]
    lines = [_lever(row) for row in found]
    stopped = [
        f"`{row.name}` stopped: {record['parts'][f'{world.name}.{row.name}']['stopped']}."
        for row in found
        if row.beside == "stopped"
    ]
    notes = [world.note] if world.note else []
    return "\n\n".join([f"### {world.title}", *notes, table(header, lines), *stopped])


def _lever(row: Row) -> list[str]:
    cells = [f"`{row.name}`", row.told, *row.figures, row.beside, row.minutes]
    return [f"**{cell}**" if cell else "" for cell in cells] if row.name == BASE else cells


def _cold(record: Record) -> str:
    world, figures = WORLDS[cold.NAME], record["figures"]
    found = rows(record, world)
    if not found:
        return ""
    header = ["towers read", "recall@10 of warm targets", "cold recall@10", "minutes"]
    lines = [[row.told, *row.figures, row.minutes] for row in found]
    chance = f"{cold.NAME}.chance.{cold.COLD}"
    if chance in figures:
        lines.append(["chance", "", f"{figures[chance]:.4f}", ""])
    told = [COLD, table(header, lines)]
    gap = figures.get(f"{cold.NAME}.no_loss")
    if gap is not None:
        outcome = "no loss" if gap >= -1 else "a loss"
        told.append(
            f"With words warm items are found {gap:+.1f} standard deviations better than by ids"
            f" alone: {outcome}."
        )
    return "\n\n".join(told)


def _metric(name: str) -> str:
    metric, k = name.split("@")
    return f"{'Recall' if metric == 'recall' else metric.upper()}@{k}"


def _joined(heading: str, found: list[str]) -> str:
    """The parts that are there below their heading; nothing where none is there."""
    there = [part for part in found if part]
    return "\n\n".join([heading, *there]) if there else ""


def _record(path: Path) -> Record | None:
    if not path.is_file():
        return None
    record: Record = read_json(path)
    return record


if __name__ == "__main__":
    write()
