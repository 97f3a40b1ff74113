"""A store in a database of PostgreSQL."""

from __future__ import annotations

import pytest

from tests.contracts.store_contract import StoreContract
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


def test_any_sequence_of_calls(postgresql_url: str) -> None:
    def new_url() -> str:
        empty(postgresql_url)
        return postgresql_url

    run_machine(new_url, examples=3)
