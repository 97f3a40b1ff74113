import numpy as np
import pytest

from recsys._tf import tf, tf_keras, tfrs
from recsys.progress import silent
from recsys.towers import TrainConfig
from recsys.towers.training.loop import TrainingLoop
from recsys.towers.training.optimizer import LazyAdam, build_optimizer

START = np.array([[1.0, -2.0], [0.5, 4.0], [3.0, 3.0]], np.float32)


def sparse(rows, *values):
    return tf.IndexedSlices(tf.constant(values, tf.float32), tf.constant(rows), tf.constant([3, 2]))


def stepped(optimizer, gradients):
    table = tf.Variable(START)
    for gradient in gradients:
        optimizer.apply_gradients([(gradient, table)])
    return table.numpy()


def test_lazy_adam_equals_adam_if_every_row_is_read():
    gradients = [np.full((3, 2), 0.3, np.float32), np.arange(6, dtype=np.float32).reshape(3, 2)]
    expected = stepped(tf_keras.optimizers.legacy.Adam(0.1), [tf.constant(g) for g in gradients])
    lazy = stepped(LazyAdam(0.1), [sparse([0, 1, 2], *g) for g in gradients])
    dense = stepped(LazyAdam(0.1), [tf.constant(g) for g in gradients])
    np.testing.assert_allclose(lazy, expected, rtol=1e-5)
    np.testing.assert_allclose(dense, expected, rtol=1e-5)


def test_rows_that_no_step_reads_keep_their_values_and_moments():
    first, second = sparse([0], [1.0, 1.0]), sparse([2], [1.0, 1.0])
    table = tf.Variable(START)
    optimizer = LazyAdam(0.1, decay=0.5)
    optimizer.apply_gradients([(first, table)])
    moved = table.numpy()
    moments = [variable.numpy()[0] for variable in optimizer.variables if variable.shape == (3, 2)]
    for _ in range(5):
        optimizer.apply_gradients([(second, table)])
    np.testing.assert_array_equal(table.numpy()[:2], moved[:2])
    np.testing.assert_array_equal(moved[1], START[1])
    assert (table.numpy()[2] < START[2]).all()
    after = [variable.numpy()[0] for variable in optimizer.variables if variable.shape == (3, 2)]
    np.testing.assert_array_equal(after, moments)


def test_a_row_that_is_twice_in_a_step_is_updated_by_the_sum():
    twice = stepped(LazyAdam(0.1), [sparse([1, 1], [1.0, 0.0], [2.0, 0.5])])
    once = stepped(LazyAdam(0.1), [sparse([1], [3.0, 0.5])])
    np.testing.assert_array_equal(twice, once)


@pytest.mark.parametrize(
    "gradient", [np.zeros((3, 2), np.float32), sparse([0, 1, 2], *[[0, 0]] * 3)]
)
def test_weights_decay_by_rate_times_decay(gradient):
    shrunk = stepped(
        LazyAdam(0.1, decay=0.5),
        [tf.convert_to_tensor(gradient) if isinstance(gradient, np.ndarray) else gradient],
    )
    np.testing.assert_allclose(shrunk, START * (1 - 0.1 * 0.5), rtol=1e-6)


@pytest.mark.parametrize(
    ("decay", "shares"),
    [("none", [1, 1, 1]), ("linear", [1, 0.505, 0.01]), ("cosine", [1, 0.505, 0.01])],
)
def test_the_learning_rate_warms_up_and_decays(decay, shares):
    train = TrainConfig(learning_rate=0.5, warmup_steps=10, decay=decay)
    rate = build_optimizer(train, 110)._learning_rate
    assert float(rate(4)) == pytest.approx(0.25)
    np.testing.assert_allclose(
        [float(rate(at)) for at in (10, 60, 110)], np.array(shares) / 2, rtol=1e-5
    )


class OneWeight(tfrs.Model):
    """Model with a loss that moves its weight by 1 per step of gradient descent."""

    def __init__(self):
        super().__init__()
        self.weight = tf.Variable([0.0])

    def compute_loss(self, inputs, training=False):
        return -tf.reduce_sum(self.weight) * tf.cast(tf.size(inputs["item"]), tf.float32)


class Loop(TrainingLoop):
    def batches(self, epoch):
        return 3, [{"item": np.zeros(1, np.int32)}] * 3


def test_averaged_weights_replace_the_weights_inside_the_context_alone():
    model, example = OneWeight(), {"item": np.zeros(1, np.int32)}
    optimizer = tf_keras.optimizers.SGD(1.0)
    loop = Loop(model, optimizer, example, epochs=1, average=0.5, progress=silent)
    loop.train(1, "")
    # Shares 2/11, 3/12, 4/13: all below 0.5.
    expected = 0.0
    for value, share in ((1.0, 2 / 11), (2.0, 3 / 12), (3.0, 4 / 13)):
        expected = share * expected + (1 - share) * value
    with loop.averaged():
        assert model.weight.numpy()[0] == pytest.approx(expected)
    assert model.weight.numpy()[0] == 3.0
    with pytest.raises(RuntimeError), loop.averaged():
        raise RuntimeError
    assert model.weight.numpy()[0] == 3.0
