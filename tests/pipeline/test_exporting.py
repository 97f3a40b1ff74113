"""What a run exports is what its bundle would answer with, and another run can start from it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import NotFoundError
from recsys.formats import read_vectors
from recsys.index import ExactConfig
from recsys.pipeline import Job, open_job, run_job
from recsys.pipeline.exporting import export_embeddings
from recsys.retrieval import Query, Request, Retriever, Space
from tests.pipeline.tiny import write_tiny


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("export")
    path = write_tiny(folder / "shop")
    path.write_text(path.read_text().replace("[towers]\n", '[towers]\nuser_id = "embedding"\n'))
    job = open_job(path, runs=folder / "runs")
    run_job(job, until="train")
    return job


@pytest.fixture(scope="module")
def out(job: Job) -> Path:
    folder = job.folder / "exported"
    written, left_out = export_embeddings(job, folder, spaces=["image", "text", "image"])
    assert [each.name for each in written] == ["users", "items", "queries", "image", "text"]
    assert json.loads((folder / "export.json").read_text())["left_out"] == left_out
    return folder


def test_scores_are_those_of_the_served_bundle(job: Job, out: Path) -> None:
    items = read_vectors(out / "items.parquet", ids="item_id")
    space = Space.two_tower(job.towers.item_vectors, ExactConfig())
    words = job.encoders["text"]
    retriever = Retriever(
        job.ingested.catalogue,
        job.ingested.interactions,
        job.towers,
        {"two_tower": space},
        words,
    )
    rows = {name: row for row, name in enumerate(items.ids)}

    def holds(vector: np.ndarray, query: Query) -> None:
        answer = retriever.respond(Request(query, k=8))
        scores = [float(items.vectors[rows[each.id]] @ vector) for each in answer.candidates]
        np.testing.assert_allclose(scores, [each.score for each in answer.candidates], atol=1e-5)

    users = read_vectors(out / "users.parquet")
    assert users.ids == tuple(job.ingested.interactions.users.index)
    for at in (0, 17, 39):
        holds(users.vectors[at], Query(user_id=users.ids[at]))
    queries = read_vectors(out / "queries.parquet", ids="terms")
    assert set(queries.ids) == set(job.ingested.interactions.phrases) - {""}
    for at in (0, len(queries.ids) - 1):
        holds(queries.vectors[at], Query(terms=queries.ids[at]))


def test_spaces_are_as_the_encoder_gave_them(job: Job, out: Path) -> None:
    for name in ("image", "text"):
        named, block = read_vectors(out / f"{name}.parquet", ids="item_id"), job.blocks[name]
        kept = np.flatnonzero(block.mask).astype(np.int32)
        assert list(named.ids) == job.ingested.catalogue.ids.ids(kept)
        np.testing.assert_array_equal(named.vectors, block.vectors[kept])


def test_items_are_exported_with_labels(job: Job, out: Path) -> None:
    lines = (out / "projector/items/metadata.tsv").read_text().splitlines()
    assert lines[0] == "item_id\ttitle\tcolour\tinteractions\ttraining"
    assert lines[1].startswith("i0\tred ") and lines[1].split("\t")[2] == "red"
    assert (out / "projector/items/sprite.png").is_file()
    assert not (out / "projector/users/sprite.png").exists()


def test_a_missing_space_is_refused_before_writing(job: Job) -> None:
    with pytest.raises(NotFoundError, match="'sound'; it has: text, image, attributes"):
        export_embeddings(job, job.folder / "none", spaces=["sound"])
    assert not (job.folder / "none").exists()


def test_another_run_starts_from_the_users_of_this_one(job: Job, out: Path, tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "shop", pictures="skip")
    text = path.read_text().replace("[data]\n", f'[data]\nuser_vectors = "{out}/users.parquet"\n')
    path.write_text(text.replace("epochs = 4", "epochs = 1"))
    other = open_job(path, runs=tmp_path / "runs")
    run_job(other, until="train")
    assert other.user_block is not None and other.user_block.mask.all()
    assert other.towers.sizes["user_vectors"] == job.towers.config.dimension


def test_towers_that_read_terms_alone_export_no_users(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "shop", pictures="skip")
    mean = 'history = { name = "mean", window = 10 }'
    text = path.read_text().replace(mean, 'history = { name = "none" }')
    path.write_text(text.replace("epochs = 4", "epochs = 1"))
    job = open_job(path, runs=tmp_path / "runs")
    run_job(job, until="train")
    written, left_out = export_embeddings(job, tmp_path / "out")
    assert [each.name for each in written] == ["items", "queries"]
    assert (
        left_out[0] == "users: the query tower reads search terms alone, every user has one vector"
    )


def test_terms_of_unknown_words_export_no_queries(job: Job, tmp_path: Path) -> None:
    unknown = replace(job)
    vars(unknown)["phrases"] = np.zeros_like(job.phrases)
    written, left_out = export_embeddings(unknown, tmp_path / "out")
    assert [each.name for each in written] == ["users", "items"]
    assert left_out[0] == "queries: the text encoder knows no word of the log's search terms"
