"""The frozen query tower computes what the Keras tower computes, for every configuration."""

import numpy as np
import pytest

from recsys._tf import tf
from recsys.errors import DataError
from recsys.towers import (
    HstuHistory,
    MeanHistory,
    NoHistory,
    QueryBatch,
    TowersConfig,
    TransformerHistory,
)
from recsys.towers.frozen.query_tower import FrozenQueryTower
from recsys.towers.histories.times import Times
from recsys.towers.model.query_tower import QueryTower
from recsys.towers.towers import Towers, weights_of

WINDOW, ITEMS, USERS, TERMS = 21, 40, 5, 6
HISTORIES = {
    "transformer": TransformerHistory(window=WINDOW, blocks=2, heads=2),
    "one block after the norm": TransformerHistory(window=WINDOW, blocks=1, heads=1, norm="post"),
    "wide": TransformerHistory(window=WINDOW, blocks=3, heads=3, expansion=2, norm="post"),
    "hstu": HstuHistory(window=WINDOW, blocks=2, heads=2),
    "hstu with times": HstuHistory(window=WINDOW, blocks=2, heads=3, time_bias="log-buckets"),
    "mean": MeanHistory(window=WINDOW),
    "equal mean": MeanHistory(window=WINDOW, ages="equal"),
    "none": NoHistory(),
}


def made(history, *, popularity=0.0, initial="random", plain=False, dimension=12):
    """Towers with random weights, and the Keras tower that has the same."""
    rng = np.random.default_rng(3)
    config = TowersConfig(
        dimension=dimension,
        history=history,
        popularity=popularity,
        initial=initial,
        user_id="none" if plain else "embedding",
        terms="none" if plain else "projection",
        context=() if plain else ("country", "device"),
    )
    sizes = {"users": USERS, "terms": TERMS, "context_country": 3, "context_device": 2}
    sizes |= {} if plain else {"user_vectors": 4}
    keras = QueryTower.empty(config, sizes)
    keras.set_weights(
        [w.numpy() + 0.3 * rng.normal(size=w.shape).astype(np.float32) for w in keras.weights]
    )
    items = rng.normal(size=(ITEMS, dimension)).astype(np.float32)
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    items *= rng.random((ITEMS, 1)).astype(np.float32) if popularity else 1
    return Towers(config, items, sizes, weights_of(keras)), keras


def queries(size=30):
    rng = np.random.default_rng(7)
    lengths = [0, 1, 2, WINDOW, WINDOW + 5, *rng.integers(0, WINDOW, size)][:size]
    times = [np.sort(rng.integers(0, 10 ** rng.integers(1, 9), n)) for n in lengths]
    return QueryBatch.of(
        [rng.integers(0, ITEMS, n).astype(np.int32) for n in lengths],
        users=rng.integers(0, USERS, size).astype(np.int32),
        user_known=rng.random(size) < 0.5,
        terms=rng.normal(size=(size, TERMS)).astype(np.float32),
        terms_known=rng.random(size) < 0.5,
        context={"country": rng.integers(0, 3, size).astype(np.int32)},
        context_known={"country": rng.random(size) < 0.5},
        times=times,
        times_known=rng.random(size) < 0.7,
    )


def by_keras(towers, keras, batch):
    """The vectors of a batch by the trained model, one query at a time."""
    config, out = towers.config, []
    for at, history in enumerate(batch.histories):
        rows = history[-config.history.window :] if config.history.window else history[:0]
        vectors = tf.constant(towers.item_vectors[rows][None])
        if config.popularity:
            vectors = tf.math.l2_normalize(vectors, axis=2, epsilon=1e-24)
        times = batch.times[at][-len(rows) :] if len(rows) else np.zeros(0)
        seconds = (times - times[:1]).astype(np.float32)[None]
        known = np.array([float(batch.times_known[at] and len(rows) > 0)], np.float32)
        times = Times(tf.constant(seconds), tf.constant(known))
        state = keras.states(vectors, times if config.history.reads_times else None)[:, -1]
        inputs = {"state": state, "user": batch.users[at : at + 1], "terms": batch.terms[at][None]}
        inputs |= {"user_known": _number(batch.user_known[at])}
        inputs |= {"terms_known": _number(batch.terms_known[at])}
        for name in config.context:
            inputs[f"context_{name}"] = batch.context.get(name, np.zeros(99, np.int32))[at][None]
            mask = batch.context_known.get(name, np.zeros(99, np.bool_))
            inputs[f"context_{name}_known"] = _number(mask[at])
        out.append(keras(inputs).numpy()[0])
    return np.stack(out)


def _number(known):
    return np.array([known], np.float32)


@pytest.mark.parametrize("name", HISTORIES)
def test_vectors_are_those_of_the_trained_model(name):
    towers, keras = made(HISTORIES[name])
    np.testing.assert_allclose(
        towers.encode(queries()), by_keras(towers, keras, queries()), atol=2e-6
    )


@pytest.mark.parametrize("options", [{"popularity": 0.5}, {"initial": "identity"}, {"plain": True}])
def test_other_inputs_of_the_tower_are_read_as_in_training(options):
    towers, keras = made(HISTORIES["one block after the norm"], **options)
    np.testing.assert_allclose(
        towers.encode(queries()), by_keras(towers, keras, queries()), atol=2e-6
    )


@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.parametrize("dimension", [6, 36])
def test_a_query_has_the_same_bits_alone_and_in_any_batch(name, dimension):
    towers, _ = made(HISTORIES[name], dimension=dimension)
    together = towers.encode(queries())
    for size in (1, 3, 7):
        parts = [towers.encode(queries().slice(at, at + size)) for at in range(0, 30, size)]
        np.testing.assert_array_equal(np.concatenate(parts), together)


@pytest.mark.parametrize("name", HISTORIES)
def test_weights_of_other_shapes_are_refused(name):
    towers, _ = made(HISTORIES[name])
    weights = towers.query_weights
    for at, weight in enumerate(weights):
        wrong = np.zeros((weight.shape[0] + 1, *weight.shape[1:]), np.float32)
        with pytest.raises(ValueError, match=f"weight {at} has the shape|is not"):
            FrozenQueryTower.of(
                towers.config, towers.sizes, [*weights[:at], wrong, *weights[at + 1 :]]
            )
    with pytest.raises(ValueError, match="there are only"):
        FrozenQueryTower.of(towers.config, towers.sizes, weights[:-1])
    with pytest.raises(ValueError, match="weights instead of"):
        FrozenQueryTower.of(towers.config, towers.sizes, [*weights, weights[0]])


def test_heads_that_do_not_divide_the_dimension_are_refused():
    towers, _ = made(HISTORIES["transformer"])
    history = TransformerHistory(window=WINDOW, blocks=2, heads=5)
    config = towers.config.model_copy(update={"history": history})
    with pytest.raises(ValueError, match="5 heads do not divide 12 dimensions"):
        FrozenQueryTower.of(config, towers.sizes, towers.query_weights)


def test_item_vectors_that_are_not_finite_are_refused():
    towers, _ = made(HISTORIES["transformer"])
    broken = np.full_like(towers.item_vectors, np.nan)
    with pytest.raises(DataError, match="must be finite"):
        towers.encode(queries(), broken)
