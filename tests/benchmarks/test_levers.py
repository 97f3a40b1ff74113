"""Every lever is a configuration; a small shop's are trained, kept, recorded and shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.levers import __main__ as levers
from benchmarks.levers import cold, training
from benchmarks.levers.results import entry, merge
from benchmarks.levers.tables import rows
from benchmarks.levers.world import BASE, Variant, World, asked, changed
from benchmarks.levers.worlds import WORLDS
from benchmarks.quality import ours
from benchmarks.quality.datasets import DataSet
from recsys.errors import ConfigError, DataError, TrainingError
from recsys.pipeline import open_job
from recsys.pipeline.job import Job
from tests.pipeline.tiny import write_tiny

MADE = {"date": "2026-01-01T00:00:00+00:00", "commit": "c", "machine": {"cores": 2}}


@pytest.mark.parametrize("name", WORLDS)
def test_every_variant_is_a_run_of_its_own(name: str) -> None:
    world = WORLDS[name]
    settings = [json.dumps(asked(world, variant)) for variant in world.kept()]
    assert len(set(settings)) == len(settings)
    names = [variant.name for variant in world.variants]
    assert len(set(names)) == len(names) and all(variant.told for variant in world.variants)


def test_the_bases_are_one_pair_of_towers() -> None:
    for world in WORLDS.values():
        base = asked(world, world.variants[0])
        assert base["train"]["members"] == []
    beauty = WORLDS["beauty"]
    (members,) = (each for each in beauty.variants if each.name == "members")
    preset = open_job(beauty.data.config, runs=Path("runs")).config
    assert asked(beauty, members)["train"] == preset.train.model_dump(mode="json")
    assert asked(beauty, beauty.variants[0])["towers"]["blocks"] == ["text.bag-of-words"]


def test_a_change_leaves_the_next_one_alone(tmp_path: Path) -> None:
    path, loss = write_tiny(tmp_path, pictures="skip"), {"name": "full-softmax"}
    first = changed(path, {"train.loss": loss, "train.loss.temperature": 0.2})
    assert first.train.loss.temperature == 0.2 and loss == {"name": "full-softmax"}
    assert changed(path, {"towers.blocks": []}).towers.blocks == ()
    with pytest.raises(ConfigError, match="no key 'train.loss.margin' with what it chooses"):
        changed(path, {"train.loss": loss, "train.loss.margin": 0.5})


def shop(folder: Path, **other: Any) -> World:
    data = DataSet("shop", write_tiny(folder, pictures="skip"), ("ndcg@5", "hr@5"), promised={})
    variants = (
        Variant(BASE, "ids and words"),
        Variant("without-content", "ids alone", {"towers.blocks": []}),
        Variant("same", "as the preset is now", {"towers.dimension": 8}),
    )
    settled = {"train.epochs": 1}
    kind = {"judged": "validation", "metrics": data.metrics, "seeds": ((1, 2), (1,)), **other}
    return World("shop", "A shop", data, settled, variants, **kind)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[World], list[str]]:
    """``main`` over a world, its processes here and counted: which trainings each call began."""
    began: list[str] = []

    def here(command: tuple[str, ...], request: dict, folder: Path) -> None:
        if "changes" in request:
            began.append(f"{folder.name.rsplit('-', 1)[0]}")
        (training if "changes" in request else ours).main(request)

    monkeypatch.setattr(training, "run", here)
    monkeypatch.setattr(ours, "run", here)
    monkeypatch.setattr(levers, "write_page", lambda *, levers: None)
    monkeypatch.setattr(levers, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(levers, "RESULT", tmp_path / "levers.json")

    def called(world: World, *arguments: str, code: int = 0) -> list[str]:
        began.clear()
        monkeypatch.setattr(levers, "WORLDS", {world.name: world})
        assert levers.main(["--dataset", world.name, "--json", *arguments]) == code
        return list(began)

    return called


def test_variants_are_trained_once_and_stand_beside_the_base(
    bench: Callable, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = shop(tmp_path / "shop")
    tests: list[int] = []
    judge = training.judge

    def judged(scorer: object, parts: Any, part: Any, metrics: Any) -> dict[str, float]:
        tests.append(len(parts.test))
        return judge(scorer, parts, part, metrics)

    monkeypatch.setattr(training, "judge", judged)
    assert bench(world) == ["base-1", "base-2", "without-content-1"]
    assert tests == [0, 0, 0], "what is chosen by must not see the test"
    told = capsys.readouterr()
    assert "same is what the base is now" in told.err
    record = json.loads(told.out)
    figures = record["figures"]
    assert 0 < figures["shop.base.ndcg@5"] <= 1 and "shop.base.ndcg@5.std" in figures
    assert "shop.without-content.ndcg@5.std" not in figures
    assert figures["shop.base.minutes"] > 0 and figures["shop.base.peak_gib"] > 0
    part = record["parts"]["shop.without-content"]
    assert part["changes"] == {"train.epochs": 1, "towers.blocks": []} and part["seeds"] == [1]
    left = {path.name for path in (tmp_path / "runs/shop/parts").glob("base-1-*/training/*")}
    assert left == {"epochs.json"}, "weights are not kept"

    assert bench(world) == [], "what was kept was done again"
    assert json.loads(capsys.readouterr().out)["figures"] == figures
    assert bench(world, "--only", "without-content", "--seeds", "1,5") == ["without-content-5"]
    again = json.loads(capsys.readouterr().out)["figures"]
    assert "shop.without-content.ndcg@5.std" in again
    with pytest.raises(SystemExit):
        bench(world, "--only", "wthout-content")
    assert "no variant 'wthout-content'; there are: base, same" in capsys.readouterr().err


def test_a_training_that_stops_is_a_line_and_a_broken_one_is_told(
    bench: Callable, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = shop(tmp_path / "shop", seeds=((1,), (1,)))

    def diverges(job: Job, folder: Path) -> None:
        raise TrainingError("the loss became nan")

    monkeypatch.setattr(training, "train_towers", diverges)
    monkeypatch.setattr(training, "keep_epochs", lambda folder: None)
    assert bench(world, "--only", "without-content") == ["without-content-1"]
    record = json.loads(capsys.readouterr().out)
    assert record["parts"]["shop.without-content"]["stopped"] == "the loss became nan"
    assert bench(world, "--only", "without-content") == [], "it would stop again"

    def breaks(job: Job, folder: Path) -> None:
        raise DataError("no room")

    monkeypatch.setattr(training, "train_towers", breaks)
    capsys.readouterr()
    assert bench(world, "--only", BASE, code=1) == ["base-1"]
    assert "failed: shop, base: no room" in capsys.readouterr().err


def made(*values: float, metric: str = "ndcg@5", cold_items: int = 0) -> dict[int, dict]:
    return {
        seed: {
            **MADE,
            "figures": {metric: value, "hr@5": value, cold.COLD: value / 2},
            "validation": value,
            "epochs": [seed],
            "seconds": 60.0 * seed,
            "peak_gib": seed,
            "cold_items": cold_items,
        }
        for seed, value in enumerate(values, start=1)
    }


def test_differences_are_told_in_the_spread_of_the_base(tmp_path: Path) -> None:
    world, path = shop(tmp_path / "shop"), tmp_path / "levers.json"
    base, other, third = world.variants
    merge(path, "shop.without-content", entry(world, other, made(0.3), mark="now"))
    assert rows(json.loads(path.read_text()), world) == []
    told = entry(world, base, made(0.1, 0.2, 0.3), mark="now")
    assert told["figures"]["ndcg@5.std"] == pytest.approx(0.1) and told["figures"]["minutes"] == 2
    record = merge(path, "shop.base", told)
    assert [(row.name, row.beside) for row in rows(record, world)] == [
        ("without-content", "+1.0"),
        ("base", ""),
    ]
    assert rows(record, world)[1].figures == ("0.2000 ± 0.1000",) * 2
    record = merge(path, "shop.same", entry(world, third, made(0.4), mark="earlier"))
    assert len(rows(record, world)) == 2, "measured beside another base"
    record = merge(path, "shop.same", entry(world, third, made(0.1), mark="now"))
    assert [row.name for row in rows(record, world)] == ["without-content", "base", "same"]
    stopped = {1: {**MADE, "stopped": "why", "seconds": 1.0, "peak_gib": 1.0}}
    record = merge(path, "shop.same", entry(world, third, stopped, mark="now"))
    last = rows(record, world)[-1]
    assert (last.name, last.figures, last.beside) == ("same", ("", ""), "stopped")


def test_content_costs_warm_items_nothing_within_a_standard_deviation(tmp_path: Path) -> None:
    world, path = WORLDS["cold"], tmp_path / "levers.json"
    ids, dropout, words, _ = world.variants
    told = {
        ids: made(0.10, 0.12, 0.14, metric=cold.WARM, cold_items=400),
        dropout: made(0.12, 0.14, 0.16, metric=cold.WARM, cold_items=400),
        words: made(0.11, 0.12, 0.13, metric=cold.WARM, cold_items=400),
    }
    for variant, seeds in told.items():
        record = merge(path, f"cold.{variant.name}", entry(world, variant, seeds, mark="now"))
    figures = record["figures"]
    assert figures["cold.ids+words.recall_of_warm@10"] == pytest.approx(0.12)
    assert figures["cold.ids+words.cold_recall@10.std"] == pytest.approx(0.005)
    assert figures["cold.chance.cold_recall@10"] == 10 / 400
    # Beside the better by validation: 0.02 less, and a spread of sqrt((4 + 1) / 2) / 100.
    assert figures["cold.no_loss"] == pytest.approx(-2 / 2.5**0.5)
