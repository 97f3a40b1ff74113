from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.bundle import Parts, publish
from tests.bundle.made import made_parts, use_table_towers


@pytest.fixture(scope="package")
def parts() -> Parts:
    return made_parts()


@pytest.fixture(scope="package")
def others() -> Parts:
    return made_parts(seed=1)


@pytest.fixture
def table_towers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    use_table_towers(monkeypatch)
    yield


@pytest.fixture
def root(tmp_path: Path, parts: Parts, table_towers: None) -> Path:
    """A folder with one published bundle."""
    publish(tmp_path / "bundles", parts)
    return tmp_path / "bundles"
