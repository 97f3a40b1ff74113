"""Exported splits, the record, and a whole run of a small shop."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import processes
from benchmarks.processes import ProcessFailed, run_process
from benchmarks.quality import __main__ as quality
from benchmarks.quality import ours, peers
from benchmarks.quality.datasets import DATA_SETS, DataSet
from benchmarks.quality.environment import REQUIREMENTS, STAMP, peers_python
from benchmarks.quality.export import export
from benchmarks.quality.ours import train_and_score
from benchmarks.quality.peer_models.files import Log, Queries
from benchmarks.quality.record import entry_of_seeds, merge, part_of, table_lines
from recsys.errors import DataError
from recsys.pipeline import open_job, run_job
from recsys.progress import silent
from recsys.splits import LeaveLastOutConfig, split
from tests.pipeline.tiny import write_tiny
from tests.splits.logs import log

MADE = {"date": "2026-01-01T00:00:00+00:00", "commit": "c", "machine": {"cores": 2}}


def test_exported_files_hold_the_split(tmp_path: Path) -> None:
    histories = {
        "ann": [("c", 1), ("b", 2), ("a", 3)],
        "bob": [("b", 1)],
        "cid": [("a", 1), ("c", 2)],
    }
    parts = split(log(histories, items="abc"), LeaveLastOutConfig(refit="train-and-validation"))
    files = export(parts, tmp_path)
    train, final = Log.load(files["train"]), Log.load(files["final"])
    assert (train.users, train.items) == (3, 3)
    assert list(zip(train.user, train.item)) == [(0, 2), (1, 1), (2, 0), (2, 2)]
    assert list(zip(final.user, final.item)) == [(0, 2), (0, 1), (1, 1), (2, 0), (2, 2)]
    arguments = Queries.load(files["test"])
    assert arguments.user.tolist() == [0] and arguments.item.tolist() == [2, 1]
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert export(parts, tmp_path) == files
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times
    other = export(split(log(histories, items="abc"), LeaveLastOutConfig()), tmp_path)
    assert other["final"] == other["train"] == files["train"]


def test_a_part_replaces_its_own_figures_only(tmp_path: Path) -> None:
    path = tmp_path / "quality.json"
    merge(path, "beauty", {"ndcg@10": 0.06, "ndcg@10.std": 0.1}, {**MADE, "seeds": [1, 2]})
    merge(path, "beauty.ease", {"ndcg@10": 0.03, "minutes": 1}, {**MADE, "seeds": [1]})
    merge(path, "beauty.als", {"ndcg@10": 0.02}, {**MADE, "seeds": [1]})
    merge(path, "gowalla", {"recall@20": 0.2}, {**MADE, "seeds": [1]})
    record = merge(path, "beauty", {"ndcg@10": 0.07}, {**MADE, "seeds": [3], "commit": "d"})
    assert record["figures"] == {
        "beauty.als.ndcg@10": 0.02,
        "beauty.ease.minutes": 1,
        "beauty.ease.ndcg@10": 0.03,
        "beauty.ndcg@10": 0.07,
        "gowalla.recall@20": 0.2,
    }
    assert record["parts"]["beauty"]["commit"] == "d" and record["seeds"] == [1, 3]
    assert record["parts"]["beauty.ease"]["machine"] == {"cores": 2}
    assert record["published"]["gowalla"]["SimpleX"] == {"recall@20": 0.1872, "ndcg@20": 0.1557}
    before = path.read_text()
    with pytest.raises(DataError, match="must be a finite number"):
        merge(path, "beauty", {"ndcg@10": float("nan")}, {**MADE, "seeds": [1]})
    assert path.read_text() == before


@pytest.mark.parametrize("data", DATA_SETS)
def test_every_figure_is_of_one_part(data: str) -> None:
    for name in ("hr@10", "recall@20.std", "minutes", "peak_gib"):
        assert part_of(f"{data}.{name}") == data
        assert part_of(f"{data}.sasrec_rectools.{name}") == f"{data}.sasrec_rectools"


def test_figures_of_ours_are_means_over_seeds() -> None:
    seeds = {
        seed: {
            **MADE,
            "figures": {"hr@10": figure},
            "seconds": 60 * seed,
            "peak_gib": seed,
            "validation": figure,
            "epochs": [seed],
            "settings": {},
        }
        for seed, figure in ((1, 0.1), (2, 0.2), (3, 0.3))
    }
    figures, result = entry_of_seeds({"seconds": 30, "peak_gib": 2.5}, seeds)
    assert figures == {
        "hr@10": pytest.approx(0.2),
        "hr@10.std": pytest.approx(0.1),  # ddof 1
        "minutes": 2.5,
        "peak_gib": 3,
    }
    assert result["seeds"] == [1, 2, 3] and result["epochs"] == {"1": [1], "2": [2], "3": [3]}


def test_a_failed_process_shows_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("failing.py").write_text("import sys; print('first'); sys.exit('no memory left')")
    with pytest.raises(ProcessFailed, match="(?s)ended with code 1.*no memory left"):
        run_process("failing", {"a": 1}, tmp_path)
    assert json.loads((tmp_path / processes.REQUEST).read_text()) == {"a": 1}


def test_the_environment_is_made_again_for_other_requirements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, ...]] = []

    def pretend(*command: str) -> None:
        ran.append(command)
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / "python").touch()

    monkeypatch.setattr("benchmarks.quality.environment._run", pretend)
    assert peers_python(tmp_path) == tmp_path / "bin" / "python"
    assert peers_python(tmp_path) == tmp_path / "bin" / "python"
    assert len(ran) == 2 and ran[1][-1] == str(REQUIREMENTS)
    (tmp_path / STAMP).write_text("other")
    peers_python(tmp_path)
    assert len(ran) == 4


def test_requirements_are_pinned_without_paths() -> None:
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    assert lines and all("==" in line and "/" not in line and "--" not in line for line in lines)


def shop(folder: Path, refit: str) -> DataSet:
    path = write_tiny(folder, pictures="skip")
    wanted = f'protocol = "leave-last-out"\nrefit = "{refit}"'
    path.write_text(path.read_text().replace('protocol = "leave-last-out"', wanted))
    return DataSet(
        "beauty",
        "A shop",
        path,
        ("hr@5", "ndcg@5"),
        published={"Peer": {"hr@5": 0.5, "ndcg@5": 0.4}},
    )


@pytest.mark.parametrize("refit", ["none", "train-and-validation"])
def test_peers_are_chosen_cached_and_recorded(
    refit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    data = shop(tmp_path / "shop", refit)
    grid = [{"regularization": value} for value in (-1e6, 1.0, 1e6)]  # the first has no inverse
    pages: list[dict] = []
    for name, value in {
        "RUNS": tmp_path / "runs",
        "RESULT": tmp_path / "quality.json",
        "DATA_SETS": {"beauty": data},
        "GRIDS": {"beauty": {"ease": grid}},
        "write_page": pages.append,
    }.items():
        monkeypatch.setattr(quality, name, value)
    monkeypatch.setattr("benchmarks.quality.record.DATA_SETS", {"beauty": data})
    arguments = ["--only", "peers", "--peers-python", sys.executable, "--json"]
    assert quality.main(arguments) == 0
    result = capsys.readouterr()
    record = json.loads(result.out)
    assert pages == [record]
    part = record["parts"]["beauty.ease"]
    assert "cannot be inverted" in result.err and len(part["tried"]) == 3
    best = max(part["tried"][:2], key=lambda each: each["checkpoints"][0]["figure"])
    assert part["chosen"] == best["setting"]
    assert 0 < record["figures"]["beauty.ease.hr@5"] <= 1
    assert {"ndcg@5", "minutes", "peak_gib"} <= {name[12:] for name in record["figures"]}
    lines = table_lines(record, "beauty", data.metrics)
    assert [name for name, _ in lines] == sorted(
        ["ease", "Peer, published"],
        key=lambda name: -(record["figures"]["beauty.ease.ndcg@5"] if name == "ease" else 0.4),
    )

    answered: list[str] = []

    def count_runs(module: str, request: dict, folder: Path, **more: str) -> None:
        answered.append(request["setting"])
        raise ProcessFailed("again")

    monkeypatch.setattr(peers, "run_process", count_runs)
    assert quality.main(arguments) == 0
    assert answered == grid[:1], "cached results were computed again"
    again = json.loads(capsys.readouterr().out)
    assert again["figures"] == record["figures"]


def test_a_failed_peer_leaves_the_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    for name, value in {
        "RUNS": tmp_path / "runs",
        "RESULT": tmp_path / "quality.json",
        "DATA_SETS": {"beauty": replace(shop(tmp_path, "none"), config=tmp_path / "none.toml")},
        "GRIDS": {"beauty": {"ease": [], "als": []}},
    }.items():
        monkeypatch.setattr(quality, name, value)
    assert quality.main(["--only", "peers"]) == 1
    said = capsys.readouterr().err
    assert said.count("none.toml") >= 2 and "beauty, als" in said and "beauty, ease" in said


def test_ours_is_refitted_and_scored_on_the_test(tmp_path: Path) -> None:
    data = shop(tmp_path / "shop", "train-and-validation")
    job = open_job(data.config, runs=tmp_path / "runs")
    run_job(job, until="encode")
    result = train_and_score(job, 7, tmp_path / "seed", metrics=data.metrics, progress=silent)
    assert set(result["figures"]) == {"hr@5", "ndcg@5"} and 0 < result["figures"]["hr@5"] <= 1
    fits = [
        json.loads((tmp_path / "seed/training" / part / "epochs.json").read_text())
        for part in (".", "refit")
    ]
    assert result["epochs"] == [len(fits[1])]
    assert result["validation"] == max(each["validation"] or 0 for each in fits[0])
    assert result["seconds"] >= sum(each["seconds"] for fit in fits for each in fit)


def test_a_seed_is_cached_by_its_dependencies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, ran, said = shop(tmp_path / "shop", "none"), [], []
    run_job(open_job(data.config, runs=tmp_path / "runs"), until="ingest")

    def pretend(module: str, request: dict, folder: Path) -> dict:
        ran.append(request["seed"])
        return {"figures": {"hr@5": 0.5}, "seconds": 1, "peak_gib": 1}

    monkeypatch.setattr(ours, "run_process", pretend)
    for seed, fingerprint in ((1, "a"), (1, "a"), (2, "a"), (1, "b")):
        encoding = {"fingerprint": fingerprint}
        made = ours.train_seed(data, tmp_path / "runs", seed, encoding, say=said.append)
        assert made["figures"] == {"hr@5": 0.5} and made["settings"]["towers"]["dimension"] == 8
    assert ran == [1, 2, 1]
    changed = data.config.read_text().replace("dimension = 8\nhistory", "dimension = 16\nhistory")
    data.config.write_text(changed)
    ours.train_seed(data, tmp_path / "runs", 1, {"fingerprint": "a"}, say=said.append)
    assert ran == [1, 2, 1, 1] and len(said) == 4
