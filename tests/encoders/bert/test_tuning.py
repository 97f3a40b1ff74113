"""Masked words are guessed: what is masked, what is minimised, and a tuning that can be killed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from recsys.encoders import BertConfig, Encoder, build_encoder, obtain_encoder
from recsys.encoders.bert import tuning as module
from recsys.encoders.bert.config import BertTuning
from recsys.encoders.bert.files import read_pretrained
from recsys.encoders.bert.masking import Masked, Vocabulary, masked
from recsys.encoders.bert.tokens import Batch
from recsys.encoders.checkpoints import own_place
from recsys.errors import EncoderError
from recsys.pipeline.config import RunConfig
from tests.encoders.bert.test_encoder import BertContract, forward, pieces
from tests.encoders.bert.tiny_bert import NUMBERS, VOCABULARY, random_state, write_folder

ROWS = {token: row for row, token in enumerate(VOCABULARY)}
# Each word tells all the others of its text: what is masked can be known.
TEXTS = ["red lamp light large", "green garden table old", "blue kitchen chair new"] * 8
SHORT = BertTuning(epochs=2, batch_tokens=30, learning_rate=1e-3)


class TestTuned(BertContract):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        config = BertConfig(model=str(write_folder(folder)), layer=1, tuning=SHORT)
        return build_encoder(config, [*TEXTS, "", None, "\U0001f600"])


def batch_of(texts: Sequence[str]) -> Batch:
    tokens = np.stack(pieces().tokens(texts, 64))
    return Batch(np.arange(len(texts)), tokens, np.ones_like(tokens))


def test_of_the_chosen_tokens_80_are_masked_10_replaced_10_kept() -> None:
    batch = batch_of(["red zzz lamp chair"] * 20_000)
    vocabulary = Vocabulary.of(VOCABULARY)
    got = masked(batch, vocabulary, 0.15, np.random.default_rng(0))
    flat, before = got.tokens.reshape(-1), batch.tokens.reshape(-1)
    assert len(got.places) / (3 * 20_000) == pytest.approx(0.15, abs=0.005)
    np.testing.assert_array_equal(got.answers, before[got.places])
    assert {VOCABULARY[row] for row in np.unique(got.answers)} == {"red", "lamp", "chair"}
    now = flat[got.places]
    hidden, kept = now == ROWS["[MASK]"], now == got.answers
    assert hidden.mean() == pytest.approx(0.8, abs=0.015)
    assert kept.mean() == pytest.approx(0.1 + 0.1 / 28, abs=0.01)
    replaced = np.unique(now[~hidden])
    assert len(replaced) == len(VOCABULARY) - 5 and not np.isin(replaced, vocabulary.special).any()
    others = np.setdiff1d(np.arange(len(flat)), got.places)
    np.testing.assert_array_equal(flat[others], before[others])


def test_one_token_is_chosen_at_the_least() -> None:
    got = masked(batch_of(["zzz lamp"]), Vocabulary.of(VOCABULARY), 1e-9, np.random.default_rng(0))
    assert got.places.tolist() == [2] and got.answers.tolist() == [ROWS["lamp"]]


def test_the_loss_is_the_one_written_down(tmp_path: Path) -> None:
    model = read_pretrained(BertConfig(model=str(write_folder(tmp_path))))
    run = module._Run.of(BertTuning(dropout=0.0), model, 10)
    batch = batch_of(["red lamp light", "blue chair new"])
    tokens = batch.tokens.copy()
    tokens[0, 2] = tokens[1, 1] = ROWS["[MASK]"]
    places = np.array([2, tokens.shape[1] + 1], np.int32)
    answers = batch.tokens.reshape(-1)[places]
    run.learn(Masked(tokens, batch.real, places, answers))

    from scipy.special import erf, log_softmax

    states = np.concatenate([forward(NUMBERS, random_state(), row) for row in tokens])[places]
    inner = states * (1 + erf(states / np.sqrt(2))) / 2
    normed = (inner - inner.mean(axis=1, keepdims=True)) / inner.std(axis=1, keepdims=True)
    logits = normed @ random_state()["embeddings.word_embeddings.weight"].T.astype(np.float64)
    expected = -log_softmax(logits, axis=1)[[0, 1], answers].mean()
    assert float(run.total) == pytest.approx(expected, rel=1e-5)


def test_the_loss_falls_below_what_counting_words_reaches(tmp_path: Path) -> None:
    """Without the context the best guess costs the entropy of the words; here context tells all."""
    words = " ".join(TEXTS).split()
    counts = np.array(list(Counter(words).values())) / len(words)
    entropy = -float(counts @ np.log(counts))
    losses: list[float] = []

    def tell(what: str, done: int, total: int, note: str = "") -> None:
        if what == "tune bert" and note.startswith("epoch"):
            losses.append(float(note.rsplit(" ", 1)[1]))

    tuning = BertTuning(epochs=40, batch_tokens=72, learning_rate=5e-3, dropout=0.0)
    config = BertConfig(model=str(write_folder(tmp_path)), tuning=tuning)
    build_encoder(config, TEXTS, progress=tell)
    assert losses[0] > entropy > 2 and losses[-1] < 0.5 * entropy


class Killed(Exception):
    """Stands for a signal."""


def run_until(step: int | None, folder: Path, checkpoints: Path | None) -> tuple[str, list[str]]:
    told: list[str] = []

    def tell(what: str, done: int, total: int, note: str = "") -> None:
        if what == "tune bert":
            told.append(f"{done}/{total} {note}")
            if done == step:
                raise Killed

    config = BertConfig(model=str(write_folder(folder)), layer=1, tuning=SHORT)
    encoder = build_encoder(config, TEXTS, checkpoints=checkpoints, progress=tell)
    return encoder.fingerprint, told


@cache
def whole_run(folder: Path) -> tuple[str, list[str]]:
    return run_until(None, folder, None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("model")


@pytest.mark.slow
def test_a_killed_tuning_resumes_and_ends_the_same(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside an epoch, with dropout, and with the mean loss of what was done of it."""
    monkeypatch.setattr(module, "KEEP_EVERY", 3)
    fingerprint, told = whole_run(folder)
    assert len(told) == 10 and told[0].startswith("1/10 epoch 1 of 2, loss ")
    with pytest.raises(Killed):
        run_until(8, folder, tmp_path)
    again, rest = run_until(None, folder, tmp_path)
    assert rest == told[6:]
    assert again == fingerprint


