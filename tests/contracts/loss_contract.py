"""What every loss must do: a subclass gives its config and its value by hand; all of this runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from recsys._tf import compiled, tf, tf_keras
from recsys.ids import IdMap, Mask, Rows, Vectors
from recsys.interactions import Interactions
from recsys.towers.draws import Draws
from recsys.towers.losses.build import Loss, LossInput, build_loss
from recsys.towers.losses.configs import PositionLossConfig
from tests.towers.worlds import checker_board

WINDOWS = np.array([[2, 1, 3, 1], [1, 4, -1, -1], [5, 1, 6, -1]], np.int32)
"""Three users' items; item 0 is cold, item 1 popular, and user 0 meets it twice."""
ITEMS, DIMENSION = 7, 4
WIDTH = 3
"""Dimension of the checker-board's vectors: too small to memorise its exceptions."""


def log_of(windows: Rows, items: int = ITEMS) -> Interactions:
    """A log in which each window is the whole history of its user."""
    user, position = np.nonzero(windows >= 0)
    return Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(len(windows))]),
        IdMap.of("item", [f"i{row}" for row in range(items)]),
        user=user,
        item=windows[user, position],
        time=position,
        clock="position",
    )


def unit(*shape: int, seed: int) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal(shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def input_of(
    loss: Loss,
    windows: Rows,
    queries: Vectors,
    table: Vectors,
    *,
    weights: npt.ArrayLike | None = None,
) -> LossInput:
    """Arguments of ``loss``: one query per real position, item vectors from a table."""
    window, position = np.nonzero(windows >= 0)
    positives = tf.constant(windows[window, position], tf.int32)
    candidates = loss.candidates(positives, Draws(np.array([0, 0])))
    return LossInput(
        queries=tf.constant(queries),
        positives=positives,
        positive_vectors=tf.gather(tf.constant(table), positives),
        weights=tf.constant(np.ones(len(window)) if weights is None else weights, tf.float32),
        candidates=candidates,
        candidate_vectors=tf.gather(tf.constant(table), candidates),
        windows=tf.constant(windows, tf.int32),
        users=tf.range(len(windows)),
        window=tf.constant(window, tf.int32),
        position=tf.constant(position, tf.int32),
    )


def gradients(loss: Loss, inputs: LossInput) -> dict[str, npt.NDArray[np.float32]]:
    """Of the loss, with respect to queries, positives and candidates, each by itself."""
    names = ("queries", "positive_vectors", "candidate_vectors")
    with tf.GradientTape() as tape:
        watched = {name: tf.identity(getattr(inputs, name)) for name in names}
        tape.watch(watched)
        value = loss.compute(replace(inputs, **watched))
    found = tape.gradient(value, watched, unconnected_gradients="zero")
    return {name: part.numpy() for name, part in found.items()}


Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Numbers:
    """Positions in float64, for formulas written out.

    Attributes:
        own: Inner products of queries and their positives, ``[p]``.
        scores: Those of queries and candidates, ``[p, c]``.
        others: Which candidates are not the query's own positive, bool ``[p, c]``.
        counts: Number of training interactions per item, ``[items]``.
    """

    own: Doubles
    scores: Doubles
    others: Mask
    queries: Doubles
    positive_vectors: Doubles
    positives: Rows
    candidates: Rows
    weights: Doubles
    counts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, inputs: LossInput, log: Interactions) -> Numbers:
        queries = inputs.queries.numpy().astype(np.float64)
        vectors = inputs.positive_vectors.numpy().astype(np.float64)
        positives, candidates = inputs.positives.numpy(), inputs.candidates.numpy()
        return cls(
            own=(queries * vectors).sum(axis=1),
            scores=queries @ inputs.candidate_vectors.numpy().T,
            others=candidates != positives[:, None],
            queries=queries,
            positive_vectors=vectors,
            positives=positives,
            candidates=candidates,
            weights=inputs.weights.numpy(),
            counts=log.item_counts,
        )


