"""Milvus Lite keeps the contract; a server that is lost or holds other rows is a clear error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.errors import ConfigError, DataError, ServiceError
from recsys.ids import Vectors
from recsys.index import (
    ExactIndex,
    Index,
    MilvusConfig,
    RowSet,
    ann_recall,
    build_index,
    load_index,
)
from recsys.index.milvus import MilvusIndex, connection
from recsys.index.milvus.expressions import MAX_TERMS, row_expression
from tests.contracts.index_contract import IndexContract, assert_same, made_vectors

FAST = MilvusConfig(search_width=64, exact_below=0, timeout=200)


class TestMilvus(IndexContract):
    thorough = False

    @classmethod
    def build(cls, vectors: Vectors) -> Index:
        return build_index(vectors, FAST)


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return made_vectors(2_000, seed=11)


@pytest.fixture(scope="module")
def queries() -> Vectors:
    return made_vectors(30, seed=12)


@pytest.fixture(scope="module")
def index(vectors: Vectors, queries: Vectors) -> MilvusIndex:
    index = build_index(
        vectors, MilvusConfig(target_recall=0.95, exact_below=0, timeout=200), queries=queries
    )
    assert isinstance(index, MilvusIndex)
    return index


def test_without_a_graph_the_answer_is_the_exact_one(vectors: Vectors, queries: Vectors) -> None:
    index = build_index(vectors, MilvusConfig(method="flat", exact_below=0, timeout=200))
    found = index.search(queries, 10, exclude=[np.arange(20)] * len(queries))
    assert found.work.at(0).plan == "milvus"
    assert_same(found, index.exact.search(queries, 10, exclude=[np.arange(20)] * len(queries)))


def test_the_search_is_tuned_for_each_k(
    index: MilvusIndex, vectors: Vectors, queries: Vectors
) -> None:
    exact = ExactIndex.of(vectors)
    for k in (1, 10, 100):
        assert ann_recall(index, exact, queries, k) >= 0.95
    assert [cutoff.rank for cutoff in index.curve.plain] == [1, 10, 100]
    assert index.search(queries, 10).work.at(0).plan == "milvus"


def test_the_recall_holds_with_the_nearest_rows_excluded(
    index: MilvusIndex, vectors: Vectors, queries: Vectors
) -> None:
    exact = ExactIndex.of(vectors)
    exclude = list(exact.search(queries, 100).rows)
    found = index.search(queries, 10, exclude=exclude)
    truth = exact.search(queries, 10, exclude=exclude)
    assert found.work.at(0).plan == "milvus"
    shares = [np.isin(*each).mean() for each in zip(truth.rows, found.rows)]
    assert np.mean(shares) >= 0.95


@pytest.mark.parametrize(
    "allowed",
    [
        RowSet.of_rows(range(700, 1_900), 2_000),
        RowSet.all(2_000) - RowSet.of_rows([3, 99], 2_000),
        RowSet.of_rows(np.random.default_rng(4).choice(2_000, 900, replace=False), 2_000),
    ],
)
def test_the_recall_holds_with_a_filter(
    index: MilvusIndex, vectors: Vectors, queries: Vectors, allowed: RowSet
) -> None:
    truth = ExactIndex.of(vectors).search(queries, 10, allowed=allowed)
    found = index.search(queries, 10, allowed=allowed)
    assert found.work.at(0).plan == "milvus" and found.work.at(0).eligible == len(allowed)
    assert np.mean([np.isin(*each).mean() for each in zip(truth.rows, found.rows)]) >= 0.94


def test_a_filter_is_sent_as_an_expression_unless_it_is_long(index: MilvusIndex) -> None:
    sent: list[str] = []
    search = index.collection.connection.opened.search

    def spy(*arguments: Any, **options: Any) -> Any:
        sent.append(options["filter"])
        return search(*arguments, **options)

    index.collection.connection.opened.search = spy
    try:
        query = made_vectors(1, seed=1)
        index.search(query, 3, allowed=RowSet.of_rows(range(1_500), 2_000))
        index.search(query, 3)
    finally:
        index.collection.connection.opened.search = search
    assert sent == ["((row >= 0 and row <= 1499))", ""]
    assert row_expression(RowSet.of_rows(range(0, 4 * MAX_TERMS, 2), 4 * MAX_TERMS)) is None


def test_a_lost_server_is_an_error_with_a_remedy(vectors: Vectors, queries: Vectors) -> None:
    from milvus_lite.server_manager import server_manager_instance

    index = build_index(vectors[:1_000], FAST.model_copy(update={"timeout": 1}))
    assert isinstance(index, MilvusIndex)
    server_manager_instance.release_server(str(index.collection.connection.folder))
    with pytest.raises(ServiceError, match=r"failed to search: .*check that the server runs"):
        index.search(queries, 3)


def test_a_server_that_does_not_answer_is_an_error(vectors: Vectors) -> None:
    config = MilvusConfig(uri="http://127.0.0.1:1", timeout=1)
    with pytest.raises(ServiceError, match=r"http://127.0.0.1:1 failed to connect: .*MILVUS_TOKEN"):
        build_index(vectors, config)


def test_the_token_is_never_written(
    index: MilvusIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MILVUS_TOKEN", "a secret")
    index.save(tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and b"a secret" in p.read_bytes()]
    with pytest.raises(ValueError, match="uri"):
        MilvusConfig(uri="http://user:password@localhost:19530")


@pytest.fixture(scope="module")
def served(vectors: Vectors) -> Iterator[MilvusConfig]:
    """Configuration of a server, which is Milvus Lite behind an address."""
    from milvus_lite.server_manager import server_manager_instance

    lite = build_index(vectors[:50], FAST)
    assert isinstance(lite, MilvusIndex)
    folder = str(lite.collection.connection.folder)
    yield FAST.model_copy(update={"uri": server_manager_instance.start_and_get_uri(folder)})
    del lite


def test_a_server_keeps_one_collection_per_vectors(
    served: MilvusConfig, vectors: Vectors, queries: Vectors, tmp_path: Path
) -> None:
    first = build_index(vectors[:500], served)
    again = build_index(vectors[:500].copy(), served)
    other = build_index(vectors[500:1_000], served)
    assert isinstance(first, MilvusIndex) and isinstance(again, MilvusIndex)
    assert isinstance(other, MilvusIndex)
    assert first.collection.name == again.collection.name != other.collection.name
    names = first.collection.connection.client.list_collections()
    assert {first.collection.name, other.collection.name} < set(names)
    assert not [name for name in names if name.count("_") > 1]  # none is unfinished
    first.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.json"]
    assert_same(load_index(tmp_path, vectors[:500]).search(queries, 5), first.search(queries, 5))


def test_a_collection_with_other_rows_is_refused(
    served: MilvusConfig, vectors: Vectors, tmp_path: Path
) -> None:
    index = build_index(vectors[:300], served)
    assert isinstance(index, MilvusIndex)
    index.save(tmp_path)
    client, name = index.collection.connection.client, index.collection.name
    client.delete(name, filter="row in [7]")
    with pytest.raises(DataError, match=r"holds 299 rows; expected 300; drop it and build"):
        load_index(tmp_path, vectors[:300])
    client.drop_collection(name)
    with pytest.raises(DataError, match="has no collection 'recsys_.*build the index again"):
        load_index(tmp_path, vectors[:300])


def test_damaged_facts_are_refused(index: MilvusIndex, vectors: Vectors, tmp_path: Path) -> None:
    index.save(tmp_path)
    description = json.loads((tmp_path / "index.json").read_bytes())
    for facts, message in (
        ({}, "'facts' is damaged"),
        ({**description["facts"], "collection": "other"}, "'other', which is not that of its"),
    ):
        (tmp_path / "index.json").write_text(json.dumps({**description, "facts": facts}))
        with pytest.raises(DataError, match=message):
            load_index(tmp_path, vectors)


def test_without_pymilvus_the_error_names_the_extra(
    vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ImportError(f"No module named '{name}'")

    monkeypatch.setattr(connection.importlib, "import_module", missing)
    with pytest.raises(ConfigError, match=r"install recsys\[milvus\], or choose kind 'scann'"):
        build_index(vectors, MilvusConfig())


def test_a_forked_process_is_refused(index: MilvusIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.os, "getpid", lambda: -1)
    with pytest.raises(ServiceError, match="gRPC does not work after a fork"):
        index.search(made_vectors(1, seed=1), 3)
