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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.movielens import PICTURES, WORDS, MovieLens
from recsys.cli.output import print_table
from recsys.cli.screen import Screen
from recsys.encoders import TFLiteConfig, WordVectorsConfig
from recsys.encoders.words.tokens import words
from recsys.evaluation import evaluate, write_record
from recsys.features import FeatureBlock
from recsys.files import sha256_json
from recsys.formats import resolve
from recsys.ids import IdMap, Mask, Vectors
from recsys.interactions import Interactions
from recsys.pipeline import open_job, run_job
from recsys.pipeline.scoring import towers_scorer
from recsys.progress import Progress
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
Pairs = list[tuple[int, str]]


@dataclass(frozen=True, eq=False)
class SearchData:
    """Pairs (terms, item) for training, and queries for validation and test.

    Attributes:
        name: Name of the data set.
        train: Interactions with terms.
        phrases: Encoded ``train.phrases``, shared by all queries.
        blocks: Feature blocks by name.
        validation: Validation queries.
        tests: Test queries by kind.
        ranked: Items that are ranked, bool ``[items]``, for "validation" and "test".
    """

    name: str
    train: Interactions
    phrases: Vectors
    blocks: Mapping[str, FeatureBlock]
    validation: HeldOutQueries
    tests: Mapping[str, HeldOutQueries]
    ranked: Mapping[str, Mask]

    @property
    def inputs(self) -> dict[str, tuple[str, ...]]:
        """Blocks of the item towers: each by itself, and each text with the picture."""
        texts = [name for name in self.blocks if name != PICTURE]
        alone = {name: (name,) for name in (PICTURE, *texts)}
        return alone | {f"{name}+{PICTURE}": (name, PICTURE) for name in texts}


def main() -> None:
    """Train and score all inputs on both data sets; write and print the table."""
    figures: dict[str, float] = {}
    inputs: dict[str, dict[str, tuple[str, ...]]] = {}
    lines = []
    with Screen() as screen:
        for data in (movielens(MovieLens(screen)), sample(screen)):
            inputs[data.name] = data.inputs
            towers = {
                name: [_train(data, name, seed, screen) for seed in SEEDS] for name in data.inputs
            }
            for kind, queries in data.tests.items():
                found = {"chance": _chance(int(data.ranked["test"].sum()))}
                for name, models in towers.items():
                    found[name] = means([_score(data, each, queries, "test") for each in models])
                figures[f"{data.name}.{kind}.ranked"] = int(data.ranked["test"].sum())
                figures[f"{data.name}.{kind}.queries"] = len(queries)
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
        inputs=inputs,
    )
    print_table(["queries", "inputs of the item tower", *METRICS], lines)


def movielens(films: MovieLens) -> SearchData:
    """Words of plots as queries for posters."""
    plots, catalogue = films.texts(("plot",)), films.catalogue
    config = WordVectorsConfig(file=resolve(WORDS))
    title = films.text("title", config, ("title",))
    plot = films.text("plot", config, ("plot",))
    image = films.image(PICTURE, TFLiteConfig(file=resolve(PICTURES)))
    rng = np.random.default_rng(0)
    usable = rng.permutation(np.flatnonzero(image.mask & plot.mask))
    tenth = len(usable) // 10
    validation, test, rest = np.split(usable, [tenth, 2 * tenth])
    four_words = _random_words(rng, SHORTEST, SHORTEST)

    def pairs(rows: np.ndarray, query: Callable[[Sequence[str]], str]) -> Pairs:
        return [(int(film), query(words(plots[film]))) for film in rows]

    held_out = [pairs(validation, four_words), pairs(test, four_words), pairs(test, " ".join)]
    train_words = _random_words(rng, SHORTEST, LONGEST)
    train = pairs(np.repeat(rest, QUERIES_PER_FILM), train_words)
    phrases = ("", *dict.fromkeys(terms for part in (*held_out, train) for _, terms in part))
    row = {phrase: at for at, phrase in enumerate(phrases)}
    each = np.arange(len(train))
    log = Interactions.of(
        IdMap.of("user", [f"query-{at}" for at in each]),
        catalogue.ids,
        user=each,
        item=[film for film, _ in train],
        time=each,
        phrases=phrases,
        terms=[row[terms] for _, terms in train],
    )
    queries = [
        HeldOutQueries.of(
            user=[0] * len(part),
            histories=[[]] * len(part),
            targets=[[film] for film, _ in part],
            terms=[row[terms] for _, terms in part],
            phrases=phrases,
        )
        for part in held_out
    ]
    rows = np.arange(len(plots))
    return SearchData(
        "movielens",
        log,
        films.encoder(config, ("plot",)).encode(list(phrases)).vectors,
        {"title": title, "plot": plot, PICTURE: image},
        queries[0],
        {"4_words": queries[1], "whole_plot": queries[2]},
        {"validation": np.isin(rows, validation), "test": np.isin(rows, test)},
    )


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
        parts.validation.take(parts.validation.terms > 0),
        {"searches": parts.test.take(parts.test.terms > 0)},
        {"validation": parts.candidates, "test": parts.candidates},
    )


def _random_words(
    rng: np.random.Generator, fewest: int, most: int
) -> Callable[[Sequence[str]], str]:
    """Function from a plot's words to some distinct random ones."""

    def draw(plot: Sequence[str]) -> str:
        longer = sorted({word for word in plot if len(word) > 3}) or sorted(set(plot))
        drawn = rng.permutation(longer)[: rng.integers(fewest, most + 1)]
        return " ".join(drawn.tolist())

    return draw


def _train(data: SearchData, name: str, seed: int, progress: Progress) -> Towers:
    """Towers of some inputs and a seed, trained or read from their folder."""
    towers = TowersConfig(
        history=NoHistory(), item_id="none", blocks=data.inputs[name], terms_dropout=0.0
    )
    train = TRAIN.model_copy(update={"seed": seed})
    pairs = [data.train.item.tolist(), list(data.train.phrases)]
    digest = sha256_json([pairs, towers.model_dump(), train.model_dump()])
    fitted = fit(
        data.train,
        list(data.blocks.values()),
        data.phrases,
        towers=towers,
        train=train,
        folder=RUNS / data.name / name / f"{seed}-{digest[:12]}",
        validate=lambda made: _score(data, made, data.validation, "validation")["mrr"],
        progress=progress,
    )
    return fitted.towers


def _score(
    data: SearchData, towers: Towers, queries: HeldOutQueries, part: str
) -> dict[str, float]:
    """Recall at 10, and the mean reciprocal rank over the whole ranking."""
    ranked = data.ranked[part]
    depth = int(ranked.sum())
    unknown = np.zeros(len(data.train.users) + 1, np.bool_)
    figures = evaluate(
        towers_scorer(towers, known=unknown, phrases=data.phrases),
        queries,
        candidates=ranked,
        item_counts=data.train.item_counts,
        ks=(10, depth),
        resamples=1,
    ).figures
    return {"recall@10": figures["recall@10"], "mrr": figures[f"mrr@{depth}"]}


def _chance(ranked: int) -> dict[str, float]:
    """Figures of a random order."""
    return {"recall@10": 10 / ranked, "mrr": float((1 / np.arange(1, ranked + 1)).mean())}


if __name__ == "__main__":
    main()