def test_a_damaged_checkpoint_means_starting_over(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(Killed):
        run_until(7, folder, tmp_path)
    for path in tmp_path.rglob("*.data-*"):
        path.write_bytes(path.read_bytes()[:100])
    again, told = run_until(None, folder, tmp_path)
    assert len(told) == 10 and again == whole_run(folder)[0]


def test_what_another_tuning_left_is_removed(tmp_path: Path, folder: Path) -> None:
    model = read_pretrained(BertConfig(model=str(write_folder(folder))))
    tokens = pieces().tokens(["red lamp", "a rug"], 64)
    own = module._training(SHORT, model, tokens)
    others = [
        module._training(SHORT, model, tokens[:1]),
        module._training(SHORT.model_copy(update={"seed": 1}), model, tokens),
        module._training(SHORT, replace(model, state=random_state(1)), tokens),
    ]
    for left in others:
        own_place(tmp_path, "bert", left).mkdir()
    own_place(tmp_path, "bert", own)
    assert len({own, *others}) == 4 and not list(tmp_path.iterdir())


def test_a_tuning_that_diverges_is_refused(folder: Path) -> None:
    tuning = BertTuning(learning_rate=1e30, batch_tokens=30, epochs=3)
    with pytest.raises(EncoderError, match="tuning became nan in step .*lower 'tuning.learning_ra"):
        build_encoder(BertConfig(model=str(write_folder(folder)), layer=1, tuning=tuning), TEXTS)


def test_without_a_known_word_there_is_nothing_to_tune_on(folder: Path) -> None:
    config = BertConfig(model=str(write_folder(folder)), layer=1, tuning=SHORT)
    with pytest.raises(EncoderError, match="needs texts with words that it knows; there is none"):
        build_encoder(config, ["", "zzz", None])


def test_one_text_of_one_word_is_enough(folder: Path) -> None:
    tuning = BertTuning(epochs=1)
    encoder = build_encoder(
        BertConfig(model=str(write_folder(folder)), layer=1, tuning=tuning), ["lamp"]
    )
    assert encoder.encode(["lamp", "rug"]).mask.all()


def test_only_a_tuned_one_looks_at_the_items(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def tuned(config, model, pieces, texts, **options):
        seen.append(len(texts))
        return model

    monkeypatch.setattr("recsys.encoders.bert.encoder.tuned", tuned)
    plain = BertConfig(model=str(write_folder(folder)))
    for texts in (TEXTS, TEXTS, ["a new apple pie", "the old cafe", "?"]):
        obtain_encoder(plain, texts, tmp_path / "plain")
        obtain_encoder(plain.model_copy(update={"tuning": SHORT}), texts, tmp_path / "tuned")
    assert seen == [24, 2]


def test_the_seed_of_a_run_reaches_the_tuning() -> None:
    log = {"interactions": {"format": "csv", "path": "log.csv"}}
    text = {"name": "bert", "model": "m", "tuning": {}}
    run = RunConfig.model_validate({"name": "a", "data": log, "text": text, "seed": 7})
    assert run.seeded().text.tuning.seed == 7
    given = {**text, "tuning": {"seed": 3}}
    run = RunConfig.model_validate({"name": "a", "data": log, "text": given, "seed": 7})
    assert run.seeded().text.tuning.seed == 3
    assert math.isfinite(run.text.tuning.learning_rate)
