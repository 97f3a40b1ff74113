"""The promise of ingestion: a million interactions in 10 seconds and 1 GB at most."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.ingestion import FORMATS, measure_format, write_log


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("million")
    write_log(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_a_million_interactions(million: Path, form: str) -> None:
    figures = measure_format(million, form)
    assert figures["kept"] > 100_000
    assert figures["seconds"] <= 10, figures
    assert figures["peak_mb"] <= 1024, figures
