"""The levers of Amazon Beauty: short histories in order, and the titles of items."""

from __future__ import annotations

from typing import Any

from benchmarks.levers.world import BASE, ONE_PAIR, REMOVED, Variant, World
from benchmarks.quality.datasets import BEAUTY

WORDS, BERT = "text.bag-of-words", "text.bert"
SOFTMAX = {"temperature": 0.05, "mask": "history"}
SAMPLED = {"name": "sampled-softmax", "negatives": 1024, **SOFTMAX}


def _loss(told: str, name: str, **settings: Any) -> Variant:
    return Variant(name, told, {"train.loss": {"name": name, **settings}})


INPUTS = (
    Variant(
        "bert",
        "without words: titles by a pretrained BERT (MiniLM, Wang et al. 2020) alone",
        {"towers.blocks": [BERT]},
    ),
    Variant(
        "bert-whitened",
        "BERT alone, its map begins as its principal components (WhitenRec, Zhang et al. 2024)",
        last_commit=REMOVED,
    ),
    Variant("words-and-bert", "titles by their words and by BERT", {"towers.blocks": ["text"]}),
    Variant("without-content", "ids alone", {"towers.blocks": []}),
    Variant("without-ids", "words alone", {"towers.item_id": "none"}),
    Variant("id-dropout-0", "no id is left out in training", {"towers.id_dropout": 0.0}),
    Variant(
        "id-dropout-0.3",
        "three ids of ten are left out in a step (DropoutNet, Volkovs et al. 2017)",
        {"towers.id_dropout": 0.3},
    ),
    Variant(
        "gated-sum",
        "id and content weighted item by item (Arevalo et al. 2017)",
        last_commit=REMOVED,
    ),
    Variant(
        "concatenation",
        "id and content side by side through one map (Covington et al. 2016)",
        last_commit=REMOVED,
    ),
    Variant(
        "delta",
        "the id as a small difference from the content (Wang & Blei 2011)",
        {"towers.item_id": "delta"},
    ),
)
HISTORIES = (
    Variant(
        "mean",
        "a mean of the history, weighted by age",
        {"towers.history": {"name": "mean", "window": 50}},
    ),
    Variant(
        "attention-pooling",
        "a mean in which each item says how much it counts (Yang et al. 2016)",
        {"towers.history": {"name": "attention-pooling", "window": 50, "ages": "trained"}},
    ),
    Variant(
        "hstu",
        "attention that adds up (HSTU, Zhai et al. 2024)",
        {"towers.history": {"name": "hstu", "window": 50, "dropout": 0.4}},
    ),
    Variant(
        "ligr",
        "gated blocks (LiGR, as in eSASRec, Tikhonovich et al. 2025)",
        {"towers.history.block": "ligr"},
    ),
    Variant(
        "post-norm",
        "normalised after each part, as SASRec was published",
        {"towers.history.norm": "post"},
    ),
)
LOSSES = (
    Variant(
        "mask-target",
        "what was met before counts as a negative",
        {"train.loss.mask": "target"},
    ),
    Variant(
        "smoothing-0.1",
        "a tenth of the target over all items (Szegedy et al. 2016)",
        {"train.loss.smoothing": 0.1},
    ),
    Variant("temperature-0.03", "a lower temperature", {"train.loss.temperature": 0.03}),
    Variant("temperature-0.1", "a higher temperature", {"train.loss.temperature": 0.1}),
    _loss(
        "1,024 uniform and the batch's own negatives, corrected (Yang et al. 2020)",
        **SAMPLED,
    ),
    Variant(
        "hard-negatives",
        "sampled softmax, and what the towers rank highest (ANCE, Xiong et al. 2021)",
        {"train.loss": {**SAMPLED, "hard": {}}},
    ),
    _loss("the batch's own negatives, corrected (Yi et al. 2019)", "in-batch-softmax", **SOFTMAX),
    _loss("calibrated binary cross-entropy (gSASRec, Petrov & Macdonald 2023)", "gbce", **SOFTMAX),
    Variant(
        "gbce-without-bias",
        "calibrated binary cross-entropy, a cosine of 0 meaning even odds",
        {"train.loss": {"name": "gbce", "bias": "none", **SOFTMAX}},
    ),
    _loss("pairs of a positive and a negative (BPR, Rendle et al. 2009)", "bpr", **SOFTMAX),
    _loss(
        "cosine contrastive, negatives cost from 0.9 on (SimpleX, Mao et al. 2021)",
        "ccl",
        mask="history",
        margin=0.9,
    ),
    *(
        Variant(
            f"ccl-margin-{margin}",
            f"cosine contrastive, negatives cost from {margin} on",
            {"train.loss": {"name": "ccl", "mask": "history", "margin": margin}},
        )
        for margin in (0.4, 0)
    ),
    _loss("alignment and uniformity (DirectAU, Wang et al. 2022)", "direct-au"),
)
TRAINING = (
    Variant(
        "without-average",
        "the weights as they are, not their moving average (Polyak & Juditsky 1992)",
        {"train.average": 0.0},
    ),
    Variant("without-decay", "a learning rate that stays", {"train.decay": "none"}),
    Variant(
        "reorder-0.6",
        "a stretch of each history shuffled (CL4SRec, Xie et al. 2022)",
        {"train.augmentation.reorder": 0.6},
    ),
    Variant(
        "crop",
        "half of the histories cut to a stretch (CL4SRec)",
        {"train.augmentation.crop": 0.5},
    ),
    Variant(
        "mask-0.2",
        "a fifth of the items of histories hidden (CL4SRec)",
        {"train.augmentation.mask": 0.2},
    ),
    Variant(
        "members",
        "the preset as it is: several pairs of towers, vectors as many times as wide"
        " (an ensemble, Hansen & Salamon 1990)",
        of="preset",
    ),
)
LEVERS = World(
    "beauty",
    "Amazon Beauty",
    BEAUTY,
    {**ONE_PAIR, "towers.blocks": [WORDS]},
    (
        Variant(BASE, "ids and words of titles, a causal transformer (SASRec), the full softmax"),
        *INPUTS,
        *HISTORIES,
        *LOSSES,
        *TRAINING,
    ),
    "validation",
    ("ndcg@10", "hr@10"),
)
