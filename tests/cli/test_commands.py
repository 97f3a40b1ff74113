"""The commands on a tiny shop: output, progress and exit codes."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from recsys.bundle import open_bundle
from recsys.cli import main
from tests import forked
from tests.pipeline.tiny import COLOURS, write_tiny


@dataclass(frozen=True)
class Ended:
    """Result of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""

    def run(*arguments: object) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        output = capsys.readouterr()
        return Ended(int(ended.value.code or 0), output.out, output.err)

    return run


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny shop's configuration and the folder with its finished run."""
    folder = tmp_path_factory.mktemp("shop")
    config, runs = write_tiny(folder / "shop"), folder / "runs"
    done = forked.run("recsys.cli", "run", config, "--runs", runs, "--json")
    assert done.returncode == 0, done.stderr
    (folder / "stdout.json").write_text(done.stdout)
    (folder / "stderr.txt").write_text(done.stderr)
    return config, runs


def test_a_run_prints_its_record_on_stdout_and_its_progress_on_stderr(
    shop: tuple[Path, Path],
) -> None:
    folder = shop[0].parents[1]
    record = json.loads((folder / "stdout.json").read_text())
    assert record == json.loads((shop[1] / "tiny/report.json").read_text())
    wanted = {f"{m}.recall@5" for m in ("two_tower", "item_knn", "popularity", "random", "oracle")}
    assert wanted | {"index.ann_recall@100", "seconds"} <= set(record["figures"])
    assert {"two_tower.ndcg@10", "two_tower.hr@10", "two_tower_with_terms.recall@5"} <= set(
        record["figures"]
    )
    assert record["figures"]["index.ann_recall@100"] == 1  # the index is exact
    recalls = [name for name in record["figures"] if name.startswith("index.") and "@10" in name]
    assert {"index.two_tower.recall@10", "index.text.recall@10"} <= set(recalls)
    progress = (folder / "stderr.txt").read_text()
    for stage in ("ingest", "encode", "train", "evaluate", "index", "publish", "serve"):
        assert f"{stage}: done in" in progress
    assert "stopped cleanly" in progress
    assert (shop[1] / "tiny/report.html").is_file()


def test_a_stage_command_reuses_earlier_results(shop: tuple[Path, Path], run: Run) -> None:
    config, runs = shop
    ended = run("index", config, "--runs", runs, "--json")
    assert ended.code == 0 and ended.json["reused"] and ended.json["stage"] == "index"
    assert ended.err.splitlines() == [
        f"{s}: reused" for s in ("ingest", "encode", "train", "index")
    ]
    ended = run("ingest", config, "--runs", runs, "--again")
    assert ended.code == 0 and "ingest: starting (requested)" in ended.err
    assert "ingest" in ended.out and "done" in ended.out


def test_encode_prints_words_without_a_vector(shop: tuple[Path, Path], run: Run) -> None:
    config, runs = shop
    ended = run("encode", config, "--runs", runs)
    assert (
        ended.code == 0 and "search phrases" in ended.out and "most frequent without" in ended.out
    )
    words = run("encode", config, "--runs", runs, "--json").json["words"]
    report = json.loads((runs / "tiny/report.json").read_text())
    assert words == report["words"] and words["item texts"]["words"] > 30
    assert 0 < words["item texts"]["share_with_a_vector"] <= 1


@pytest.mark.parametrize("form", ["text", "binary"])
def test_export_words(shop: tuple[Path, Path], run: Run, tmp_path: Path, form: str) -> None:
    encoder, out = shop[1] / "tiny/encode/encoders/text", tmp_path / "words.bin"
    ended = run("export-words", encoder, out, "--form", form, "--json")
    assert ended.code == 0 and ended.json["dimension"] == 8 and ended.json["form"] == form
    header = out.read_bytes().split(b"\n")[0].decode()
    assert header == f"{ended.json['words']} 8"
    assert run("export-words", encoder, out).out.startswith(f"{ended.json['words']} words of 8")
    pictures = run("export-words", encoder.with_name("image"), out)
    assert pictures.code == 1 and "'auto-encoder' encoder has no word vectors" in pictures.err
    nowhere = run("export-words", encoder, out / "words.txt")
    assert nowhere.code == 1 and nowhere.err.startswith("error: ")


