"""The protocols and baselines on public data, where it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from recsys.evaluation import ItemKnnScorer, PopularityScorer, RandomScorer, evaluate_queries
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.splits import LeaveLastOutConfig, split

FILE = Path(os.environ.get("RECSYS_DATA_HOME", "")) / "movielens-1m" / "sequences.parquet"


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.skipif(not FILE.is_file(), reason="RECSYS_DATA_HOME has no movielens-1m")
def test_on_movielens_the_baselines_stand_in_the_order_known_for_it() -> None:
    table = pd.read_parquet(FILE)
    user, users = pd.factorize(table["user_id"].astype(str), sort=True)
    item, items = pd.factorize(table["item_id"].astype(str), sort=True)
    log = Interactions.of(
        IdMap.of("user", users.tolist()),
        IdMap.of("item", items.tolist()),
        user=user,
        item=item,
        time=table["position"],
        clock="position",
    )
    parts = split(log, LeaveLastOutConfig())
    assert len(parts.test) == 6038 and len(parts.candidates) == 3307
    assert parts.protocol["removed"]["test_repeats"] == 0
    found = []
    for scorer in (
        RandomScorer(len(items)),
        PopularityScorer(parts.train),
        ItemKnnScorer(parts.train, neighbours=50, last=10),
    ):
        result = evaluate_queries(
            scorer,
            parts.test,
            candidates=parts.candidates,
            item_counts=parts.train.item_counts,
            ks=(10,),
        )
        found.append(result.figures["hr@10"])
    assert found[0] < 0.006 < found[1] < 0.06 < 0.12 < found[2]
