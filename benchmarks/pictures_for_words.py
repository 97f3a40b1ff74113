"""Pictures for words: search terms find pictures that carry no words at all.

Run ``python -m benchmarks.pictures_for_words`` with ``RECSYS_DATA_HOME`` set; it goes on where it
was stopped. A query tower over search terms alone and an item tower over the image block alone (no
text, no ids) are trained on pairs (terms, item taken). Beside them: blocks of words alone, and both
together.

- MovieLens-1M: a query is some words of a film's plot, the item its poster. A tenth of the films
  is withheld for validation, a tenth for the test, and ranked among themselves: posters that
  training never saw. The words of an item are its title; or its plot, in which the query's own
  words stand, so that there is little left for a picture to add.
- The sample set: the searches of its log before the split; the test's searches among all items.
  Its rule (data/README.md) draws what a picture shows and what an item is about independently of
  each other, so that no picture can be found by words there: image alone must stay at chance.

Three seeds, the epoch chosen on validation, the test scored once. Writes
``benchmarks/results/pictures_for_words.json``; and, to look at, the posters that a few words find
among the withheld films into ``runs/pictures-for-words/found.png``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.found_pictures import draw
from benchmarks.movielens import PICTURES, WORDS, MovieLens
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
PHRASES_A_FILM, SHORTEST, LONGEST = 12, 4, 12
"""So many queries are made of each training film, of so many words of its plot."""
ASKED = ("4_words", "whole_plot")
"""How the withheld films are asked for."""


@dataclass(frozen=True, eq=False)
class World:
    """Pairs (terms, item) to learn from, and queries to choose and to judge by.

    Attributes:
        name: Of the data set.
        train: Interactions, each with the terms that led to it.
        phrases: Encoded ``train.phrases``, which all queries share.
        blocks: By name.
        validation: Queries with terms.
        tests: By how they ask, queries with terms.
        ranked: Bool ``[items]``, which items each is ranked among: "validation" and "test".
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
        """What an item tower may read: each block by itself, and each of words with the picture."""
        words = [name for name in self.blocks if name != PICTURE]
        alone = {name: (name,) for name in (PICTURE, *words)}
        return alone | {f"{name}+{PICTURE}": (name, PICTURE) for name in words}


def main() -> None:
    """Train and score every choice of inputs on both data sets; write and print the table."""
    with Screen() as screen:
        films = MovieLens(screen)
        figures: dict[str, float] = {}
        inputs: dict[str, dict[str, tuple[str, ...]]] = {}
        for world in (movielens(films), sample(screen)):
            for at, queries in world.tests.items():
                _chance(figures, f"{world.name}.{at}", int(world.ranked["test"].sum()))
                figures[f"{world.name}.{at}.queries"] = len(queries)
            inputs[world.name] = world.inputs
            for name in world.inputs:
                for seed in SEEDS:
                    towers = _train(world, name, seed, screen)
                    for at, found in _test(world, towers).items():
                        figures |= {f"{world.name}.{at}.{name}.{seed}.{k}": found[k] for k in found}
                    if world.name == "movielens" and name == PICTURE and seed == SEEDS[0]:
                        draw_found(films, world, towers)
    figures = _means(figures)
    write_record(
        RESULT,
        name="pictures-for-words",
        command="python -m benchmarks.pictures_for_words",
        seeds=SEEDS,
        figures=figures,
        inputs=inputs,
    )
    _show(figures, inputs)


