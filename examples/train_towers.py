"""Train two towers on a generated log, encode queries, save the towers and load them.

Run ``python examples/train_towers.py``. Every user walks round a circle of eight items, so that the
next item is known: item 5 follows item 4.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.towers import (
    AnyTowers,
    QueryBatch,
    TowersConfig,
    TrainConfig,
    TransformerHistory,
    fit,
    load_towers,
)

ITEMS, USERS, LENGTH = 8, 24, 12


def log_of_walks() -> Interactions:
    """24 users, each with 12 items in a row."""
    user = np.repeat(np.arange(USERS), LENGTH)
    step = np.tile(np.arange(LENGTH), USERS)
    return Interactions.of(
        IdMap.of("user", [f"user-{row}" for row in range(USERS)]),
        IdMap.of("item", [f"item-{row}" for row in range(ITEMS)]),
        user=user,
        item=(user + step) % ITEMS,
        time=step,
        clock="position",
    )


def share_right(towers: AnyTowers) -> float:
    """Share of histories whose next item ranks first."""
    histories = [np.array([at, (at + 1) % ITEMS], np.int32) for at in range(ITEMS)]
    scores = towers.encode(QueryBatch.of(histories)) @ towers.item_vectors.T
    return float(np.mean(scores.argmax(axis=1) == (np.arange(ITEMS) + 2) % ITEMS))


def main() -> None:
    """Train, save, load and encode a query."""
    log = log_of_walks()
    config = TowersConfig(
        dimension=16, history=TransformerHistory(window=4, blocks=1, heads=1), terms="none"
    )
    with tempfile.TemporaryDirectory() as folder:
        fitted = fit(
            log,
            towers=config,
            train=TrainConfig(
                batch_positions=128, learning_rate=0.02, epochs=40, validate_every=5, patience=10
            ),
            folder=Path(folder) / "run",
            validate=share_right,
        )
        fitted.towers.save(Path(folder) / "towers")
        towers = load_towers(Path(folder) / "towers")
    history = log.items.rows(["item-3", "item-4"])
    scores = (towers.encode(QueryBatch.of([history])) @ towers.item_vectors.T)[0]
    print(f"after item-3, item-4 comes {log.items.id(int(scores.argmax()))}")
    print(f"right for {share_right(towers):.0%} of the items")


if __name__ == "__main__":
    main()