def test_query_in_process(shop: tuple[Path, Path], run: Run) -> None:
    config, runs = shop
    ended = run("query", "--config", config, "--runs", runs, "--user", "u1", "--k", 3, "--json")
    assert ended.code == 0, ended.err
    assert [c["rank"] for c in ended.json["candidates"]] == [1, 2, 3]
    by_bundles = run(
        "query", "--bundles", runs / "tiny/bundles", "--user", "u1", "--k", 3, "--json"
    )
    assert by_bundles.json == ended.json
    table = run("query", "--config", config, "--runs", runs, "--item", "i3", "--space", "image")
    assert table.code == 0 and "title" in table.out


def test_query_by_a_picture_and_by_words_with_it(shop: tuple[Path, Path], run: Run) -> None:
    config, runs = shop
    command = ("query", "--config", config, "--runs", runs, "--k", 3)
    picture = config.parent / "photos/4.png"
    found = run(*command, "--image", picture, "--space", "image", "--json")
    assert found.code == 0, found.err
    # Pictures of one colour are the same picture: the first of them is the first row.
    assert [c["item_id"] for c in found.json["candidates"]] == ["i1", "i4", "i7"]
    both = ("--image", picture, "--terms", "green lamp", "--space", "text+image")
    table = run(*command, *both, "--fusion", "sum", "--weight", "text=0.5")
    assert table.code == 0 and "image" in table.out and "title" in table.out
    fused = run(*command, *both, "--fusion", "sum", "--weight", "text=0.5", "--json").json
    for candidate in fused["candidates"]:
        parts = candidate["parts"]
        assert candidate["score"] == pytest.approx(0.5 * parts["text"] + parts["image"], abs=1e-6)
    refused = run(*command, "--image", config, "--space", "image")
    assert refused.code == 1 and "the picture cannot be read: not a picture in a kn" in refused.err
    assert run(*command, "--image", runs / "nowhere.png").code == 2


def test_a_sheet_shows_the_query_and_its_candidates(
    shop: tuple[Path, Path], run: Run, tmp_path: Path
) -> None:
    config, runs = shop
    sheet, picture = tmp_path / "sheet.png", config.parent / "photos/4.png"
    command = ("query", "--config", config, "--runs", runs, "--sheet", sheet)
    ended = run(*command, "--image", picture, "--space", "image", "--k", 8)
    assert ended.code == 0, ended.err
    with Image.open(sheet) as drawn:
        colours = {colour for _, colour in drawn.getcolors(100_000)}
    assert COLOURS["green"] in colours and COLOURS["red"] not in colours
    assert run(*command, "--user", "u1", "--terms", "a lamp").code == 0
    assert run("query", "--bundles", runs, "--user", "u1", "--sheet", sheet).code == 2
    assert run(*command[:-1], tmp_path / "sheet.exe", "--user", "u1").code == 2


def test_a_bundle_reads_pictures_and_has_a_reference_query_with_one(
    shop: tuple[Path, Path],
) -> None:
    manifest = open_bundle(shop[1] / "tiny/bundles").manifest
    assert set(manifest.encoders) == {"text", "image"}
    requests = [query.request for query in manifest.reference_queries]
    assert [each.space for each in requests if each.query.image is not None] == ["image"]


