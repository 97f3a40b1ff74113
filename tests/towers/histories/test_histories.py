"""Every history encoder under the contract, and properties of single encoders."""

import numpy as np
import pytest

from recsys._tf import tf, tf_keras
from recsys.errors import ConfigError
from recsys.towers import (
    HstuHistory,
    MeanHistory,
    NoHistory,
    TowersConfig,
    TransformerHistory,
)
from recsys.towers.histories.build import build_history_encoder
from recsys.towers.histories.configs import check_history
from recsys.towers.histories.norm import Norm
from tests.contracts.history_contract import VECTORS, HistoryContract
from tests.towers.worlds import cycle


class TestMean(HistoryContract):
    config = MeanHistory(window=5)
    learns = "kind"


class TestMeanWithEqualWeights(HistoryContract):
    config = MeanHistory(window=5, ages="equal")
    learns = "kind"

    def test_order_does_not_matter(self, encoder):
        reverse = self.read(encoder, VECTORS[:, ::-1].copy())
        np.testing.assert_allclose(reverse[:, 5], self.read(encoder, VECTORS)[:, 5], atol=1e-5)


class TestTransformer(HistoryContract):
    config = TransformerHistory(window=5)
    learns = "order"


class TestTransformerWithPostNorm(HistoryContract):
    config = TransformerHistory(window=5, blocks=1, norm="post")
    learns = "order"


class TestHstu(HistoryContract):
    config = HstuHistory(window=5)
    learns = "order"


class TestNone(HistoryContract):
    config = NoHistory()
    learns = "nothing"

    def test_every_state_is_the_trained_start(self, encoder):
        states = encoder(tf.constant(VECTORS)).numpy()
        np.testing.assert_array_equal(states, np.broadcast_to(states[0, 0], states.shape))
        assert [weight.shape for weight in encoder.trainable_weights] == [(8,)]


def test_an_untrained_mean_is_the_running_mean():
    encoder = build_history_encoder(TowersConfig(dimension=8, history=MeanHistory(window=5)))
    states = encoder(tf.constant(VECTORS)).numpy()
    np.testing.assert_allclose(states[0, 3], VECTORS[0, :3].mean(axis=0), atol=1e-5)


def test_norms_and_their_gradients_equal_those_of_keras():
    x = tf.constant(7 * VECTORS + 1)
    ours, keras = Norm(8), tf_keras.layers.LayerNormalization(epsilon=1e-6)
    keras(x)
    keras.set_weights([VECTORS[0, 0], VECTORS[0, 1]])
    ours.set_weights(keras.get_weights())
    found = []
    for layer in (ours, keras):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            total = tf.reduce_sum(y * VECTORS[::-1])
        found.append([y, *tape.gradient(total, [x, *layer.trainable_variables])])
    for own, theirs in zip(*found):
        np.testing.assert_allclose(own, theirs, rtol=1e-4, atol=1e-5)


def test_hstu_states_equal_its_equations():
    """One unit, computed by hand for the last position of a history."""
    config = HstuHistory(window=5, blocks=1, heads=2)
    encoder = build_history_encoder(TowersConfig(dimension=8, history=config))
    encoder(tf.constant(VECTORS))
    rng = np.random.default_rng(5)
    encoder.set_weights([rng.normal(scale=0.5, size=w.shape) for w in encoder.weights])
    tokens, unit = encoder._tokens, encoder._units[0]
    x = tokens(tf.constant(VECTORS[:1])).numpy()[0]
    u, v, q, k = np.split(silu(norm(x, unit._norms[0]) @ unit._enter.kernel.numpy()), 4, axis=1)
    attended = np.zeros(8)
    for head in range(2):
        part = slice(4 * head, 4 * head + 4)
        for i in range(6):
            score = q[5, part] @ k[i, part] + unit._positions.numpy()[head, 5 - i]
            attended[part] += silu(score) * v[i, part] / 6
    y = norm(attended, unit._norms[1]) * u[5]
    last = x[5] + y @ unit._leave.kernel.numpy() + unit._leave.bias.numpy()
    state = norm(last, encoder._norm)
    np.testing.assert_allclose(encoder(tf.constant(VECTORS[:1]))[0, 5], state, atol=1e-4)


def silu(x):
    return x / (1 + np.exp(-x))


def norm(x, layer):
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-6)
    return scaled * layer.gamma.numpy() + layer.beta.numpy()


def test_missing_timestamps_and_indivisible_sizes_are_refused():
    with pytest.raises(ConfigError, match="needs timestamps, and this log has only positions"):
        check_history(HstuHistory(time_bias="log-buckets"), dimension=8, log=cycle())
    with pytest.raises(ConfigError, match=r"16 must be a multiple of towers\.history\.heads 3"):
        check_history(HstuHistory(heads=3), dimension=16, log=cycle())