class LossContract(ABC):
    """A subclass is one setting of one loss.

    Attributes:
        config: Mild enough that by rounding no gradient vanishes.
        learner: As one would train with it in a small world; ``config`` if None.
    """

    config: PositionLossConfig
    learner: PositionLossConfig | None = None

    @abstractmethod
    def by_hand(self, numbers: Numbers) -> Doubles | float:
        """One loss per position, or their mean."""

    def value_by_hand(self, inputs: LossInput, log: Interactions) -> float:
        numbers = Numbers.of(inputs, log)
        losses = np.broadcast_to(self.by_hand(numbers), numbers.own.shape)
        return float((losses * numbers.weights).mean())

    @pytest.fixture(scope="class")
    @classmethod
    def loss(cls) -> Loss:
        return build_loss(cls.config, log_of(WINDOWS))

    @pytest.fixture
    def inputs(self, loss: Loss) -> LossInput:
        tf.random.set_seed(3)
        weights = [1, 2, 1, 0.5, 1, 3, 1, 1, 1]
        return input_of(
            loss, WINDOWS, unit(9, DIMENSION, seed=1), unit(ITEMS, DIMENSION, seed=2),
            weights=weights,
        )  # fmt: skip

    def one_position(self, loss: Loss, *, seed: int = 1) -> LossInput:
        windows = np.array([[1]], np.int32)
        return input_of(
            loss, windows, unit(1, DIMENSION, seed=seed), unit(ITEMS, DIMENSION, seed=2)
        )

    def test_value_by_hand(self, loss: Loss, inputs: LossInput) -> None:
        value = float(loss.compute(inputs))
        assert value == pytest.approx(self.value_by_hand(inputs, log_of(WINDOWS)), rel=1e-4)

    def test_no_candidate_is_cold_or_twice(self, inputs: LossInput) -> None:
        candidates = inputs.candidates.numpy().tolist()
        assert 0 not in candidates and len(set(candidates)) == len(candidates)

    def test_a_step_raises_the_score_of_the_positive(self, loss: Loss) -> None:
        table = unit(ITEMS, DIMENSION, seed=2)
        for seed in range(5):
            two = input_of(loss, np.array([[1], [2]]), unit(2, DIMENSION, seed=seed), table)
            slopes = (gradients(loss, two)["positive_vectors"] * two.queries.numpy()).sum(axis=1)
            assert (slopes < 0).all()

    def test_a_target_is_not_a_negative_of_its_query(self, loss: Loss) -> None:
        one = self.one_position(loss)
        own = one.candidates.numpy() == 1
        pushed = gradients(loss, one)["candidate_vectors"]
        assert not pushed[own].any()

    def test_a_position_without_weight_does_not_count(self, loss: Loss, inputs: LossInput) -> None:
        weights = inputs.weights.numpy()
        weights[4] = 0
        without = replace(inputs, weights=tf.constant(weights))
        turned = inputs.queries.numpy()
        turned[4] *= -1
        value = float(loss.compute(without))
        again = float(loss.compute(replace(without, queries=tf.constant(turned))))
        assert again == pytest.approx(value, rel=1e-6)
        assert not gradients(loss, without)["queries"][4].any()

    def test_a_weight_of_2_counts_as_two_copies(self, loss: Loss, inputs: LossInput) -> None:
        if getattr(self.config, "correction", "none") != "none":
            pytest.skip("log Q depends on the number of positions")
        twice = tf.constant([0, *range(9)])
        per_position = ("queries", "positives", "positive_vectors", "window", "position")
        parts = {name: tf.gather(getattr(inputs, name), twice) for name in per_position}
        copies = float(loss.compute(replace(inputs, weights=tf.ones(10), **parts)))
        heavy = replace(inputs, weights=tf.constant([2.0] + [1.0] * 8))
        assert 9 * float(loss.compute(heavy)) == pytest.approx(10 * copies, rel=1e-5)

    def test_the_order_does_not_matter(self, loss: Loss, inputs: LossInput) -> None:
        order = np.random.default_rng(0).permutation(9)
        per_position = ("queries", "positives", "positive_vectors", "weights", "window", "position")
        parts = {name: tf.gather(getattr(inputs, name), order) for name in per_position}
        shuffled = float(loss.compute(replace(inputs, **parts)))
        assert shuffled == pytest.approx(float(loss.compute(inputs)), rel=1e-5)

    @pytest.mark.parametrize("scale", [0, 1, -1, 300, -300])
    def test_extreme_scores_are_finite(self, inputs: LossInput, scale: float) -> None:
        """Queries equal to their positives, opposite to them, long, and of length 0."""
        config = self.config
        if "temperature" in type(config).model_fields:
            config = config.model_copy(update={"temperature": 1e-3})
        loss = build_loss(config, log_of(WINDOWS))
        extreme = replace(inputs, queries=scale * inputs.positive_vectors)
        assert np.isfinite(float(loss.compute(extreme)))
        assert all(np.isfinite(part).all() for part in gradients(loss, extreme).values())

    def test_one_position(self, loss: Loss) -> None:
        one = self.one_position(loss)
        by_hand = self.value_by_hand(one, log_of(WINDOWS))
        assert float(loss.compute(one)) == pytest.approx(by_hand, rel=1e-4, abs=1e-7)

    @pytest.mark.parametrize("items", [2, ITEMS], ids=["alone in the catalogue", "among others"])
    def test_the_same_item_everywhere(self, items: int) -> None:
        """Where no other item is warm, there is no negative at all."""
        windows = np.full((3, 3), 1, np.int32)
        log = log_of(windows if items == 2 else np.vstack([windows, [[2, 3, 4]]]), items)
        loss = build_loss(self.config, log)
        same = input_of(loss, windows, unit(9, DIMENSION, seed=1), unit(items, DIMENSION, seed=2))
        by_hand = self.value_by_hand(same, log)
        assert float(loss.compute(same)) == pytest.approx(by_hand, rel=1e-4, abs=1e-6)
        assert all(np.isfinite(part).all() for part in gradients(loss, same).values())

    def test_learns_the_checker_board(self) -> None:
        """Of the squares not seen in training, each user's best is the one of their colour."""
        log, withheld = checker_board(20)
        tables = learned(self.learner or self.config, log)
        scores = tables["users"] @ tables["items"].T
        scores[log.user, log.item] = -np.inf
        assert (scores.argmax(axis=1) == withheld).all()


