"""Recall in every space of published bundles, for every kind of query that the space answers."""

from __future__ import annotations

import dataclasses
import io
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.index.data.datasets import SEED
from benchmarks.index.data.query_vectors import query_vectors
from benchmarks.index.data.truth import exact_answers, recalls
from benchmarks.server_startup import publish_bundle
from recsys.bundle import open_bundle
from recsys.catalogue import Catalogue
from recsys.index import ExactConfig, ScannConfig
from recsys.pipeline.job import Job
from recsys.pipeline.running import open_job, run_job
from recsys.retrieval import TWO_TOWER, Retriever, Space
from recsys_client.request import Request

QUERIES, CUTOFFS = 300, (1, 10, 100, 1_000)
RUNS: Mapping[str, Mapping[str, Any]] = {
    "demo": {},
    # One epoch: the index is measured, not the towers.
    "movielens-1m": {"train": {"epochs": 1, "patience": 1, "validate_every": 1}},
}
TUNING, MEASURING = 0, 1
"""Halves of the users and items."""
LARGE, SMALL = 200_000, 20_000
"""Number of items of the synthetic bundle, and with ``--quick``."""


def train(work: Path, name: str) -> dict[str, Any]:
    """Train the towers and encoders of a configuration, before anything is indexed."""
    run_job(_job(work, name), until="train")
    return {}


def of_run(work: Path, name: str) -> dict[str, Any]:
    """Index and publish a configuration's run; recall of its spaces."""
    job = _job(work, name)
    run_job(job, until="publish", again=["index", "publish"])
    return _spaces(open_bundle(job.bundles).retriever, job.ingested.catalogue)


def publish_synthetic(work: Path, items: int) -> dict[str, Any]:
    """Publish the synthetic bundle of :mod:`benchmarks.server_startup`."""
    publish_bundle(work / f"bundle-{items}", items)
    return {}


def of_synthetic(work: Path, items: int) -> dict[str, Any]:
    """Index the space of the synthetic bundle with default settings; its recall."""
    retriever = open_bundle(work / f"bundle-{items}" / "bundles").retriever
    vectors = np.array(retriever.spaces[TWO_TOWER].vectors)
    tuning = {
        kind: query_vectors(retriever, [Request.of(**part, k=1) for part in parts])
        for kind, parts in _queries(retriever, retriever.catalogue, TUNING)
        if kind in ("users", "histories", "items")
    }
    space = Space.two_tower(vectors, ScannConfig(), queries=tuning)
    return _spaces(dataclasses.replace(retriever, spaces={TWO_TOWER: space}), retriever.catalogue)


def _job(work: Path, name: str) -> Job:
    config = Path("configs") / f"{name}.toml"
    return open_job(config, runs=work / "runs", overrides=RUNS[name])


def _spaces(retriever: Retriever, catalogue: Catalogue) -> dict[str, Any]:
    """Cells "space, kind, k" with target, recall and worst query."""
    cells = {}
    for name, space in retriever.spaces.items():
        config = space.index.config
        target = 1.0 if isinstance(config, ExactConfig) else getattr(config, "target_recall", 1.0)
        eligible = np.flatnonzero(space.mask).astype(np.int32)
        for kind, parts in _queries(retriever, catalogue, MEASURING):
            requests = [Request.of(**part, space=name, k=1) for part in parts]
            queries = query_vectors(retriever, requests)
            if not len(queries):
                continue
            truth = exact_answers(space.vectors, queries, CUTOFFS[-1], eligible)
            for k in (k for k in CUTOFFS if k <= len(eligible)):
                hits = space.search(queries, k, exclude=[np.empty(0, np.int32)] * len(queries))
                rows = np.where(hits.valid, hits.rows, -1)
                shares = recalls(space.vectors, queries, rows, truth, k)
                cells[f"{name}, {kind}, {k}"] = {
                    "items": len(eligible),
                    "queries": len(queries),
                    "target": target,
                    "recall": float(shares.mean()),
                    "worst_recall": float(shares.min()),
                }
    return cells


def _queries(
    retriever: Retriever, catalogue: Catalogue, half: int
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Queries of each kind, of every other user and item."""
    rng, log = np.random.default_rng(SEED), retriever.log
    drawn = rng.permutation(len(log.users))[half::2][:QUERIES]
    yield "users", [{"user_id": str(log.users.index[user])} for user in drawn]
    histories: list[dict[str, Any]] = []
    for user in drawn:
        rows = log.history(int(user))[-int(rng.integers(1, 21)) :]
        if len(rows):
            histories.append({"history": [str(log.items.index[row]) for row in rows]})
    yield "histories", histories
    items = rng.permutation(len(catalogue))[half::2][:QUERIES]
    yield "items", [{"item_id": str(catalogue.ids.index[row])} for row in items]
    phrases = [phrase for phrase in log.phrases if phrase] or _words(catalogue)
    terms = [str(phrase) for phrase in rng.permutation(np.array(phrases, object))[:QUERIES]]
    yield "terms", [{"terms": phrase} for phrase in terms]
    pictures = (catalogue.image(int(row)) for row in items)
    yield "pictures", [{"image": crop(each)} for each in pictures if each is not None]


def _words(catalogue: Catalogue) -> list[str]:
    """The first two words of each title."""
    titles = catalogue.titles_at(np.arange(len(catalogue), dtype=np.int32))
    return [" ".join(title.split()[:2]) for title in titles if title]


def crop(picture: bytes) -> bytes:
    """The part of a picture without a tenth on two sides, which depend on its bytes."""
    opened = Image.open(io.BytesIO(picture)).convert("RGB")
    width, height = opened.size
    left, top = (
        zlib.crc32(picture) % 2 * (width // 10),
        zlib.crc32(picture) // 2 % 2 * (height // 10),
    )
    box = (left, top, left + width - width // 10, top + height - height // 10)
    written = io.BytesIO()
    opened.crop(box).save(written, "PNG")
    return written.getvalue()
