"""What every history encoder must keep. A new encoder's test is one subclass with its ``config``.

class TestMine(HistoryContract):
    config = MyHistory(window=5)
    learns = "order"
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

from recsys._tf import tf
from recsys.towers import QueryBatch, TowersConfig, TrainConfig, fit, load_towers
from recsys.towers.histories.build import Times, build_history_encoder
from tests.towers.worlds import cycle, one_kind_per_user

DIMENSION, WINDOW, EPOCHS = 8, 5, 12
VECTORS = np.random.default_rng(0).normal(size=(3, WINDOW, DIMENSION)).astype(np.float32)
SECONDS = np.sort(np.random.default_rng(1).integers(0, 10**6, (3, WINDOW))).astype(np.float32)
SECONDS -= SECONDS[:, :1]


def without_dropout(config: Any) -> Any:
    changes = {name: 0.0 for name in ("dropout", "time_dropout") if hasattr(config, name)}
    return config.model_copy(update=changes)


class HistoryContract:
    """Subclass it with a ``config`` of window 5, and say what such an encoder can learn."""

    config: Any
    learns: Literal["order", "kind", "nothing"]

    @pytest.fixture(scope="class")
    @classmethod
    def encoder(cls) -> Any:
        return cls.built(3)

    @classmethod
    def built(cls, seed: int) -> Any:
        """An encoder all of whose weights are random, so that no part of it is silent."""
        encoder = build_history_encoder(TowersConfig(dimension=DIMENSION, history=cls.config))
        encoder(tf.constant(VECTORS))
        rng = np.random.default_rng(seed)
        encoder.set_weights([rng.normal(scale=0.5, size=w.shape) for w in encoder.weights])
        return encoder

    def read(self, encoder: Any, vectors: Any, seconds: Any = SECONDS, **options: Any) -> Any:
        """States of histories whose times are known."""
        known = tf.ones(len(vectors))
        times = Times(tf.constant(seconds[: len(vectors), : vectors.shape[1]]), known)
        return encoder(tf.constant(vectors), times, **options).numpy()

    def test_one_state_per_position(self, encoder) -> None:
        states = self.read(encoder, VECTORS)
        assert states.shape == (3, WINDOW + 1, DIMENSION) and states.dtype == np.float32
        assert np.isfinite(states).all()

    @pytest.mark.parametrize("training", [False, True])
    def test_no_state_depends_on_a_later_item(self, encoder, training) -> None:
        vectors, seconds = tf.constant(VECTORS), tf.constant(SECONDS)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(vectors)
            states = encoder(vectors, Times(seconds, tf.ones(3)), training=training)
            moments = [tf.reduce_sum(states[:, j] * VECTORS[:, 0]) for j in range(WINDOW + 1)]
        for j, moment in enumerate(moments):
            felt = tape.gradient(moment, vectors, unconnected_gradients="zero").numpy()
            np.testing.assert_array_equal(felt[:, j:], 0)
            assert training or (np.abs(felt[:, :j]).max(axis=2) > 0).all() == (
                self.config.window > 0 or j == 0
            )

    def test_no_state_depends_on_a_later_time(self, encoder) -> None:
        later = SECONDS.copy()
        later[:, 3:] += 10**7
        before, after = self.read(encoder, VECTORS), self.read(encoder, VECTORS, later)
        np.testing.assert_allclose(before[:, :4], after[:, :4], atol=1e-5)
        moved = np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-3
        assert moved == self.config.reads_times

    def test_times_that_are_not_known_are_not_read(self, encoder) -> None:
        unknown = encoder(tf.constant(VECTORS), Times(tf.constant(SECONDS), tf.zeros(3)))
        np.testing.assert_array_equal(unknown, encoder(tf.constant(VECTORS)))

    def test_padding_at_the_end_does_not_change_states(self, encoder) -> None:
        padded, seconds = VECTORS.copy(), SECONDS.copy()
        padded[:, 3:], seconds[:, 3:] = 1e6, -1e9
        states = self.read(encoder, padded, seconds)
        whole = self.read(encoder, VECTORS[:, :3])
        np.testing.assert_allclose(states[:, :4], whole, atol=1e-5)

    @pytest.mark.parametrize("length", [0, 1, 2])
    def test_a_history_shorter_than_the_window_is_read_whole(self, encoder, length) -> None:
        states = self.read(encoder, VECTORS[:, :length])
        assert states.shape == (3, length + 1, DIMENSION)
        np.testing.assert_allclose(states, self.read(encoder, VECTORS)[:, : length + 1], atol=1e-5)

    def test_a_history_has_the_same_states_alone_and_in_a_batch(self, encoder) -> None:
        alone = self.read(encoder, VECTORS[:1])
        np.testing.assert_allclose(alone[0], self.read(encoder, VECTORS)[0], atol=1e-5)

    def test_the_same_weights_give_the_same_states(self, encoder) -> None:
        np.testing.assert_array_equal(
            self.read(encoder, VECTORS), self.read(self.built(3), VECTORS)
        )

    def test_no_histories_give_no_states(self, encoder) -> None:
        assert self.read(encoder, VECTORS[:0]).shape == (0, WINDOW + 1, DIMENSION)

    @pytest.fixture(scope="class")
    @classmethod
    def towers(cls, tmp_path_factory) -> Any:
        """Towers trained in the world that such an encoder can know."""
        if cls.learns == "nothing":
            pytest.skip("reads no history")
        return fit(
            cycle() if cls.learns == "order" else one_kind_per_user(),
            (),
            np.zeros((1, 0), np.float32),
            towers=TowersConfig(
                dimension=16,
                history=without_dropout(cls.config),
                id_dropout=0,
                terms="none",
            ),
            train=TrainConfig(
                batch_positions=256,
                learning_rate=0.03,
                epochs=EPOCHS,
                validate_every=EPOCHS,
                warmup_steps=4,
            ),
            folder=tmp_path_factory.mktemp("run"),
            validate=lambda towers: 0.0,
        ).towers

    def histories(self) -> list[Any]:
        """One for each item of the world: a walk that ends at it, and times of these."""
        if self.learns == "order":
            return [np.arange(at, at + 3) % 8 for at in range(6, 14)]
        return [np.array([at, (at + 4) % 8], np.int32) for at in range(8)]

    def test_the_next_item_is_predicted(self, towers) -> None:
        scores = towers.encode(QueryBatch.of(self.histories())) @ towers.item_vectors.T
        if self.learns == "order":
            assert scores.argmax(axis=1).tolist() == [(at + 3) % 8 for at in range(6, 14)]
        else:  # the third item of the same kind, before all of another
            alike = [np.flatnonzero(np.arange(8) % 4 == at % 4) for at in range(8)]
            for line, own in zip(scores, alike):
                assert line[own].min() > np.delete(line, own).max()

    def test_loaded_towers_equal_the_saved_ones(self, towers, tmp_path) -> None:
        towers.save(tmp_path)
        batch = QueryBatch.of(self.histories())
        again = load_towers(tmp_path).encode(batch)
        np.testing.assert_allclose(again, towers.encode(batch), atol=1e-6)
