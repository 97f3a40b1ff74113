"""Makes the embedded sample set: a small pin-board world with a known rule and best recall.

`python data/make_sample.py` rewrites data/sample/ and prints the oracle's figures. data/README.md
describes the rule, which data/sample_world/ implements.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sample_world import files, grammar, oracle, pictures, world
from sample_world.parameters import Parameters

FOLDER = Path(__file__).resolve().parent


def make_sample(parameters: Parameters, out: Path) -> dict[str, Any]:
    """Make a world and write its five files to `out`; return the content of world.json."""
    seeds = np.random.SeedSequence(parameters.seed).spawn(5)
    world_rng, play_rng, word_rng, picture_rng, search_rng = map(np.random.default_rng, seeds)

    drawn = world.make_world(parameters, world_rng)
    tally = oracle.OracleTally(drawn)
    draws = []
    for step in world.play(drawn, play_rng):
        tally.see(step)
        draws.append((step.user, step.timestamp, step.item))

    item_ids = np.array([f"i{number + 1:04d}" for number in range(parameters.items)])
    catalogue = _catalogue(drawn.items, item_ids, word_rng)
    interactions, item_numbers = _interactions(np.array(draws, dtype=np.int64), item_ids)
    searches = _searches(interactions, item_numbers, drawn, catalogue, search_rng)
    images = pictures.draw_pictures(drawn.items.traits["style"], picture_rng)
    summary = {
        "format": 1,
        "parameters": dataclasses.asdict(parameters),
        "validation_from": drawn.validation_from,
        "test_from": drawn.test_from,
        "oracle": tally.figures(),
        "cold_items": item_ids[drawn.items.cold].tolist(),
    }

    out.mkdir(parents=True, exist_ok=True)
    files.write_table(catalogue, out / "items.csv")
    files.write_table(interactions, out / "interactions.parquet")
    files.write_table(searches, out / "searches.csv")
    files.write_pictures(catalogue["image"].tolist(), images, out / "pictures.zip")
    files.write_json(summary, out / "world.json")
    return summary


def _catalogue(items: world.Items, ids: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Words, category, price and picture name; the only trait used here is the topic."""
    topics = items.traits["topic"]
    texts = grammar.item_texts(topics, rng)
    return pd.DataFrame(
        {
            "item_id": ids,
            "title": [title for title, _ in texts],
            "description": [description for _, description in texts],
            "category": grammar.item_categories(topics, rng),
            "price": grammar.item_prices(len(ids), rng),
            "image": [f"{item_id}.png" for item_id in ids],
        }
    )


def _interactions(draws: np.ndarray, item_ids: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """All draws (user, timestamp, item number) in time order, and the item number of each row."""
    users, timestamps, numbers = draws.T
    order = np.lexsort((users, timestamps))
    table = pd.DataFrame(
        {
            "user_id": [f"u{number + 1:04d}" for number in users[order]],
            "item_id": item_ids[numbers[order]],
            "timestamp": timestamps[order],
        }
    )
    return table, numbers[order]


def _searches(
    interactions: pd.DataFrame,
    item_numbers: np.ndarray,
    drawn: world.World,
    catalogue: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The search that led to each of a random share of the interactions."""
    topics = drawn.items.traits["topic"]
    texts = (catalogue["title"] + " " + catalogue["description"]).tolist()
    count = round(drawn.parameters.search_share * len(interactions))
    rows = np.sort(rng.choice(len(interactions), size=count, replace=False))
    searched = item_numbers[rows]
    table = interactions.iloc[rows].reset_index(drop=True)
    table["terms"] = [grammar.search_terms(topics[i], texts[i], rng) for i in searched]
    return table[["user_id", "terms", "item_id", "timestamp"]]


def _arguments() -> argparse.Namespace:
    sizes = Parameters()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=FOLDER / "sample", help="folder to write to")
    for name in ("seed", "users", "items", "interactions"):
        parser.add_argument(f"--{name}", type=int, default=getattr(sizes, name))
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    sizes = {name: value for name, value in vars(arguments).items() if name != "out"}
    summary = make_sample(Parameters(**sizes), arguments.out)
    print(json.dumps(summary["oracle"], indent=2))


if __name__ == "__main__":
    main()
