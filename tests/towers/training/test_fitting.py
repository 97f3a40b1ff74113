import re

import numpy as np
import pytest

from recsys.errors import ConfigError, DataError, TrainingError
from recsys.features import FeatureBlock
from recsys.towers import (
    MeanHistory,
    QueryBatch,
    SampledSoftmax,
    TowersConfig,
    TrainConfig,
    TransformerHistory,
    fit,
)
from tests.towers.worlds import cycle, without_item

NO_PHRASES = np.zeros((1, 0), np.float32)
TOWERS = TowersConfig(
    dimension=16,
    history=TransformerHistory(window=6, dropout=0, heads=1, blocks=1),
    id_dropout=0,
    terms="none",
)
BY_MEAN = TOWERS.model_copy(update={"history": MeanHistory(window=4)})
"""Ignores the order of items, but compiles in half the time: for tests of the loop."""
TRAIN = TrainConfig(batch_positions=128, learning_rate=0.02, epochs=6, patience=9, warmup_steps=4)


def accuracy(towers) -> float:
    """Share of histories for which the next item on the circle ranks first."""
    histories = [np.array([(at + 6) % 8, (at + 7) % 8, at], np.int32) for at in range(8)]
    queries = towers.encode(QueryBatch.of(histories))
    best = (queries @ towers.item_vectors.T).argmax(axis=1)
    return float((best == (np.arange(8) + 1) % 8).mean())


def train(folder, *, log=None, blocks=(), validate=None, stop_after=None, **changes):
    return fit(
        cycle() if log is None else log,
        blocks,
        NO_PHRASES,
        towers=changes.pop("towers", TOWERS),
        train=TRAIN.model_copy(update=changes),
        folder=folder,
        validate=validate,
        stop_after=stop_after,
    )


@pytest.mark.slow
def test_the_next_item_is_learned(tmp_path):
    """The contract of losses (tests/contracts/loss_contract.py) tests this for every loss."""
    loss = SampledSoftmax(temperature=0.1, negatives=16)
    fitted = train(tmp_path, loss=loss, epochs=12)
    assert accuracy(fitted.towers) == 1.0


def test_the_towers_of_the_best_validation_are_returned(tmp_path):
    figures = iter([0.1, 0.5, 0.3, 0.2])
    fitted = train(tmp_path, towers=BY_MEAN, validate=lambda towers: next(figures), epochs=4)
    assert fitted.best_epoch == 2
    assert [epoch.validation for epoch in fitted.epochs] == [0.1, 0.5, 0.3, 0.2]
    assert sorted(path.name for path in tmp_path.glob("best-*")) == ["best-2"]


def test_training_stops_when_validation_no_longer_improves(tmp_path):
    figures = iter([0.5, 0.4, 0.4, 0.4])
    options = {"towers": BY_MEAN, "epochs": 9, "patience": 2}
    fitted = train(tmp_path, validate=lambda towers: next(figures), **options)
    assert len(fitted.epochs) == 3


def test_a_finished_run_is_loaded_without_training(tmp_path):
    first = train(tmp_path, towers=BY_MEAN)

    def fail(towers):
        raise AssertionError("a finished run was validated again")

    again = train(tmp_path, towers=BY_MEAN, validate=fail)
    assert again.epochs == first.epochs
    np.testing.assert_array_equal(again.towers.item_vectors, first.towers.item_vectors)


def test_a_cold_item_is_retrieved_by_its_content(tmp_path):
    """Item 3 is cold and has the content of item 5."""
    content = np.eye(8, dtype=np.float32)
    content[3] = content[5]
    block = FeatureBlock(content, np.ones(8, bool), "text")
    config = TOWERS.model_copy(update={"id_dropout": 0.5})
    fitted = train(tmp_path, log=without_item(cycle(), 3), blocks=[block], towers=config, epochs=15)
    query = fitted.towers.encode(QueryBatch.of([np.array([1, 2, 4], np.int32)]))
    scores = (query @ fitted.towers.item_vectors.T)[0]
    assert set(np.argsort(scores)[-2:]) == {3, 5}


def test_search_terms_alone_retrieve_their_item(tmp_path):
    """Phrase p always leads to item p - 1, for every history."""
    log = cycle()
    phrases = ("", *(f"word{item}" for item in range(8)))
    searched = type(log).of(
        log.users, log.items, user=log.user, item=log.item, time=log.time,
        phrases=phrases, terms=log.item + 1,
    )  # fmt: skip
    vectors = np.vstack([np.zeros(8), np.eye(8)]).astype(np.float32)
    towers = TOWERS.model_copy(update={"terms": "projection", "history": MeanHistory(window=4)})
    fitted = fit(
        searched, (), vectors, towers=towers, folder=tmp_path, validate=None,
        train=TRAIN.model_copy(update={"epochs": 20}),
    )  # fmt: skip
    none = [np.array([], np.int32)] * 8
    queries = fitted.towers.encode(QueryBatch.of(none, terms=vectors[1:]))
    assert (queries @ fitted.towers.item_vectors.T).argmax(axis=1).tolist() == list(range(8))


