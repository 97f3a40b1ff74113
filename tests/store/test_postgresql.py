"""A store in a database of PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from recsys.errors import StoreError
from recsys.store import InteractionRecorded, open_store
from recsys.store.databases import postgresql
from tests.contracts.store_contract import StoreContract
from tests.contracts.store_impressions_contract import StoreImpressionsContract
from tests.contracts.store_machine import run_machine
from tests.contracts.store_upkeep_contract import StoreUpkeepContract
from tests.store.postgresql_server import empty


class TestPostgresql(StoreContract):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return postgresql_url


class TestPostgresqlUpkeep(StoreUpkeepContract):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return postgresql_url


class TestPostgresqlImpressions(StoreImpressionsContract):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return postgresql_url


ANN = InteractionRecorded("ann", "lamp", 1)


def test_a_locked_database_refuses_writes(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_SECONDS", 0.05)
    with open_store(postgresql_url) as store, psycopg.connect(postgresql_url) as other:
        store.append([ANN], key="first")
        other.execute("SELECT * FROM state FOR UPDATE")
        with pytest.raises(StoreError, match="nothing was acknowledged: .* find and end it"):
            store.append([ANN])
        assert store.history("ann") == [ANN]
        other.rollback()
        assert store.append([ANN]).watermark == 2


def test_lost_connections_are_opened_again(postgresql_url: str) -> None:
    with open_store(postgresql_url) as store:
        store.append([ANN], key="first")
        assert len(store.changes(0)) == 1
        _end_connections(postgresql_url)
        assert not store.advanced()
        assert store.append([ANN], key="second").watermark == 2
        _end_connections(postgresql_url)
        assert store.history("ann") == [ANN, ANN]


def test_a_missing_server_is_reported_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the store cannot be opened") as caught:
        open_store(f"postgresql://me:secret@/db?host={tmp_path}")
    assert "secret" not in str(caught.value)


def _end_connections(url: str) -> None:
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'recsys'"
    )
    with psycopg.connect(url) as connection:
        connection.execute(query)


def test_any_sequence_of_calls(postgresql_url: str) -> None:
    def new_url() -> str:
        empty(postgresql_url)
        return postgresql_url

    run_machine(new_url, examples=3)
