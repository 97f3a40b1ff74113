"""Cuts MovieLens-1M into the two streams of ``benchmarks.transfer``: a large one and a small one.

A fifth of the films, drawn once, is the small stream's; all others are the organic stream's. Each
user's sequence is cut in time after four fifths of it: what comes later tests the small stream and
is read by nothing else, so that neither training nor the users' vectors know what came after the
moment that a question is asked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

FIFTH, EARLY, SMALL = 0.2, 0.8, 0.01
"""The share of the films; of each user's sequence before the cut; of the fifth's interactions."""
FILMS_SEED = 0


@dataclass(frozen=True)
class Streams:
    """The two streams.

    Attributes:
        organic: user_id, item_id, position: the other films, before the cut.
        early: The same of the fifth's films, before the cut; what the small stream is drawn from.
        late: The same after the cut: the test.
    """

    organic: pd.DataFrame
    early: pd.DataFrame
    late: pd.DataFrame

    @property
    def films(self) -> set[object]:
        """The films of the fifth that anybody met."""
        return {*self.early["item_id"], *self.late["item_id"]}


def cut_streams(sequences: pd.DataFrame) -> Streams:
    """The streams of a table of user_id, item_id and position."""
    films = np.sort(sequences["item_id"].unique())
    rng = np.random.default_rng(FILMS_SEED)
    fifth = rng.permutation(films)[: round(FIFTH * len(films))]
    by_user = sequences.groupby("user_id")["position"]
    early = by_user.rank(method="first") <= EARLY * by_user.transform("size")
    small = sequences["item_id"].isin(fifth)
    return Streams(sequences[~small & early], sequences[small & early], sequences[small & ~early])


def small_stream(streams: Streams, seed: int) -> pd.DataFrame:
    """The small stream with the column ``part``: 1% of the fifth's interactions to learn from.

    As many again, drawn from the same interactions before the cut, choose the epoch.
    """
    size = round(SMALL * (len(streams.early) + len(streams.late)))
    drawn = np.random.default_rng(seed).permutation(len(streams.early))
    parts = {"train": drawn[:size], "validation": drawn[size : 2 * size]}
    tables = [streams.early.iloc[rows].assign(part=part) for part, rows in parts.items()]
    return pd.concat([*tables, streams.late.assign(part="test")])


def write_streams(sequences: Path, items: Path, folder: Path, seeds: tuple[int, ...]) -> None:
    """Write the tables that the configurations read: per stream its log and its films."""
    streams, catalogue = cut_streams(pd.read_parquet(sequences)), pd.read_parquet(items)
    folder.mkdir(parents=True, exist_ok=True)
    mine = catalogue["item_id"].isin(streams.films)
    theirs = catalogue["item_id"].isin(streams.organic["item_id"])
    tables = {"organic": streams.organic, "organic-items": catalogue[theirs]}
    tables |= {f"small-{seed}": small_stream(streams, seed) for seed in seeds}
    for name, table in {**tables, "small-items": catalogue[mine]}.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