def movielens(films: MovieLens) -> World:
    """Words of plots ask for posters."""
    plots, catalogue = films.texts(("plot",)), films.catalogue
    encoder_of_words = WordVectorsConfig(file=resolve(WORDS))
    title = films.text("title", encoder_of_words, ("title",))
    plot = films.text("plot", encoder_of_words, ("plot",))
    image = films.image(PICTURE, TFLiteConfig(file=resolve(PICTURES)))
    rng = np.random.default_rng(0)
    usable = rng.permutation(np.flatnonzero(image.mask & plot.mask))
    tenth = len(usable) // 10
    parts = np.split(usable, [tenth, 2 * tenth])
    makers = {"4_words": _some_words(rng, SHORTEST, SHORTEST), "whole_plot": " ".join}
    held = [
        [(film, make(words(plots[film]))) for film in part]
        for part, make in (
            (parts[0], makers["4_words"]),
            (parts[1], makers["4_words"]),
            (parts[1], makers["whole_plot"]),
        )
    ]
    make = _some_words(rng, SHORTEST, LONGEST)
    learned = [(film, make(words(plots[film]))) for film in parts[2] for _ in range(PHRASES_A_FILM)]
    phrases = ("", *dict.fromkeys(asked for part in (*held, learned) for _, asked in part))
    row = {phrase: at for at, phrase in enumerate(phrases)}
    encoder = films.encoder(encoder_of_words, ("plot",))
    one_each = np.arange(len(learned))
    train = Interactions.of(
        IdMap.of("user", [f"query-{at}" for at in one_each]),
        catalogue.ids,
        user=one_each,
        item=[film for film, _ in learned],
        time=one_each,
        phrases=phrases,
        terms=[row[asked] for _, asked in learned],
    )
    queries = [_queries(part, row, phrases) for part in held]
    return World(
        "movielens",
        train,
        encoder.encode(list(phrases)).vectors,
        {"title": title, "plot": plot, PICTURE: image},
        queries[0],
        dict(zip(ASKED, queries[1:])),
        {"validation": _mask(parts[0], len(plots)), "test": _mask(parts[1], len(plots))},
    )


def _some_words(rng: np.random.Generator, fewest: int, most: int):  # type: ignore[no-untyped-def]
    """From a plot's words to a random few of them, none twice."""

    def make(plot: Sequence[str]) -> str:
        longer = sorted({word for word in plot if len(word) > 3}) or sorted(set(plot))
        drawn = rng.permutation(longer)[: rng.integers(fewest, most + 1)]
        return " ".join(drawn.tolist())

    return make


def _queries(
    asked: Sequence[tuple[int, str]], row: Mapping[str, int], phrases: tuple[str, ...]
) -> HeldOutQueries:
    return HeldOutQueries.of(
        user=[0] * len(asked),
        histories=[[]] * len(asked),
        targets=[[int(film)] for film, _ in asked],
        terms=[row[phrase] for _, phrase in asked],
        phrases=phrases,
    )


def _mask(rows: np.ndarray, size: int) -> Mask:
    mask = np.zeros(size, np.bool_)
    mask[rows] = True
    return mask


def sample(screen: Screen) -> World:
    """The searches of the sample set's log."""
    job = open_job(Path("configs/demo.toml"), runs=RUNS, progress=screen)
    run_job(job, until="encode", observer=screen)
    parts = job.split
    blocks = {name: job.blocks[name] for name in ("text", PICTURE)}
    return World(
        "sample",
        parts.train.take(parts.train.terms > 0),
        job.phrases,
        blocks,
        parts.validation.take(parts.validation.terms > 0),
        {"searches": parts.test.take(parts.test.terms > 0)},
        {"validation": parts.candidates, "test": parts.candidates},
    )


def _train(world: World, name: str, seed: int, progress: Progress) -> Towers:
    """The towers of one choice of inputs and seed, trained or taken from where they are kept."""
    towers = TowersConfig(
        history=NoHistory(), item_id="none", blocks=world.inputs[name], terms_dropout=0.0
    )
    train = TRAIN.model_copy(update={"seed": seed})
    learned = [world.train.item.tolist(), list(world.train.phrases)]
    settings = [learned, towers.model_dump(), train.model_dump()]
    fitted = fit(
        world.train,
        list(world.blocks.values()),
        world.phrases,
        towers=towers,
        train=train,
        folder=RUNS / world.name / name / f"{seed}-{sha256_json(settings)[:12]}",
        validate=lambda made: _judge(world, made, world.validation, "validation")["mrr"],
        progress=progress,
    )
    return fitted.towers


