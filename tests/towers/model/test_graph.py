import numpy as np
import pytest

from recsys._tf import tf
from recsys.towers import TowersConfig
from recsys.towers.model.graph import InteractionGraph
from tests.features.met import ITEMS, LOG, USERS, A

RNG = np.random.default_rng(0)
U, E = (RNG.normal(size=(count, 3)).astype(np.float32) for count in (USERS, ITEMS))


def whole(steps: int) -> np.ndarray:
    """(1 / (K + 1)) sum over k of the symmetric adjacency to the k, as a dense matrix."""
    both = np.block([[np.zeros((USERS, USERS)), A], [A.T, np.zeros((ITEMS, ITEMS))]])
    powers = [np.linalg.matrix_power(both, k) for k in range(steps + 1)]
    return np.mean(powers, axis=0)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_propagation_is_the_mean_of_powers_of_the_adjacency(layers):
    users, items = InteractionGraph(LOG, layers=layers).propagate(U, E)
    wanted = whole(layers) @ np.vstack([U, E])
    np.testing.assert_allclose(np.vstack([users, items]), wanted, atol=1e-5)


def test_gradients_flow_back_the_same_way():
    graph = InteractionGraph(LOG, layers=2)
    tables = [tf.Variable(U), tf.Variable(E)]
    pull = RNG.normal(size=(USERS + ITEMS, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.concat(graph.propagate(*tables), axis=0) * pull)
    gradients = np.vstack([part.numpy() for part in tape.gradient(loss, tables)])
    np.testing.assert_allclose(gradients, whole(2).T @ pull, atol=1e-5)


def test_who_met_nothing_keeps_what_is_their_own():
    users, items = InteractionGraph(LOG, layers=3).propagate(U, E)
    np.testing.assert_allclose(users[3], U[3] / 4, atol=1e-6)
    np.testing.assert_allclose(items[4], E[4] / 4, atol=1e-6)


def test_a_graph_joins_ids_that_there_are():
    with pytest.raises(ValueError, match="joins the ids of users and of items: it needs user_id"):
        TowersConfig(graph="light-gcn")
    with pytest.raises(ValueError, match="id_initial = 'spectral' needs item_id = 'embedding'"):
        TowersConfig(id_initial="spectral", item_id="delta")


def test_in_training_a_share_of_the_interactions_is_left_out_on_both_sides_alike():
    graph = InteractionGraph(LOG, layers=1, dropout=0.5)
    # One coordinate a node: what came over each edge can be read off.
    users, items = np.eye(USERS, USERS + ITEMS), np.eye(ITEMS, USERS + ITEMS, k=USERS)
    met, total = A > 0, np.zeros_like(A)
    for seed in range(200):
        tf.random.set_seed(seed)
        tables = [tf.Variable(part.astype(np.float32)) for part in (users, items)]
        of_users, of_items = graph.propagate(*tables, training=True)
        down, up = 2 * of_users[:, USERS:].numpy(), 2 * of_items[:, :USERS].numpy().T
        np.testing.assert_allclose(down, up, atol=1e-6)
        ratio = down[met] / A[met]
        assert np.isin(ratio.round(4), [0, 2]).all()
        total += down
    np.testing.assert_allclose(total[met] / 200, A[met], atol=0.35 * A.max())
    of_users, _ = graph.propagate(users.astype(np.float32), items.astype(np.float32))
    np.testing.assert_allclose(2 * of_users[:, USERS:], A, atol=1e-6)


def test_gradients_flow_back_over_the_interactions_that_were_there():
    graph = InteractionGraph(LOG, layers=1, dropout=0.5)
    tables = [tf.Variable(U), tf.Variable(E)]
    with tf.GradientTape() as tape:
        of_users, _ = graph.propagate(*tables, training=True)
        loss = tf.reduce_sum(of_users)
    (of_items,) = tape.gradient(loss, [tables[1]])
    # The sum of what came is linear in what was there: its gradient gives it back.
    came = 2 * tf.reduce_sum(of_users).numpy() - U.sum()
    np.testing.assert_allclose((2 * of_items.numpy() * E).sum(), came, rtol=1e-3)
