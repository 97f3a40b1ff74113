"""Cuts MovieLens-1M into the two streams of ``benchmarks.transfer``: a large one and a small one.

A fifth of the films, drawn once, is the small stream's; all others are the organic stream's. Each
user's sequence is cut in time after four fifths of it: the organic stream is what lies before the
cut, and the small one begins there, so that users' vectors know nothing of its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

FIFTH, EARLY, SMALL, VALIDATION = 0.2, 0.8, 0.01, 0.2
"""The share of the films; of each user's sequence before the cut; of the fifth's interactions; of
the users who choose."""
FILMS_SEED = 0


@dataclass(frozen=True)
class Streams:
    """The two streams.

    Attributes:
        organic: user_id, item_id, position: the other films, before the cut.
        small: The same of the fifth's films, after the cut.
        size: How many interactions of the small stream are learned from.
    """

    organic: pd.DataFrame
    small: pd.DataFrame
    size: int


def cut_streams(sequences: pd.DataFrame) -> Streams:
    """The streams of a table of user_id, item_id and position."""
    films = np.sort(sequences["item_id"].unique())
    rng = np.random.default_rng(FILMS_SEED)
    fifth = rng.permutation(films)[: round(FIFTH * len(films))]
    by_user = sequences.groupby("user_id")["position"]
    early = by_user.rank(method="first") <= EARLY * by_user.transform("size")
    of_fifth = sequences["item_id"].isin(fifth)
    size = round(SMALL * int(of_fifth.sum()))
    return Streams(sequences[~of_fifth & early], sequences[of_fifth & ~early], size)


def small_stream(streams: Streams, seed: int) -> pd.DataFrame:
    """The small stream with the column ``part``.

    As many as a hundredth of the fifth's interactions are drawn to learn from. Of the others, those
    of a fifth of the users choose settings and epochs, and those of the other users are the test.
    """
    rng = np.random.default_rng(seed)
    stream = streams.small.sort_values(["user_id", "position"], ignore_index=True)
    users = rng.permutation(stream["user_id"].unique())
    choosing = stream["user_id"].isin(users[: round(VALIDATION * len(users))])
    part = np.where(choosing, "validation", "test").astype(object)
    part[rng.permutation(len(stream))[: streams.size]] = "train"
    return stream.assign(part=part)


def write_streams(sequences: Path, items: Path, folder: Path, seeds: tuple[int, ...]) -> None:
    """Write the tables that the configurations read: per stream its log and its films."""
    streams, catalogue = cut_streams(pd.read_parquet(sequences)), pd.read_parquet(items)
    folder.mkdir(parents=True, exist_ok=True)
    mine = catalogue["item_id"].isin(streams.small["item_id"])
    theirs = catalogue["item_id"].isin(streams.organic["item_id"])
    tables = {"organic": streams.organic, "organic-items": catalogue[theirs]}
    tables |= {f"small-{seed}": small_stream(streams, seed) for seed in seeds}
    for name, table in {**tables, "small-items": catalogue[mine]}.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