def _test(world: World, towers: Towers) -> dict[str, dict[str, float]]:
    return {at: _judge(world, towers, asked, "test") for at, asked in world.tests.items()}


def _judge(world: World, towers: Towers, queries: HeldOutQueries, part: str) -> dict[str, float]:
    """Recall in the first ten places, and the mean of 1 / place over the whole ranking."""
    ranked = world.ranked[part]
    depth = int(ranked.sum())
    unknown = np.zeros(len(world.train.users) + 1, np.bool_)
    found = evaluate(
        towers_scorer(towers, known=unknown, phrases=world.phrases),
        queries,
        candidates=ranked,
        item_counts=world.train.item_counts,
        ks=(10, depth),
        resamples=1,
    ).figures
    return {"recall@10": found["recall@10"], "mrr": found[f"mrr@{depth}"]}


def _chance(figures: dict[str, float], name: str, ranked: int) -> None:
    """What a random order of so many items finds."""
    figures[f"{name}.ranked"] = ranked
    figures[f"{name}.chance.recall@10"] = 10 / ranked
    figures[f"{name}.chance.mrr"] = float((1 / np.arange(1, ranked + 1)).mean())


def _means(figures: Mapping[str, float]) -> dict[str, float]:
    """Seeds become means and spreads."""
    made: dict[str, float] = {}
    for name, value in figures.items():
        if f".{SEEDS[0]}." in name:
            plain = name.replace(f".{SEEDS[0]}.", ".")
            runs = [figures[name.replace(f".{SEEDS[0]}.", f".{seed}.")] for seed in SEEDS]
            made[plain] = float(np.mean(runs))
            made[f"{plain}.std"] = float(np.std(runs, ddof=1))
        elif not any(f".{seed}." in name for seed in SEEDS):
            made[name] = value
    return made


QUERIES = (
    "cartoon animals singing for children",
    "monster terror blood nightmare",
    "soldiers battle war army",
    "romantic comedy wedding love couple",
    "space alien planet ship",
    "cowboy outlaw sheriff town",
)


def draw_found(films: MovieLens, world: World, towers: Towers) -> None:
    """The posters that a few words find, among the withheld films, as one picture to look at."""
    encoder = films.encoder(WordVectorsConfig(file=resolve(WORDS)), ("plot",))
    vectors = encoder.encode(list(QUERIES)).vectors
    phrases = np.concatenate([np.zeros((1, vectors.shape[1]), np.float32), vectors])
    size = len(QUERIES)
    asked = HeldOutQueries.of(
        user=[0] * size, histories=[[]] * size, targets=[[0]] * size, terms=range(1, size + 1)
    )
    scorer = towers_scorer(towers, known=np.zeros(1, np.bool_), phrases=phrases)
    scores = np.where(world.ranked["test"], scorer.score(asked), -np.inf)
    draw(RUNS / "found.png", films.catalogue, QUERIES, np.argsort(-scores, axis=1)[:, :8])


def _show(
    figures: Mapping[str, float], inputs: Mapping[str, Mapping[str, tuple[str, ...]]]
) -> None:
    table = Table("asked by", "item tower", *METRICS)
    for at in sorted({".".join(name.split(".")[:2]) for name in figures}):
        for name in ("chance", *inputs[at.split(".")[0]]):
            spread = [figures.get(f"{at}.{name}.{metric}.std") for metric in METRICS]
            cells = [
                f"{figures[f'{at}.{name}.{metric}']:.4f}" + (f" ± {std:.4f}" if std else "")
                for metric, std in zip(METRICS, spread)
            ]
            table.add_row(at, name, *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
