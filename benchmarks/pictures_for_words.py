"""Search terms that find pictures without words.

Run ``python -m benchmarks.pictures_for_words`` with ``RECSYS_DATA_HOME`` set; an interrupted run
continues. A query tower over search terms and an item tower over the image block (no text, no ids)
are trained on pairs (terms, item), and compared with item towers over text, and over both.

- MovieLens-1M: a query is some words of a film's plot, the item its poster. A tenth of the films is
  withheld for validation and a tenth for the test, each ranked by itself. The text of an item is
  its title; or its plot, which contains the query's words, so that a picture can add little.
- The sample set: the searches of its log, the test's searches ranked among all items. Its rule
  (data/README.md) draws pictures and topics independently, so that pictures alone must stay at
  chance.

Three seeds, the epoch chosen on validation, the test scored once. Writes
``benchmarks/results/pictures_for_words.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.movielens import PICTURES, WORDS, MovieLens
from recsys.cli.output import print_table
from recsys.encoders import TFLiteConfig, WordVectorsConfig
from recsys.encoders.words.tokens import words
from recsys.evaluation import evaluate_queries, write_record
from recsys.features import FeatureBlock
from recsys.files import sha256_json
from recsys.formats import resolve
from recsys.ids import IdMap, Mask, Vectors
from recsys.interactions import Interactions
from recsys.pipeline import open_job, run_job
from recsys.pipeline.scoring import towers_scorer
from recsys.progress import Progress
from recsys.screen import Screen
from recsys.splits import HeldOutQueries
from recsys.towers import FullSoftmax, NoHistory, Towers, TowersConfig, TrainConfig, fit
from recsys.tuning.table import figure_cell, means

RUNS, RESULT = Path("runs/pictures-for-words"), Path("benchmarks/results/pictures_for_words.json")
SEEDS = (1, 2, 3)
PICTURE = "image"
METRICS = ("recall@10", "mrr")
TRAIN = TrainConfig(
    loss=FullSoftmax(temperature=0.1),
    batch_positions=2048,
    learning_rate=3e-3,
    warmup_steps=20,
    decay="cosine",
    epochs=8,
    patience=3,
)
QUERIES_PER_FILM, SHORTEST, LONGEST = 12, 4, 12
"""Number of training queries per film, and bounds of their number of words."""


@dataclass(frozen=True, eq=False)
class SearchData:
    """Pairs (terms, item) for training, and queries for validation and test.

    Attributes:
        name: Name of the data set.
        train: Interactions with terms.
        phrases: Encoded ``train.phrases``, shared by all queries.
        blocks: Feature blocks by name.
        queries: Queries by kind, "validation" and those of the test.
        ranked: Items that are ranked, bool ``[items]``, for "validation" and "test".
    """

    name: str
    train: Interactions
    phrases: Vectors
    blocks: Mapping[str, FeatureBlock]
    queries: Mapping[str, HeldOutQueries]
    ranked: Mapping[str, Mask]

    def train_towers(self, inputs: tuple[str, ...], seed: int, progress: Progress) -> Towers:
        """Towers over some blocks, trained or read from their folder."""
        towers = TowersConfig(history=NoHistory(), item_id="none", blocks=inputs, terms_dropout=0.0)
        train = TRAIN.model_copy(update={"seed": seed})
        pairs = [self.train.item.tolist(), list(self.train.phrases)]
        digest = sha256_json([pairs, towers.model_dump(), train.model_dump()])
        return fit(
            self.train,
            list(self.blocks.values()),
            self.phrases,
            towers=towers,
            train=train,
            folder=RUNS / self.name / "+".join(inputs) / f"{seed}-{digest[:12]}",
            validate=lambda made: self.score(made, "validation")["mrr"],
            progress=progress,
        ).towers

    def score(self, towers: Towers, kind: str) -> dict[str, float]:
        """Recall at 10, and the mean reciprocal rank over the whole ranking."""
        ranked = self.ranked["validation" if kind == "validation" else "test"]
        depth = int(ranked.sum())
        unknown = np.zeros(len(self.train.users) + 1, np.bool_)
        figures = evaluate_queries(
            towers_scorer(towers, known=unknown, phrases=self.phrases),
            self.queries[kind],
            candidates=ranked,
            item_counts=self.train.item_counts,
            ks=(10, depth),
            resamples=1,
        ).figures
        return {"recall@10": figures["recall@10"], "mrr": figures[f"mrr@{depth}"]}


def main() -> None:
    """Train and score all inputs on both data sets; write and print the table."""
    figures: dict[str, float] = {}
    lines = []
    with Screen() as screen:
        for data in (movielens(MovieLens(screen)), sample(screen)):
            texts = [(name,) for name in data.blocks if name != PICTURE]
            towers = {
                inputs: [data.train_towers(inputs, seed, screen) for seed in SEEDS]
                for inputs in ((PICTURE,), *texts, *((*text, PICTURE) for text in texts))
            }
            ranks = np.arange(1, data.ranked["test"].sum() + 1)
            chance = {"recall@10": 10 / len(ranks), "mrr": float((1 / ranks).mean())}
            for kind in [kind for kind in data.queries if kind != "validation"]:
                found = {"chance": chance}
                for inputs, models in towers.items():
                    found["+".join(inputs)] = means([data.score(each, kind) for each in models])
                figures[f"{data.name}.{kind}.ranked"] = len(ranks)
                figures[f"{data.name}.{kind}.queries"] = len(data.queries[kind])
                for name, own in found.items():
                    figures |= {f"{data.name}.{kind}.{name}.{key}": own[key] for key in own}
                    cells = [figure_cell(own, metric) for metric in METRICS]
                    lines.append([f"{data.name}, {kind}", name, *cells])
    write_record(
        RESULT,
        name="pictures-for-words",
        command="python -m benchmarks.pictures_for_words",
        seeds=SEEDS,
        figures=figures,
    )
    print_table(["queries", "inputs of the item tower", *METRICS], lines)


def movielens(films: MovieLens) -> SearchData:
    """Words of plots as queries for posters."""
    plots, config = films.texts(("plot",)), WordVectorsConfig(file=resolve(WORDS))
    blocks = {
        "title": films.text("title", config, ("title",)),
        "plot": films.text("plot", config, ("plot",)),
        PICTURE: films.image(PICTURE, TFLiteConfig(file=resolve(PICTURES))),
    }
    rng = np.random.default_rng(0)
    usable = rng.permutation(np.flatnonzero(blocks[PICTURE].mask & blocks["plot"].mask))
    tenth = len(usable) // 10
    validation, test, rest = np.split(usable, [tenth, 2 * tenth])

    def draw(film: int, most: int) -> str:
        """``SHORTEST`` to ``most`` distinct random words of a plot."""
        plot = words(plots[film])
        longer = sorted({word for word in plot if len(word) > 3}) or sorted(set(plot))
        return " ".join(rng.permutation(longer)[: rng.integers(SHORTEST, most + 1)].tolist())

    parts = {
        "validation": (validation, [draw(film, SHORTEST) for film in validation]),
        "4_words": (test, [draw(film, SHORTEST) for film in test]),
        "whole_plot": (test, [" ".join(words(plots[film])) for film in test]),
    }
    trained = np.repeat(rest, QUERIES_PER_FILM)
    train_terms = [draw(film, LONGEST) for film in trained]
    texts = [text for _, terms in parts.values() for text in terms] + train_terms
    phrases = ("", *dict.fromkeys(texts))
    row = {phrase: at for at, phrase in enumerate(phrases)}
    log = Interactions.of(
        IdMap.of("user", [f"query-{at}" for at in range(len(trained))]),
        films.catalogue.ids,
        user=np.arange(len(trained)),
        item=trained,
        time=np.arange(len(trained)),
        phrases=phrases,
        terms=[row[text] for text in train_terms],
    )
    queries = {
        kind: HeldOutQueries.of(
            user=[0] * len(items),
            histories=[[]] * len(items),
            targets=[[int(film)] for film in items],
            terms=[row[text] for text in terms],
            phrases=phrases,
        )
        for kind, (items, terms) in parts.items()
    }
    encoded = films.encoder(config, ("plot",)).encode(list(phrases)).vectors
    rows = np.arange(len(plots))
    ranked = {"validation": np.isin(rows, validation), "test": np.isin(rows, test)}
    return SearchData("movielens", log, encoded, blocks, queries, ranked)


def sample(screen: Screen) -> SearchData:
    """Searches of the sample set's log."""
    job = open_job(Path("configs/demo.toml"), runs=RUNS, progress=screen)
    run_job(job, until="encode", observer=screen)
    parts = job.split
    return SearchData(
        "sample",
        parts.train.take(parts.train.terms > 0),
        job.phrases,
        {name: job.blocks[name] for name in ("text", PICTURE)},
        {
            "validation": parts.validation.take(parts.validation.terms > 0),
            "searches": parts.test.take(parts.test.terms > 0),
        },
        dict.fromkeys(("validation", "test"), parts.candidates),
    )


if __name__ == "__main__":
    main()
