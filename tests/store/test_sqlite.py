"""A store in a file of SQLite."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from tests.contracts.store_contract import StoreContract
from tests.contracts.store_impressions_contract import StoreImpressionsContract
from tests.contracts.store_machine import run_machine
from tests.contracts.store_upkeep_contract import StoreUpkeepContract


class TestSqlite(StoreContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return str(tmp_path / "made here" / "store?.db")


class TestSqliteUpkeep(StoreUpkeepContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return str(tmp_path / "store.db")


class TestSqliteImpressions(StoreImpressionsContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return str(tmp_path / "store.db")


def test_any_sequence_of_calls(tmp_path: Path) -> None:
    numbers = count()
    run_machine(lambda: str(tmp_path / f"{next(numbers)}.db"), examples=12)