@pytest.mark.slow
def test_query_a_service(shop: tuple[Path, Path], run: Run, tmp_path: Path) -> None:
    """--address, --config and --bundles print the same JSON; SIGTERM ends the service with 0."""
    bundles, port = shop[1] / "tiny/bundles", tmp_path / "port"
    file = tmp_path / "requests.jsonl"
    file.write_text('{"user_id": "u1", "k": 2}\n{"user_id": "stranger"}\n{"item_id": "i3"}\n')
    picture = ("--image", shop[0].parent / "photos/4.png", "--terms", "lamp")
    picture += ("--space", "text+image", "--weight", "image=2")
    serve = ("serve", "--bundles", bundles, "--port", 0, "--port-file", port)
    with forked.started("recsys.cli", *serve) as service:
        service.wait_for(lambda: service.out.read_text().endswith("\n"))
        address = service.out.read_text().strip()
        assert address.endswith(port.read_text().strip())
        remote = ("query", "--address", address, "--timeout", 200)
        command = ("--history", "i1,i4,nowhere", "--k", 4, "--json")
        over_the_wire = run(*remote, *command)
        refused = run(*remote, "--user", "stranger", "--json")
        drawn = (*picture, "--k", 4, "--json")
        by_picture = run(*remote, *drawn)
        lines = run(*remote, "--requests", file)
        service.send_signal(signal.SIGTERM)
        assert service.wait().returncode == 0
    assert over_the_wire.code == 0, over_the_wire.err
    assert over_the_wire.json["unknown_history_ids"] == ["nowhere"]
    for source in (("--bundles", bundles), ("--config", shop[0], "--runs", shop[1])):
        assert run("query", *source, *command).out == over_the_wire.out
        assert run("query", *source, *drawn).out == by_picture.out
        assert run("query", *source, "--requests", file).out == lines.out
    assert refused.code == 1 and refused.out == "" and "stranger" in refused.err
    assert lines.code == 1 and len(lines.out.splitlines()) == 3
    assert by_picture.code == 0, by_picture.err
    assert all(set(c["parts"]) == {"text", "image"} for c in by_picture.json["candidates"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--user", "stranger"], "unknown user id 'stranger'"),
        (["--user", "u1", "--k", "0"], "k must be from 1"),
        (
            ["--user", "u1", "--space", "smell"],
            "no space 'smell'; there are: image, text",
        ),
        ([], "the query is empty"),
    ],
)
def test_a_query_that_cannot_be_answered(
    shop: tuple[Path, Path], run: Run, arguments: list[str], message: str
) -> None:
    ended = run("query", "--bundles", shop[1] / "tiny/bundles", *arguments, "--json")
    assert ended.code == 1 and ended.out == ""
    assert ended.err.startswith("error: ") and message in ended.err
    assert len(ended.err.splitlines()) == 1


def test_k_above_the_catalogue_states_the_reason(shop: tuple[Path, Path], run: Run) -> None:
    ended = run("query", "--bundles", shop[1] / "tiny/bundles", "--user", "u1", "--k", 99, "--json")
    assert ended.code == 0 and len(ended.json["candidates"]) == 24
    assert "24 of the 30 items are eligible" in ended.json["short_reason"]


def test_bundles_are_listed_verified_and_rolled_back(shop: tuple[Path, Path], run: Run) -> None:
    bundles = shop[1] / "tiny/bundles"
    (listed,) = run("bundles", "list", bundles, "--json").json
    assert listed["current"] and listed["items"] == 30
    assert listed["version"] in run("bundles", "list", bundles).out
    verified = run("bundles", "verify", bundles, "--json")
    assert verified.json["version"] == listed["version"] and verified.json["whole"]
    ended = run("bundles", "rollback", bundles)
    assert ended.code == 1 and "no bundle was current before" in ended.err
    back = run("bundles", "rollback", bundles, "--to", listed["version"], "--json")
    assert back.json == {"current": listed["version"]}
    assert run("bundles", "list", bundles / "nowhere").code == 1


