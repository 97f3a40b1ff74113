"""A study from its file to its pages, with a training that follows a rule: its figure is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recsys.errors import ConfigError, TrainingError
from recsys.pipeline import load_run_config, open_job, run_job
from recsys.towers.config import TowersConfig
from recsys.tuning import training
from recsys.tuning.running import tune
from recsys.tuning.study import Study, open_study
from tests.tuning.tiny import STUDY, TEMPERATURES, RecordingObserver, trained_by_rule, write_study

RULED = "recsys.tuning.training.train_towers"


@pytest.fixture
def pages() -> None:
    """Requested by tests that read the pages: drawing takes longer than all the rest."""


@pytest.fixture(autouse=True)
def _by_rule(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(RULED, trained_by_rule)
    if "pages" not in request.fixturenames:
        monkeypatch.setattr("recsys.tuning.running.write_pages", lambda folder, content: None)


def run(path: Path, **more: Any) -> tuple[dict[str, Any], RecordingObserver]:
    observer = RecordingObserver()
    study = open_study(path, runs=path.parent / "runs")
    return tune(study, command="recsys tune study.toml", observer=observer, **more), observer


def test_sections_that_the_run_leaves_out_are_chosen_from_its_data(tmp_path: Path) -> None:
    path = write_study(tmp_path / "shop")
    run = path.parent / "tiny.toml"
    given, _, rest = run.read_text().partition("[towers]")
    run.write_text(given + "[evaluation]" + rest.partition("[evaluation]")[2])
    study = open_study(path, runs=tmp_path / "runs")
    complete = open_job(run, runs=tmp_path / "runs")
    run_job(complete, until="ingest")
    assert isinstance(study, Study)
    assert study.run.towers == complete.config.towers != TowersConfig()


def test_the_best_trial_is_first_and_is_a_run(tmp_path: Path, pages: None) -> None:
    path = write_study(tmp_path / "shop")
    content, observer = run(path)
    folder = path.parent / "runs/study"
    figures = [trial["figure"] for trial in content["trials"]]
    assert figures == sorted(figures, reverse=True) and len(figures) == 3
    first = content["trials"][0]
    assert first["number"] == content["best"]
    assert first["figure"] == first["chosen"]["train.loss.temperature"]
    assert content["figures"]["validation.ndcg@5"] == first["figure"]
    assert content["ended"] == "trials" and content["figures"]["trials.complete"] == 3
    assert observer.ends == [(number, "complete") for number in (1, 2, 3)]
    assert json.loads((folder / "trials.json").read_text()) == json.loads(json.dumps(content))

    text = (folder / "best.toml").read_text()
    assert text.startswith("# Best of 3 trials of the study 'study': trial ")
    assert f"#   train.loss.temperature = {first['labels']['train.loss.temperature']}\n" in text
    best, base = load_run_config(folder / "best.toml"), load_run_config(path.parent / "tiny.toml")
    assert best.name == "study-best"
    assert best.train.loss.temperature == first["figure"]
    loss = {"loss": best.train.loss}
    assert best.train == base.train.model_copy(update=loss) and best.towers == base.towers
    log = (folder / best.data.interactions.path).resolve()
    assert log == (path.parent / "log.csv").resolve()

    page = (folder / "trials.html").read_text()
    assert "data:image/png;base64," in page and f"<td>{first['figure']:.4f}</td>" in page
    assert (folder / "trials.png").read_bytes().startswith(b"\x89PNG")
    kept = {file.name for file in (folder / "trials").rglob("*")}
    assert kept == {"0001", "0002", "0003", "epochs.json"}, "checkpoints of ended trials are there"


@pytest.mark.slow
def test_a_study_continues(tmp_path: Path) -> None:
    path = write_study(tmp_path / "shop")
    whole, _ = run(write_study(tmp_path / "other"), trials=4)
    first, _ = run(path, trials=2)
    content, observer = run(path, trials=4)
    assert observer.ends == [(3, "complete"), (4, "complete")]
    assert content["figures"]["trials.complete"] == 4
    for key in ("number", "chosen", "figure"):
        assert [each[key] for each in content["trials"]] == [each[key] for each in whole["trials"]]
    again, observer = run(path, trials=2)
    assert observer.ends == [] and again["trials"] == content["trials"]
    again_content, observer = run(path, trials=2, begin="again")
    assert [trial["chosen"] for trial in again_content["trials"]] == [
        trial["chosen"] for trial in first["trials"]
    ]
    assert len(observer.ends) == 2


def test_a_failed_trial_is_listed_and_the_others_continue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: None
) -> None:
    def diverging(job: Any, folder: Path, *, watch: Any) -> Any:
        if job.config.towers.history.name == "mean":
            raise TrainingError("the loss became nan in epoch 1")
        if job.config.towers.history.window == 9:
            raise MemoryError("no room")
        return trained_by_rule(job, folder, watch=watch)

    monkeypatch.setattr(RULED, diverging)
    histories = """
    [space."towers.history"]
    choices = [{ name = "mean" }, { name = "transformer", window = 9 }, { name = "transformer" }]
    """
    path = write_study(tmp_path / "shop", STUDY, histories)
    content, observer = run(path)
    states = {trial["labels"]["towers.history"]: trial for trial in content["trials"]}
    assert states["mean"]["reason"] == "the loss became nan in epoch 1"
    assert states["transformer(window=9)"]["reason"] == "MemoryError: no room"
    assert content["best"] == states["transformer"]["number"] == content["trials"][0]["number"]
    assert content["figures"]["trials.failed"] == 2 and len(observer.ends) == 3
    page = (path.parent / "runs/study/trials.html").read_text()
    assert "failed: the loss became nan in epoch 1" in page


def test_a_study_without_a_complete_trial_has_no_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverging(job: Any, folder: Path, *, watch: Any) -> Any:
        watch(float("nan"))  # is the training's own to refuse
        raise TrainingError("the validation figure is nan")

    monkeypatch.setattr(RULED, diverging)
    path = write_study(tmp_path / "shop")
    content, _ = run(path)
    assert content["best"] is None and content["importance"] == {}
    assert {trial["state"] for trial in content["trials"]} == {"failed"}
    assert not (path.parent / "runs/study/best.toml").exists()


@pytest.mark.slow
def test_pruned_trials_are_listed_and_never_the_best(tmp_path: Path) -> None:
    pruner = 'pruner = { name = "median", startup_trials = 1, warmup_epochs = 1 }'
    study = STUDY.replace('pruner = { name = "none" }', pruner)
    content, _ = run(write_study(tmp_path / "shop", study, TEMPERATURES), trials=8)
    pruned = [trial for trial in content["trials"] if trial["state"] == "pruned"]
    assert pruned and content["figures"]["trials.pruned"] == len(pruned)
    assert all(len(trial["epochs"]) < 3 for trial in pruned)
    assert content["trials"][0]["state"] == "complete"
    highest = max(trial["chosen"]["train.loss.temperature"] for trial in content["trials"])
    assert content["trials"][0]["chosen"]["train.loss.temperature"] == highest


def test_a_space_of_one_combination(tmp_path: Path) -> None:
    one = '[space."train.loss.temperature"]\nchoices = [0.2]\n'
    content, observer = run(write_study(tmp_path / "shop", STUDY, one))
    assert content["ended"] == "tried all" and observer.ends == [(1, "complete")]
    again, observer = run(tmp_path / "shop/study.toml")
    assert observer.ends == [] and again["trials"] == content["trials"]


def test_each_trial_trains_a_combination_of_its_own(tmp_path: Path) -> None:
    few = '[space."train.patience"]\nlow = 1\nhigh = 4\n'
    # With this seed the sampler's third draw repeats the second.
    path = write_study(tmp_path / "shop", STUDY.replace("seed = 5", "seed = 1"), few)
    content, observer = run(path)
    assert len({str(each) for each in observer.proposals}) == len(observer.ends) == 3
    assert content["figures"]["trials.complete"] == 3 and content["ended"] == "trials"
    content, observer = run(path, trials=9)
    assert observer.ends == [(4, "complete")] and content["ended"] == "tried all"


def test_the_time_limit_interrupts_a_trial_that_can_continue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(training.time, "monotonic", lambda: now[0])

    def slow(job: Any, folder: Path, *, watch: Any) -> Any:
        def aged(figure: float) -> None:
            watch(figure)
            now[0] += 60.0

        return trained_by_rule(job, folder, watch=aged)

    monkeypatch.setattr(RULED, slow)
    path = write_study(tmp_path / "shop")
    nothing, observer = run(path, minutes=0)
    assert nothing["ended"] == "minutes" and not nothing["trials"] and not observer.proposals
    content, _ = run(path, minutes=4)  # three per trial
    states = {trial["number"]: trial["state"] for trial in content["trials"]}
    assert content["ended"] == "minutes" and states == {1: "complete", 2: "unfinished"}
    again, observer = run(path, minutes=4)
    assert observer.ends == [] and again["ended"] == "minutes"
    more, observer = run(path, minutes=100)
    assert more["ended"] == "trials"
    assert observer.ends == [(2, "complete"), (3, "complete")]
    assert observer.proposals[0]["train.loss.temperature"] in str(content["trials"])


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("study.toml", "high = 0.5", "high = 0.6", "another space"),
        ("study.toml", "seed = 5", "seed = 6", "another seed"),
        ("study.toml", "trials = 3", 'trials = 3\nmetric = "ndcg@10"', "another metric"),
        ("tiny.toml", "epochs = 3", "epochs = 4", "another base configuration"),
        ("log.csv", "u0,", "u00,", "another data"),
    ],
)
def test_a_changed_study_is_refused(
    tmp_path: Path, file: str, old: str, new: str, named: str
) -> None:
    path = write_study(tmp_path / "shop")
    run(path, trials=1)
    changed = path.parent / file
    changed.write_text(changed.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=f"started with {named}.* --again"):
        run(path)
    content, _ = run(path, trials=1, begin="again")
    assert len(content["trials"]) == 1


def test_settings_of_the_report_may_change(tmp_path: Path) -> None:
    path = write_study(tmp_path / "shop")
    run(path, trials=1)
    base = path.parent / "tiny.toml"
    base.write_text(base.read_text().replace("resamples = 10", "resamples = 20"))
    assert len(run(path)[0]["trials"]) == 3


def test_a_study_named_as_its_run_is_refused(tmp_path: Path) -> None:
    path = write_study(tmp_path / "shop", STUDY.replace('"study"', '"tiny"'), TEMPERATURES)
    with pytest.raises(ConfigError, match="both named 'tiny' and would share a folder"):
        open_study(path, runs=tmp_path)


def test_a_missing_base_is_refused(tmp_path: Path) -> None:
    path = write_study(tmp_path / "shop", STUDY.replace("tiny.toml", "none.toml"), TEMPERATURES)
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*none.toml"):
        open_study(path, runs=tmp_path)


def test_the_metric_can_be_chosen(tmp_path: Path) -> None:
    study = STUDY.replace("trials = 3", 'trials = 1\nmetric = "ndcg@10"')
    path = write_study(tmp_path / "shop", study, TEMPERATURES)
    content, _ = run(path)
    assert content["metric"] == "ndcg@10" and "validation.ndcg@10" in content["figures"]
    best = load_run_config(path.parent / "runs/study/best.toml")
    assert best.evaluation.choose_by == "ndcg@10"
