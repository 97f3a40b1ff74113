"""The large ("organic") and the small stream of ``benchmarks.transfer``, cut from MovieLens-1M."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

FIFTH, EARLY, SMALL, VALIDATION = 0.2, 0.8, 0.01, 0.2
"""Share of films in the small stream; of each sequence before the cut; of the small stream's
interactions for training; of users for validation."""
FILMS_SEED = 0


@dataclass(frozen=True)
class Streams:
    """The two streams."""

    organic: pd.DataFrame
    small: pd.DataFrame
    size: int


def cut_streams(sequences: pd.DataFrame) -> Streams:
    """Streams of a table with the columns user_id, item_id and position."""
    films = np.sort(sequences["item_id"].unique())
    rng = np.random.default_rng(FILMS_SEED)
    fifth = rng.permutation(films)[: round(FIFTH * len(films))]
    by_user = sequences.groupby("user_id")["position"]
    early = by_user.rank(method="first") <= EARLY * by_user.transform("size")
    of_fifth = sequences["item_id"].isin(fifth)
    size = round(SMALL * int(of_fifth.sum()))
    return Streams(sequences[~of_fifth & early], sequences[of_fifth & ~early], size)


def small_stream(streams: Streams, seed: int) -> pd.DataFrame:
    """The small stream with the column ``part``: train, validation or test, drawn by the seed."""
    rng = np.random.default_rng(seed)
    stream = streams.small.sort_values(["user_id", "position"], ignore_index=True)
    users = rng.permutation(stream["user_id"].unique())
    validation = stream["user_id"].isin(users[: round(VALIDATION * len(users))])
    part = np.where(validation, "validation", "test").astype(object)
    part[rng.permutation(len(stream))[: streams.size]] = "train"
    return stream.assign(part=part)


def write_streams(sequences: Path, items: Path, folder: Path, seeds: tuple[int, ...]) -> None:
    """Write the tables that the configurations read: log and films per stream."""
    streams, catalogue = cut_streams(pd.read_parquet(sequences)), pd.read_parquet(items)
    folder.mkdir(parents=True, exist_ok=True)
    small = catalogue["item_id"].isin(streams.small["item_id"])
    organic = catalogue["item_id"].isin(streams.organic["item_id"])
    tables = {"organic": streams.organic, "organic-items": catalogue[organic]}
    tables |= {f"small-{seed}": small_stream(streams, seed) for seed in seeds}
    for name, table in {**tables, "small-items": catalogue[small]}.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