def test_an_interrupted_run_can_be_resumed(tmp_path: Path) -> None:
    config = write_tiny(tmp_path / "shop", pictures="skip")
    config.write_text(
        config.read_text()
        .replace("epochs = 4", "epochs = 5000")
        .replace("patience = 4", "patience = 5000")
    )
    with forked.started("recsys.cli", "train", config, "--runs", tmp_path) as training:
        training.wait_for(lambda: "train, epoch 2" in training.err.read_text())
        training.send_signal(signal.SIGINT)
        ended = training.wait()
    assert ended.returncode == 130
    assert ended.stderr.splitlines()[-1].startswith("interrupted; complete results are kept")
    assert "Traceback" not in ended.stderr


def test_export_embeddings(shop: tuple[Path, Path], run: Run, tmp_path: Path) -> None:
    command = ["export-embeddings", shop[0], "--runs", shop[1], "--out", tmp_path / "out"]
    ended = run(*command, "--space", "text", "--json")
    assert ended.code == 0, ended.err
    assert [each["name"] for each in ended.json["sets"]] == ["users", "items", "queries", "text"]
    assert ended.json["sets"][1]["thumbnails"] == 30
    assert (tmp_path / "out/users.parquet").is_file()
    ended = run(*command)
    assert ended.code == 0 and "tensorboard --logdir" in ended.out
    assert not (tmp_path / "out/text.npy").exists()
    refused = run(*command, "--space", "sound")
    assert refused.code == 1 and "no content vectors 'sound'" in refused.err


def test_compare_runs(shop: tuple[Path, Path], run: Run, tmp_path: Path) -> None:
    config, runs = shop
    command = ("compare", "--runs", runs)
    page = tmp_path / "runs.html"
    ended = run(*command, config, "tiny:random", "--k", 5, "--report", page)
    assert ended.code == 0 and ended.err == "", ended.err
    assert "tiny:random" in ended.out and "worse" in ended.out and f"Page: {page}" in ended.out
    assert "the same settings and the same input files" in ended.out
    assert "recsys compare" in page.read_text() and "tiny:random" in page.read_text()
    content = run(*command, runs / "tiny", "tiny:popularity", "--model", "item_knn", "--json").json
    assert [each["label"] for each in content["runs"]] == ["tiny:item_knn", "tiny:popularity"]
    assert content["queries"] == 40 and content["settings"] == {}
    record = json.loads((runs / "tiny/report.json").read_text())["figures"]
    found = content["runs"][0]["figures"]
    assert found == {metric: record[f"item_knn.{metric}"] for metric in found}


def test_runs_that_cannot_be_compared(shop: tuple[Path, Path], run: Run, tmp_path: Path) -> None:
    config, runs = shop
    earlier = tmp_path / "earlier"
    shutil.copytree(runs / "tiny/evaluate", earlier / "evaluate")
    (earlier / "evaluate/queries.npz").unlink()
    fresh = config.with_name("fresh.toml")
    fresh.write_text(config.read_text().replace('name = "tiny"', 'name = "fresh"'))
    for other, expected in (
        ("tinny", "there is no run 'tinny' in"),
        ("tinny", "runs: tiny; did you mean 'tiny'?"),
        ("tiny", "model 'two_tower' of run 'tiny' is there twice"),
        ("tiny:item_kn", "it evaluated: two_tower, two_tower_with_terms, random, popularity"),
        (earlier, "was evaluated by an earlier version"),
        (fresh, f"is not evaluated yet; 'recsys evaluate {fresh}' does it"),
    ):
        ended = run("compare", "tiny", other, "--runs", runs)
        assert ended.code == 1 and expected in ended.err, ended.err
    assert run("compare", "tiny", "--runs", runs).code == 2
    assert run("compare", "tiny", "tiny:random", "--report", "page.txt", "--runs", runs).code == 2


def test_compare_notes_a_changed_configuration(shop: tuple[Path, Path], run: Run) -> None:
    changed = shop[0].with_name("changed.toml")
    changed.write_text(shop[0].read_text().replace("epochs = 4", "epochs = 5"))
    ended = run("compare", changed, "tiny:random", "--runs", shop[1])
    assert ended.code == 0
    assert f"note: {changed} was changed since it was evaluated (train.epochs)" in ended.err
