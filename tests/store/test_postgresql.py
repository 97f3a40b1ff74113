"""A store in a database of PostgreSQL."""

from __future__ import annotations

import pytest

from tests.contracts.store_contract import StoreContract
from tests.contracts.store_upkeep_contract import StoreUpkeepContract


class TestPostgresql(StoreContract):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return postgresql_url


class TestPostgresqlUpkeep(StoreUpkeepContract):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return postgresql_url
