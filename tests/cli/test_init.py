"""``recsys init`` writes a configuration for files with odd names, and explains what it cannot."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recsys.cli import main
from recsys.config import load_config, read_toml
from recsys.pipeline import RunConfig, load_run_config, open_job, run_job
from tests.pipeline.tiny import write_tiny

VISITS = "Customer No;Visited At;Stars;Product ID\n"
PRODUCTS = "product_id,Product Name,Beschreibung,Preis,link\n"


def write_shop(folder: Path) -> tuple[Path, Path]:
    """Files with other separators, encodings and names than the engine's."""
    visits, products = folder / "My visits.csv", folder / "products.csv"
    lines = [f"{n % 7:03d};2024-01-{n + 1:02d} 10:00;5;p{n % 5}\n" for n in range(28)]
    visits.write_text(VISITS + "".join(lines), encoding="latin-1")
    names = [f'p{n},Lampe {n},"Eine schöne, helle Lampe {n}",{n}.5,//a.b/{n}\n' for n in range(5)]
    products.write_text(PRODUCTS + "".join(names), encoding="utf-8")
    return visits, products


def test_the_configuration_is_commented_and_reads_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    visits, products = write_shop(tmp_path)
    out = tmp_path / "configs/shop.toml"
    out.parent.mkdir()
    with pytest.raises(SystemExit) as ended:
        main(["init", str(visits), str(products), "-o", str(out)])
    assert ended.value.code == 0
    shown = capsys.readouterr().err
    assert "user = 'Customer No', item = 'Product ID', timestamp = 'Visited At'" in shown
    assert "not used: 'link' (addresses)" in shown and f"recsys run {out}" in shown
    assert "# not used: Stars" in out.read_text(encoding="utf-8")
    values = read_toml(out)
    assert values["name"] == "My-visits"
    assert values["data"]["interactions"]["path"] == "../My visits.csv"
    assert values["data"]["fields"]["numbers"] == ["Preis"]
    job = open_job(out, runs=tmp_path / "runs")
    run_job(job, until="ingest")
    assert job.ingested.interactions.users.id(0) == "000"
    assert job.ingested.catalogue.titles()[0] == "Lampe 0"


def test_without_an_output_the_configuration_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["init", "log.csv", "items.csv", "--pictures", "photos", "--searches", "searches.csv"])
    (tmp_path / "printed.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    data = load_config(tmp_path / "printed.toml", RunConfig).data
    assert data.pictures == "photos" and data.fields.image == "photo"
    assert data.searches is not None and data.searches.format == "csv"
    assert data.searches.columns.terms == "terms"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["products.csv"], "no column was recognised as the user .*--column user=..."),
        (["My visits.csv", "--column", "user=Kunde"], "no column 'Kunde'"),
        (["My visits.csv", "products.csv", "--field", "text=name"], "no column 'name'"),
        (["My visits.csv", "--column", "user"], "takes MEANING=COLUMN"),
        (["My visits.csv", "-o", "products.csv"], "is there already"),
        (["My visits.csv", "--pictures", "gone"], "a folder or a zip archive of pictures"),
        (["gone.csv"], "no csv or parquet file at gone.csv"),
    ],
)
def test_faults_are_explained(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["init", *arguments])
    assert ended.value.code in (1, 2)
    shown = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert re.search(message, shown), shown


def test_named_columns_replace_recognised_ones(tmp_path: Path) -> None:
    visits, products = write_shop(tmp_path)
    out = tmp_path / "shop.toml"
    fields = ["--field", "text=Product Name,Beschreibung", "--field", "title=Beschreibung"]
    fields += ["--field", "filters=Product Name:text"]
    with pytest.raises(SystemExit):
        columns = ["--column", "weight=Stars", "--name", "shop"]
        main(["init", str(visits), str(products), "-o", str(out), *columns, *fields])
    config = load_run_config(out)
    assert config.name == "shop"
    assert config.data.fields.title == "Beschreibung"
    assert config.data.fields.text == ("Product Name", "Beschreibung")
    assert config.data.fields.filters == {"Product Name": "text"}
    assert config.data.interactions.format == "csv"
    assert config.data.interactions.columns.weight == "Stars"


def test_the_comment_with_weights_of_events_is_a_valid_policy(tmp_path: Path) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "shop.toml"
    kinds = ["view", "view", '"add ""now"""', "purchase"]
    rows = [f"u{n % 3},i{n % 5},{n},{kinds[n % 4]}" for n in range(24)]
    log.write_text("\n".join(["user,item,timestamp,action", *rows]))
    with pytest.raises(SystemExit) as ended:
        main(["init", str(log), "-o", str(out)])
    assert ended.value.code == 0
    text = out.read_text(encoding="utf-8")
    for line in (r"\[data\.policy\]", "events = .*"):
        text = re.sub(rf"^# ({line})", r"\1", text, flags=re.MULTILINE)
    out.write_text(text, encoding="utf-8")
    job = open_job(out, runs=tmp_path / "runs")
    assert job.given.data.interactions.columns.event == "action"
    assert job.given.data.policy.events == {"view": 0.1, 'add "now"': 0.1, "purchase": 1.0}
    run_job(job, until="ingest")
    assert len(job.ingested.interactions) == 24
