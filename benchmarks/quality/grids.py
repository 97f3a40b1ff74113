"""Settings of each peer that are tried on validation.

``checkpoints`` are numbers of epochs after which a training is evaluated; the last one ends it.
SASRec has windows of the length of the data set's sequences, and as many epochs as two cores train
in three quarters of an hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

Setting = Mapping[str, Any]
TUTORIAL = "tfrs_tutorial"


def _product(**choices: Sequence[Any]) -> list[Setting]:
    return [dict(zip(choices, chosen)) for chosen in product(*choices.values())]


def _als(factors: Sequence[int]) -> list[Setting]:
    return _product(
        factors=factors, regularization=(0.01, 1.0), alpha=(1.0, 10.0, 40.0), iterations=(15,)
    )


def _bpr(
    factors: Sequence[int],
    rates: Sequence[float] = (0.01, 0.05),
    regularization: Sequence[float] = (0.0001, 0.001, 0.01),
    checkpoints: Sequence[int] = (50, 100, 200, 400),
) -> list[Setting]:
    return _product(
        factors=factors,
        learning_rate=rates,
        regularization=regularization,
        checkpoints=(list(checkpoints),),
    )


def _knn(last: Sequence[int | None]) -> list[Setting]:
    return _product(kind=("cosine", "tfidf", "bm25"), neighbours=(50, 200), last=last)


def _ease(*regularization: float) -> list[Setting]:
    return _product(regularization=regularization)


def _tutorial(dimension: int, checkpoints: Sequence[int]) -> list[Setting]:
    return [{"dimension": dimension, "checkpoints": list(checkpoints)}]


def _sasrec(
    factors: Sequence[int], *, window: int, batch: int, checkpoints: Sequence[int]
) -> list[Setting]:
    return _product(
        factors=factors,
        blocks=(2,),
        heads=(2,),
        dropout=(0.2,),
        window=(window,),
        learning_rate=(1e-3,),
        batch=(batch,),
        checkpoints=(list(checkpoints),),
    )


# Extensions where the best setting of the first grid was at its edge.
_LONGER = _bpr((128,), (0.05,), (0.01, 0.03, 0.1), (800, 1600))
_SHORTER = _bpr((64, 128), (0.01,), checkpoints=(10, 20, 30, 40))

GRIDS: Mapping[str, Mapping[str, Sequence[Setting]]] = {
    "beauty": {
        "als": _als((64, 128)),
        "bpr": [*_bpr((64, 128)), *_LONGER],
        "item_knn": _knn((None, 10, 3)),
        "ease": _ease(50.0, 100.0, 250.0, 500.0, 1000.0),
        TUTORIAL: _tutorial(32, (1, 3, 6, 10, 15, 20, 30)),
        "sasrec_rectools": _sasrec((64, 128), window=20, batch=128, checkpoints=(4, 7, 10, 13, 16)),
    },
    "movielens-1m": {
        "als": _als((64, 128)),
        "bpr": [*_bpr((64, 128)), *_SHORTER],
        "item_knn": _knn((None, 10, 3)),
        "ease": _ease(50.0, 100.0, 250.0, 500.0, 1000.0),
        TUTORIAL: _tutorial(32, (1, 2, 3, 4, 6, 9)),
        "sasrec_rectools": _sasrec((128,), window=200, batch=64, checkpoints=(4, 8, 12, 16, 20)),
    },
    "gowalla": {
        "als": _als((64,)),
        "bpr": _bpr((64,)),
        "item_knn": _knn((None,)),
        "ease": _ease(100.0, 300.0, 1000.0),
        TUTORIAL: _tutorial(64, (1, 3, 6, 10, 15, 20)),
    },
}
"""Settings by data set and peer."""
PEERS = tuple(GRIDS["beauty"])
