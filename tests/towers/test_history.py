import numpy as np
import pytest

from recsys._tf import tf
from recsys.towers import MeanHistory, NoHistory, TowersConfig, TransformerHistory
from recsys.towers.history import build_history_encoder

VECTORS = np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32)


class HistoryContract:
    """What every history encoder keeps."""

    config: object

    @pytest.fixture
    def encoder(self):
        tf.random.set_seed(3)
        return build_history_encoder(TowersConfig(dimension=8, history=self.config))

    def test_one_state_a_moment(self, encoder):
        assert encoder(tf.constant(VECTORS)).shape == (2, 6, 8)

    def test_no_state_depends_on_a_later_item(self, encoder):
        changed = VECTORS.copy()
        changed[:, 3:] = 7
        before, after = encoder(tf.constant(VECTORS)), encoder(tf.constant(changed))
        np.testing.assert_allclose(before[:, :4], after[:, :4], atol=1e-5)
        moved = np.abs(before[:, 4] - after[:, 4]).max() > 1e-3
        assert moved == (self.config.window > 0)

    def test_an_empty_history_has_a_state(self, encoder):
        states = encoder(tf.zeros((1, 0, 8)))
        assert states.shape == (1, 1, 8) and np.isfinite(states).all()

    def test_a_history_alone_equals_it_in_a_batch(self, encoder):
        both = encoder(tf.constant(VECTORS))
        np.testing.assert_allclose(encoder(tf.constant(VECTORS[1:]))[0], both[1], atol=1e-5)


class TestMean(HistoryContract):
    config = MeanHistory(window=5)

    def test_untrained_it_is_the_running_mean(self, encoder):
        states = encoder(tf.constant(VECTORS)).numpy()
        np.testing.assert_allclose(states[0, 3], VECTORS[0, :3].mean(axis=0), atol=1e-5)


class TestTransformer(HistoryContract):
    config = TransformerHistory(window=5, blocks=2, heads=2)

    def test_order_matters(self, encoder):
        turned = encoder(tf.constant(VECTORS[:, ::-1].copy()))
        assert np.abs(turned[:, 5] - encoder(tf.constant(VECTORS))[:, 5]).max() > 1e-3


class TestNone(HistoryContract):
    config = NoHistory()

    def test_every_state_is_the_trained_start(self, encoder):
        states = encoder(tf.constant(VECTORS)).numpy()
        np.testing.assert_array_equal(states, np.broadcast_to(states[0, 0], states.shape))
        assert [weight.shape for weight in encoder.trainable_weights] == [(8,)]