def test_user_ids_and_context_are_read(tmp_path):
    """With a mean history, only the user and the context distinguish the queries."""
    from recsys.ids import IdMap

    users = IdMap.of("user", ["a", "b"])
    log = cycle().of(
        users,
        cycle().items,
        user=np.repeat([0, 1], 40),
        item=np.where(np.arange(80) < 40, 0, 2) + np.arange(80) % 2,
        time=np.tile(np.arange(40), 2),
        context={"hour": IdMap.of("hour", ["even", "odd"])},
        context_rows={"hour": np.arange(80) % 2},
    )
    config = TOWERS.model_copy(
        update={
            "user_id": "embedding",
            "context": ("hour",),
            "history": MeanHistory(window=2),
            "id_dropout": 0.0,
        }
    )
    fitted = train(tmp_path, log=log, towers=config, epochs=30)
    none = [np.array([], np.int32)] * 4
    batch = QueryBatch.of(
        none,
        users=np.array([0, 0, 1, 1], np.int32),
        context={"hour": np.array([0, 1, 0, 1], np.int32)},
    )
    best = (fitted.towers.encode(batch) @ fitted.towers.item_vectors.T).argmax(axis=1)
    assert best.tolist() == [0, 1, 2, 3]


def test_a_diverged_run_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(TrainingError, match="lower train.learning_rate"):
        train(tmp_path, towers=BY_MEAN, learning_rate=float("inf"))
    with pytest.raises(TrainingError, match="validation figure of epoch 1 is nan"):
        train(tmp_path / "b", towers=BY_MEAN, validate=lambda towers: float("nan"))


@pytest.mark.parametrize("towers", [TOWERS, BY_MEAN], ids=lambda towers: towers.history.name)
def test_a_collapsed_run_is_refused_with_a_remedy(tmp_path, towers):
    """Without ids and with one text for all, the items cannot be distinguished."""
    same = FeatureBlock(np.ones((8, 3), np.float32), np.ones(8, bool), "text")
    towers = towers.model_copy(update={"item_id": "none"})
    with pytest.raises(TrainingError, match=r"8 items have collapsed .*give items inputs that"):
        train(tmp_path, blocks=[same], towers=towers, epochs=1)


def test_bad_input_is_refused_before_files_are_written(tmp_path):
    with pytest.raises(ConfigError, match="names 'sound', which is no feature block"):
        train(tmp_path, towers=TOWERS.model_copy(update={"blocks": ("sound",)}))
    text = FeatureBlock(np.eye(8, dtype=np.float32), np.ones(8, bool), "text")
    with pytest.raises(ConfigError, match="blocks has 'text' twice"):
        train(tmp_path, blocks=[text, text], towers=TOWERS)
    with pytest.raises(ConfigError, match=r"towers\.blocks has 'text' twice"):
        twice = TOWERS.model_copy(update={"blocks": ("text", "text")})
        train(tmp_path, blocks=[text], towers=twice)
    with pytest.raises(ConfigError, match="'weather', which is no context column; there are: none"):
        train(tmp_path, towers=TOWERS.model_copy(update={"context": ("weather",)}))
    with pytest.raises(ConfigError, match="multiple of towers.history.heads 3"):
        heads = TransformerHistory(heads=3)
        train(tmp_path, towers=TOWERS.model_copy(update={"history": heads}))
    with pytest.raises(DataError, match="at least 2 interactions"):
        train(tmp_path, log=cycle().take(np.zeros(len(cycle()), bool)))
    assert list(tmp_path.iterdir()) == []


def test_without_validation_the_towers_of_the_last_epoch_are_returned(tmp_path):
    fitted = train(tmp_path, validate=None, epochs=12, stop_after=[8])
    assert [epoch.number for epoch in fitted.epochs] == list(range(1, 9))
    assert {epoch.validation for epoch in fitted.epochs} == {None} and fitted.best_epoch == 8
    assert accuracy(fitted.towers) == 1.0
    again = train(tmp_path, validate=None, epochs=12, stop_after=[8])
    np.testing.assert_array_equal(again.towers.item_vectors, fitted.towers.item_vectors)


def test_a_run_that_stops_early_equals_the_first_epochs_of_the_whole_run(tmp_path):
    """The learning rate decays over all configured epochs, wherever the run stops."""
    options = {"towers": BY_MEAN, "epochs": 4, "decay": "cosine"}
    whole = train(tmp_path / "whole", **options)
    part = train(tmp_path / "part", stop_after=[2], **options)
    np.testing.assert_allclose(
        [epoch.loss for epoch in part.epochs],
        [epoch.loss for epoch in whole.epochs[:2]],
        rtol=1e-3,
    )


@pytest.mark.parametrize("stop_after", [[0], [7], [], [3, 3]])
def test_a_stop_outside_the_epochs_is_refused(tmp_path, stop_after):
    message = r"an epoch per member of train.members, .*, each from 1 to at most \[6\]; got "
    with pytest.raises(ConfigError, match=message + re.escape(str(stop_after))):
        train(tmp_path, stop_after=stop_after)


def test_an_empty_selection_of_blocks_equals_ids_alone(tmp_path):
    block = FeatureBlock(np.eye(8, 3, dtype=np.float32), np.ones(8, np.bool_), "text")
    none = BY_MEAN.model_copy(update={"blocks": ()})
    vectors = [
        train(tmp_path / name, blocks=blocks, towers=towers, epochs=2).towers.item_vectors
        for name, blocks, towers in (("none", [block], none), ("without", [], BY_MEAN))
    ]
    assert np.array_equal(*vectors)
