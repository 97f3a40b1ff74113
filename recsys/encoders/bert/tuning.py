"""Tunes a BERT on the item texts; resumes after the last step that was kept.

For the objective see ``configs.BertTuning``. Every random choice has a seed of its own (the order
of an epoch, the masks and the dropout of a step), so that a resumed run ends where an unbroken
one does.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys._tf import compiled, tf, tf_keras
from recsys.encoders.bert.config import BertTuning
from recsys.encoders.bert.files import Pretrained
from recsys.encoders.bert.masking import Masked, Vocabulary, masked
from recsys.encoders.bert.network import build_backbone, hidden, state_of, weights_of
from recsys.encoders.bert.tokens import PAD, Batch, Tokens, WordPieces, batches
from recsys.encoders.checkpoints import own_place
from recsys.errors import EncoderError
from recsys.progress import Progress

KEEP_EVERY = 200
"""Steps between two checkpoints inside an epoch: some minutes on two cores."""


def tuned(
    config: BertTuning,
    model: Pretrained,
    pieces: WordPieces,
    texts: Sequence[Tokens],
    *,
    checkpoints: Path | None,
    progress: Progress,
) -> Pretrained:
    """``model`` with the weights that it has after the tuning.

    Args:
        config: The schedule.
        model: What it starts from.
        pieces: Its vocabulary.
        texts: The tokens of the texts, each with a known word.
        checkpoints: A folder that no other BERT is tuned in, or None.
        progress: Told of every step, with the mean loss of its epoch so far.

    Raises:
        EncoderError: There is no text, or the loss is not finite.
    """
    if not texts:
        raise EncoderError(
            "tuning a BERT needs texts with words that it knows; there is none: give the item "
            "texts, or leave 'tuning' out",
            field="tuning",
        )
    steps = len(_epoch(config, texts, pieces, 0))
    run = _Run.of(config, model, config.epochs * steps)
    keeper = None
    if checkpoints is not None:
        keeper = run.keeper(own_place(checkpoints, "bert", _training(config, model, texts)))
    if keeper is not None and keeper.latest_checkpoint and not run.takes(keeper.latest_checkpoint):
        shutil.rmtree(keeper.directory, ignore_errors=True)  # Damaged: from the start.
        run = _Run.of(config, model, config.epochs * steps)
        keeper = run.keeper(Path(keeper.directory))
    vocabulary = Vocabulary.of(pieces.vocabulary)
    while (done := int(run.step)) < config.epochs * steps:
        epoch, first = divmod(done, steps)
        for step, batch in enumerate(_epoch(config, texts, pieces, epoch)[first:], first):
            rng = np.random.default_rng((config.seed, epoch, step))
            run.learn(masked(batch, vocabulary, config.mask_share, rng))
            loss = float(run.total) / (step + 1)
            if not math.isfinite(loss):
                raise EncoderError(
                    f"the loss of the BERT's tuning became {loss} in step {done + 1:,}: "
                    "lower 'tuning.learning_rate'",
                    field="tuning.learning_rate",
                )
            done += 1
            if step + 1 == steps:
                run.total.assign(0.0)
            if keeper is not None and (step + 1 == steps or done % KEEP_EVERY == 0):
                keeper.save(checkpoint_number=done)
            note = f"epoch {epoch + 1} of {config.epochs}, loss {loss:.4f}"
            progress("tune bert", done, config.epochs * steps, note)
    return Pretrained(model.numbers, model.vocabulary, state_of(run.backbone, model.numbers))


def _epoch(
    config: BertTuning, texts: Sequence[Tokens], pieces: WordPieces, epoch: int
) -> list[Batch]:
    """The batches of an epoch, as many in each: texts of one length change places, and batches."""
    rng = np.random.default_rng((config.seed, epoch))
    order = rng.permutation(len(texts))
    found = list(batches(texts, order, size=config.batch_tokens, padding=pieces.row(PAD)))
    return [found[number] for number in rng.permutation(len(found))]


def _training(config: BertTuning, model: Pretrained, texts: Sequence[Tokens]) -> str:
    """A hash of all that a training depends on."""
    digest = hashlib.sha256(config.model_dump_json().encode())
    digest.update(model.numbers.model_dump_json().encode())
    for part in (*model.state.values(), *texts):
        digest.update(np.ascontiguousarray(part).tobytes())
        digest.update(b"|")
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class _Run:
    """A tuning under way.

    Attributes:
        backbone: The network.
        head: W ``[d, d]``, c, the norm's scale and shift ``[d]``, and b ``[vocabulary]``.
        optimizer: Adam.
        step: Steps done.
        total: The sum of this epoch's losses.
        call: One step, from tokens, what is real, places, answers to the loss.
    """

    backbone: Any
    head: list[Any]
    optimizer: Any
    step: Any
    total: Any
    call: Any

    @classmethod
    def of(cls, config: BertTuning, model: Pretrained, steps: int) -> _Run:
        """The start: the model as it was published, and a head that was never trained."""
        d, numbers = model.numbers.width, model.numbers
        backbone = build_backbone(numbers, model.state, dropout=config.dropout)
        start = (np.eye(d), np.zeros(d), np.ones(d), np.zeros(d), np.zeros(numbers.vocabulary))
        head = [tf.Variable(value, dtype=tf.float32) for value in start]
        rise = max(1, steps // 10)
        rate = tf_keras.optimizers.schedules.CosineDecay(
            0.0, max(1, steps - rise), warmup_target=config.learning_rate, warmup_steps=rise
        )
        optimizer = tf_keras.optimizers.Adam(rate, global_clipnorm=1.0)
        step, total = tf.Variable(0, dtype=tf.int64), tf.Variable(0.0)
        call = _step(config, model, backbone, head, optimizer, step)
        return cls(backbone, head, optimizer, step, total, call)

    def learn(self, batch: Masked) -> None:
        """One step."""
        parts = (batch.tokens, batch.real, batch.places, batch.answers)
        self.total.assign_add(self.call(*map(tf.constant, parts)))
        self.step.assign_add(1)

    def keeper(self, place: Path) -> Any:
        """Writes this run's state into ``place``."""
        return tf.train.CheckpointManager(self._state, str(place), max_to_keep=1)

    def takes(self, path: str) -> bool:
        """Take up the state in ``path``; False where it is damaged."""
        try:
            self._state.restore(path).assert_consumed()
        except (tf.errors.OpError, ValueError, AssertionError, IndexError, KeyError):
            return False
        return True

    @property
    def _state(self) -> Any:
        return tf.train.Checkpoint(
            network=[variable.value for variable in self.backbone.weights],
            head=self.head,
            optimizer=self.optimizer,
            step=self.step,
            total=self.total,
        )


