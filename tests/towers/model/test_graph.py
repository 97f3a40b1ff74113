import numpy as np
import pytest

from recsys._tf import tf
from recsys.towers import TowersConfig
from recsys.towers.model.graph import InteractionGraph
from tests.features.tiny_log import ITEMS, LOG, USERS, A

RNG = np.random.default_rng(0)
U, E = (RNG.normal(size=(count, 3)).astype(np.float32) for count in (USERS, ITEMS))


def mean_of_powers(steps: int) -> np.ndarray:
    """Mean of the powers 0 to ``steps`` of the symmetric adjacency, as a dense matrix."""
    both = np.block([[np.zeros((USERS, USERS)), A], [A.T, np.zeros((ITEMS, ITEMS))]])
    powers = [np.linalg.matrix_power(both, k) for k in range(steps + 1)]
    return np.mean(powers, axis=0)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_propagation_is_the_mean_of_powers_of_the_adjacency(layers):
    users, items = InteractionGraph(LOG, layers=layers).propagate(U, E)
    wanted = mean_of_powers(layers) @ np.vstack([U, E])
    np.testing.assert_allclose(np.vstack([users, items]), wanted, atol=1e-5)


def test_gradients_are_those_of_the_dense_matrix():
    graph = InteractionGraph(LOG, layers=2)
    tables = [tf.Variable(U), tf.Variable(E)]
    pull = RNG.normal(size=(USERS + ITEMS, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.concat(graph.propagate(*tables), axis=0) * pull)
    gradients = np.vstack([part.numpy() for part in tape.gradient(loss, tables)])
    np.testing.assert_allclose(gradients, mean_of_powers(2).T @ pull, atol=1e-5)


def test_ids_without_interactions_are_only_scaled():
    users, items = InteractionGraph(LOG, layers=3).propagate(U, E)
    np.testing.assert_allclose(users[3], U[3] / 4, atol=1e-6)
    np.testing.assert_allclose(items[4], E[4] / 4, atol=1e-6)


def test_graphs_and_spectral_starts_need_id_embeddings():
    with pytest.raises(
        ValueError, match="joins the ids of users and of items: set user_id = .embedding."
    ):
        TowersConfig(graph="light-gcn")
    with pytest.raises(ValueError, match="id_initial = 'spectral' needs item_id = 'embedding'"):
        TowersConfig(id_initial="spectral", item_id="delta")
