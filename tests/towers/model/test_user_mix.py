import numpy as np
import pytest

from recsys._tf import tf
from recsys.towers import NoHistory, TowersConfig
from recsys.towers.model.user_mix import UserMix

STATE = tf.constant([[1.0, 2.0], [3.0, 4.0]])
USER = tf.constant([[10.0, 0.0], [20.0, 0.0]])


def mixed(way: str, known=(1.0, 0.0), share=0.25) -> np.ndarray:
    mix = UserMix(TowersConfig(user_id="embedding", user_mix=way, user_share=share))
    return mix(STATE, USER, tf.constant(known)).numpy()


def test_a_sum_adds_and_shares_weigh():
    np.testing.assert_allclose(mixed("sum")[0], [11, 2])
    np.testing.assert_allclose(mixed("share")[0], [0.25 * 10 + 0.75 * 1, 0.75 * 2])
    np.testing.assert_allclose(mixed("trained-share"), mixed("share"), rtol=1e-6)


@pytest.mark.parametrize("way", ["sum", "share", "trained-share"])
def test_an_unknown_user_is_asked_for_by_the_history_alone(way):
    np.testing.assert_allclose(mixed(way)[1], STATE[1])


def test_the_share_is_trained():
    mix = UserMix(TowersConfig(user_id="embedding", user_mix="trained-share"))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(mix(STATE, USER, tf.ones(2)))
    (gradient,) = tape.gradient(loss, mix.trainable_variables)
    # d/dg of (1 - g) 10 + g 30, times g (1 - g) at g = 1/2.
    assert float(gradient) == pytest.approx(20 / 4)


def test_there_must_be_two_to_share_between():
    for chosen in ({"user_id": "none"}, {"user_id": "embedding", "history": NoHistory()}):
        with pytest.raises(ValueError, match="shares between a user and a history: it needs"):
            TowersConfig(user_mix="share", **chosen)