def _step(
    config: BertTuning, model: Pretrained, backbone: Any, head: list[Any], optimizer: Any, step: Any
) -> Any:
    paths = {weight.path for weight in weights_of(model.numbers)}  # Without the unused pooler.
    network = {w.path: w.value for w in backbone.weights if w.path in paths}
    variables = [*network.values(), *head]
    optimizer.build(variables)  # So that a checkpoint finds all of the optimizer's state.
    table = network["token_embedding/embeddings"]
    seeds = [v for v in backbone.variables if v.name == "seed_generator_state"]
    w, c, scale, shift, b = head
    whole, flat = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32)

    @compiled(input_signature=[whole, whole, flat, flat])  # type: ignore[untyped-decorator]
    def call(tokens: Any, real: Any, places: Any, answers: Any) -> Any:
        for number, seed in enumerate(seeds):
            seed.assign(tf.stack([config.seed + number * 2**20, tf.cast(step, tf.int32)]))
        with tf.GradientTape() as tape:
            states = hidden(backbone, tokens, real, training=True)  # (b, l, d)
            chosen = tf.gather(tf.reshape(states, (-1, model.numbers.width)), places)  # (m, d)
            inner = tf.nn.gelu(chosen @ w + c, approximate=False)
            mean, variance = tf.nn.moments(inner, axes=[1], keepdims=True)
            normed = tf.nn.batch_normalization(inner, mean, variance, shift, scale, 1e-12)
            logits = tf.matmul(normed, table, transpose_b=True) + b  # (m, vocabulary)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=answers, logits=logits)
            )
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return call
