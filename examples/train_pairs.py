"""Train pair networks on a log with searches: the probability that a user takes an item.

Run ``python examples/train_pairs.py``. Users take the items of the group that they searched for:
lamps after a search for light, rugs after one for the floor. The first network trains a vector per
item and per word; a second one reads these item vectors and the histories alone.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from recsys.evaluation import (
    SparsePairScorer,
    VectorPairScorer,
    evaluate_pairs,
    sample_pairs,
)
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.ranking import (
    Bags,
    PairTrainConfig,
    SearchedWords,
    SparsePairConfig,
    VectorPairConfig,
    bags_of_words,
    fit_sparse_pairs,
    fit_vector_pairs,
)
from recsys.splits import LeaveLastOutConfig, split

GROUPS, EACH, USERS = ("lamp", "rug", "chair", "clock"), 5, 200
PHRASES = ("", "warm light", "for the floor", "to sit on", "what hour is it")
TRAIN = PairTrainConfig(batch_size=128, learning_rate=0.01, epochs=16)


def log_of_searches() -> Interactions:
    """200 users: a search, then all five items of its group."""
    rng = np.random.default_rng(0)
    group = np.arange(USERS) % len(GROUPS)
    numbers = np.stack([rng.permutation(EACH) for _ in range(USERS)])
    searched = np.where(np.arange(EACH) == 0, 1 + group[:, None], 0)
    return Interactions.of(
        IdMap.of("user", [f"user-{row}" for row in range(USERS)]),
        IdMap.of("item", [f"{kind}-{number}" for kind in GROUPS for number in range(EACH)]),
        user=np.repeat(np.arange(USERS), EACH),
        item=(group[:, None] * EACH + numbers).ravel(),
        time=np.tile(np.arange(EACH), USERS),
        clock="position",
        phrases=PHRASES,
        terms=searched.ravel(),
    )


def main() -> None:
    """Train both networks, apply them and evaluate them on held-out pairs."""
    log = log_of_searches()
    parts = split(log, LeaveLastOutConfig())
    chosen_pairs = sample_pairs(parts.validation, candidates=parts.candidates)
    test_pairs = sample_pairs(parts.test, candidates=parts.candidates)
    with tempfile.TemporaryDirectory() as folder:
        learned = fit_sparse_pairs(
            parts.train,
            network=SparsePairConfig(dimension=8, hidden=(16,)),
            train=TRAIN,
            folder=Path(folder) / "sparse",
            validate=lambda network: (
                -evaluate_pairs(
                    SparsePairScorer(network, SearchedWords(log, network.words, last=20)),
                    parts.validation,
                    chosen_pairs,
                )["log_loss"]
            ),
        ).network
        block = learned.item_block()
        over_them = fit_vector_pairs(
            parts.train,
            block,
            network=VectorPairConfig(hidden=(16,)),
            train=TRAIN,
            folder=Path(folder) / "vectors",
            validate=lambda network: (
                -evaluate_pairs(VectorPairScorer(network, block), parts.validation, chosen_pairs)[
                    "log_loss"
                ]
            ),
        ).network
    searched_words = bags_of_words(learned.words, ["Light!"] * 2)
    nobody = Bags.of([[], []])
    lamp, rug = learned.probability(nobody, searched_words, log.items.rows(["lamp-3", "rug-3"]))
    print(f"after 'Light!' a lamp is {'likely' if lamp > 0.5 else 'unlikely'}")
    print(f"after 'Light!' a rug is {'likely' if rug > 0.5 else 'unlikely'}")
    searched = SearchedWords(log, learned.words, last=20)
    for name, scorer in (
        ("learned in the task", SparsePairScorer(learned, searched)),
        ("over its vectors", VectorPairScorer(over_them, block)),
    ):
        print(f"{name}: AUC {evaluate_pairs(scorer, parts.test, test_pairs)['auc']:.2f}")


if __name__ == "__main__":
    main()
