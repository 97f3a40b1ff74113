"""SASRec of RecTools (Kang and McAuley, 2018; with a softmax over all items), on the processor.

Set up as in RecTools' own guide, and trained in steps, so that the number of epochs can be chosen.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.quality.peer_models.answering import Checkpoint, Setting
from benchmarks.quality.peer_models.files import Ints, Log, Queries, RankedLists


def train(log: Log, setting: Setting, seed: int) -> Iterator[Checkpoint]:
    """``setting``: factors, blocks, heads, dropout, window, learning_rate, batch, checkpoints."""
    import pytorch_lightning
    from rectools.models import SASRecModel

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    pytorch_lightning.seed_everything(seed, verbose=False)
    model = SASRecModel(
        n_factors=setting["factors"],
        n_blocks=setting["blocks"],
        n_heads=setting["heads"],
        dropout_rate=setting["dropout"],
        session_max_len=setting["window"],
        lr=setting["learning_rate"],
        batch_size=setting["batch"],
        loss="softmax",
        epochs=setting["checkpoints"][-1],
        deterministic=True,
        recommend_torch_device="cpu",
    )
    interactions, done = _dataset(log.user, log.item), 0
    for epochs in setting["checkpoints"]:
        model.fit_partial(interactions, min_epochs=epochs - done, max_epochs=epochs - done)
        done = epochs
        yield Checkpoint(epochs, lambda queries, k: _recommended(model, queries, k))


def _dataset(user: Ints, item: Ints) -> Any:
    """RecTools' table of interactions, with the order of the rows as time."""
    import pandas as pd
    from rectools import Columns
    from rectools.dataset import Dataset

    columns = {
        Columns.User: user,
        Columns.Item: item,
        Columns.Weight: 1.0,
        Columns.Datetime: pd.to_datetime(np.arange(len(user)), unit="s"),
    }
    return Dataset.construct(pd.DataFrame(columns))


def _recommended(model: Any, queries: Queries, k: int) -> RankedLists:
    from rectools import Columns

    lengths = np.diff(queries.start)
    users = np.flatnonzero(lengths)
    found = model.recommend(
        users=users,
        dataset=_dataset(np.repeat(np.arange(len(queries)), lengths), queries.item),
        k=min(k, queries.items),
        filter_viewed=True,
        on_unsupported_targets="ignore",  # histories of unknown items
    )
    query, rank = (found[name].to_numpy() for name in (Columns.User, Columns.Rank))
    rows = np.zeros((len(queries), k), np.int32)
    scores = np.full((len(queries), k), -np.inf, np.float32)
    rows[query, rank - 1] = found[Columns.Item].to_numpy()
    scores[query, rank - 1] = found[Columns.Score].to_numpy()
    return RankedLists(queries.user, rows, scores)
