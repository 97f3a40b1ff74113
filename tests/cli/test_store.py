"""``recsys store``: each command as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from recsys.cli import main
from recsys.store import InteractionRecorded, ItemUpserted, UserDeleted, open_store
from tests.contracts.store_impressions_contract import shown


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with open_store(tmp_path / "store.db") as store:
        store.append([InteractionRecorded("ann", "lamp", 1), UserDeleted("ann")])
        store.append([ItemUpserted("lamp", "Old"), ItemUpserted("lamp", "Lamp")])
        store.append([InteractionRecorded("bob", "lamp", 1)])
    return tmp_path / "store.db"


def _run(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    main_with = [str(word) for word in words]
    with pytest.raises(SystemExit) as ended:
        main(["store", *main_with])
    printed = capsys.readouterr()
    assert ended.value.code in (0, None), printed.err
    return printed.out


def _json(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_run(capsys, *words, "--json"))
    return found


def test_each_command_reports_as_json(
    capsys: pytest.CaptureFixture[str], path: Path, tmp_path: Path
) -> None:
    assert _json(capsys, "verify", path)["faults"] == []
    assert _json(capsys, "backup", path, tmp_path / "copy.db")["watermark"] == 5
    assert _json(capsys, "compact", path, "--keep-days", 1) | {"bytes_before": 0} == {
        "interactions": 1,
        "items": 1,
        "keys": 0,
        "impressions": 0,
        "bytes_before": 0,
        "bytes_after": path.stat().st_size,
    }
    done = _json(capsys, "export", tmp_path / "copy.db", tmp_path / "export")
    assert (done["interactions"], done["items"], done["deletions"]) == (1, 1, 1)
    assert _json(capsys, "import", tmp_path / "new.db", tmp_path / "export")["changes"] == 3
    assert _json(capsys, "verify", tmp_path / "new.db")["watermark"] == 3


def test_each_command_reports_as_text(
    capsys: pytest.CaptureFixture[str], path: Path, tmp_path: Path
) -> None:
    assert "the store is whole: 4 entries up to 5, 1 items" in _run(capsys, "verify", path)
    assert "up to 5" in _run(capsys, "backup", path, tmp_path / "copy.db")
    assert "removed 0 interactions, 0 impressions, 1 contents" in _run(capsys, "compact", path)
    assert "1 interactions, 1 items" in _run(capsys, "export", path, tmp_path / "export")
    assert "3 changes" in _run(capsys, "import", tmp_path / "new.db", tmp_path / "export")


def test_impressions_become_a_table_with_labels(
    capsys: pytest.CaptureFixture[str], path: Path, tmp_path: Path
) -> None:
    with open_store(path) as store:
        store.record_impressions([shown(1, "bob"), shown(2, "bob")])
        store.append([InteractionRecorded("bob", "lamp", 9, impression_id="r001")])
    file = tmp_path / "shown.parquet"
    done = _json(capsys, "export-impressions", path, file)
    assert done == {"file": str(file), "impressions": 2, "items": 6, "taken": 1}
    assert pyarrow.parquet.read_table(file)["taken"].to_pylist() == [True, *5 * [False]]
    assert "of which 0 were" in _run(
        capsys, "export-impressions", path, file, "--event", "buy", "--min-age", "1"
    )


def test_a_fault_is_exit_code_1(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    with open_store(path) as store, store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM entries WHERE sequence = 5")
    with pytest.raises(SystemExit) as ended:
        main(["store", "verify", str(path)])
    assert ended.value.code == 1
    assert "fault: the log has 3 entries and 1 deleted ones" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verify", "none.db"], "there is no store at none.db; check the path (not_found)"),
        (["verify", "mysql://host/db"], "a store is a path, sqlite:///PATH or postgresql://"),
        (["import", "new.db", "."], ". holds nothing to import"),
    ],
)
def test_an_error_is_one_line(
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["store", *words])
    printed = capsys.readouterr()
    assert ended.value.code == 1
    assert printed.out == "" and message in printed.err and printed.err.count("\n") == 1
