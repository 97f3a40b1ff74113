"""Rows, values and contents that a run did not use, in the output of its commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recsys.cli import main
from recsys.pipeline import StageResult, data_lines
from tests.pipeline.tiny import write_tiny


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a shop with an unreadable price and time, and odd names of pictures."""
    folder = tmp_path_factory.mktemp("messy") / "shop"
    config = write_tiny(folder, users=6)
    header, *items = (folder / "items.csv").read_text().splitlines()
    prices = ["9.99"] * len(items)
    prices[2] = '"1,299.00"'
    photo = header.split(",").index("photo")
    for row, name in ((4, "/elsewhere/p.png"), (5, "p" * 5_000)):
        values = items[row].split(",")
        values[photo] = name
        items[row] = ",".join(values)
    lines = [f"{header},price", *(f"{row},{price}" for row, price in zip(items, prices))]
    (folder / "items.csv").write_text("\n".join(lines) + "\n")
    user, item, _ = (folder / "log.csv").read_text().splitlines()[1].split(",")
    with (folder / "log.csv").open("a") as log:
        log.write(f"{user},{item},2024-13-45\n")
    text = config.read_text().replace('image = "photo"', 'image = "photo"\nnumbers = ["price"]')
    config.write_text(text.replace("[split]", '[data.policy]\nbad_rows = "skip"\n[split]'))
    return config


def _ingest(config: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["ingest", str(config), "--runs", str(config.parents[1] / "runs"), *options])
    assert ended.value.code in (None, 0)
    return capsys.readouterr().out


def test_ingest_prints_dropped_rows_and_missing_values(
    messy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = _ingest(messy, capsys)
    assert "items: 30 read, 30 kept\n  read as missing, 1: price: " in out
    assert "row 3: 1,299.00" in out and "item i5: 'ppp" in out
    assert "left out, 1: timestamp: expected" in out and ": 2024-13-45)" in out
    assert "items without a picture, 1: photo: the name is absolute" in out
    assert "items without a picture, 1: photo: the name cannot be a file's: File name too" in out


def test_the_counts_are_in_json(messy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(_ingest(messy, capsys, "--json"))["ingest"]
    assert report["items"]["kept"] == report["items"]["read"] == 30
    (price,) = report["items"]["missing"]
    assert (price["column"], price["rows"], price["values"]) == ("price", [3], ["1,299.00"])
    (time,) = report["interactions"]["dropped"]
    assert (time["column"], time["values"]) == ("timestamp", ["2024-13-45"])
    assert [group["rows"] for group in report["pictures"]] == [[5], [6]]


def test_all_unreadable_contents_are_counted_by_reason() -> None:
    reasons = [f"damaged: {n} bytes not processed" for n in range(60)] + ["the file is empty"] * 6
    faults = [{"item_id": f"i{n}", "reason": reason} for n, reason in enumerate(reasons)]
    notes = {"unreadable": {"text": [], "image": faults}}
    assert data_lines([StageResult("encode", 1.0, False, {}, notes, "")]) == [
        "image: 66 items have a content and no vector",
        "  60: damaged: ... bytes not processed (item i0, item i1, item i2, ...)",
        "  6: the file is empty (item i60, item i61, item i62, ...)",
    ]