def learned(config: PositionLossConfig, log: Interactions) -> dict[str, Vectors]:
    """Free unit vectors of users and items after 150 steps over the whole log."""
    tf_keras.utils.set_random_seed(7)
    loss = build_loss(config, log)
    users = tf.Variable(tf.random.normal((len(log.users), WIDTH)))
    items = tf.Variable(tf.random.normal((len(log.items), WIDTH)))
    adam = tf_keras.optimizers.legacy.Adam(0.05)
    user, item = tf.constant(log.user), tf.constant(log.item)

    def value(seed: Any) -> Any:
        candidates = loss.candidates(item, Draws(seed))
        vectors = tf.math.l2_normalize(items, axis=1)
        inputs = LossInput(
            queries=tf.gather(tf.math.l2_normalize(users, axis=1), user),
            positives=item,
            positive_vectors=tf.gather(vectors, item),
            weights=tf.ones(tf.size(item)),
            candidates=candidates,
            candidate_vectors=tf.gather(vectors, candidates),
            windows=item[:, None],
            users=user,
            window=tf.range(tf.size(item)),
            position=tf.zeros_like(item),
        )
        return loss.compute(inputs)

    @compiled  # type: ignore[untyped-decorator]
    def learn(seed: Any) -> None:
        with tf.GradientTape() as tape:
            now = value(seed)
        adam.apply_gradients(zip(tape.gradient(now, [users, items]), [users, items]))

    for step in range(150):
        learn(tf.constant([7, step], tf.int64))
    parts: dict[str, Any] = {"users": users, "items": items}
    return {name: tf.math.l2_normalize(table, axis=1).numpy() for name, table in parts.items()}
