"""The six stages of a run, each a thin call into a part of the library.

Raise a stage's ``version`` whenever its code would make other files of the same input.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from recsys.config import Config
from recsys.encoders import EXHIBITS, Content, KnowsWords, obtain_encoder
from recsys.features import (
    CataloguePictures,
    FeatureBlock,
    FeatureCache,
    attribute_block,
    user_block,
)
from recsys.formats import InteractionSource, read_interactions, read_items, read_vectors
from recsys.formats.columns import Unreadable
from recsys.ingestion import ingest, save_ingested
from recsys.pictures import PictureStore
from recsys.pipeline.evaluating import run_evaluate
from recsys.pipeline.job import DATA, ENCODERS, PHRASES, TRAINED_ENCODERS, Job
from recsys.pipeline.publishing import run_index, run_publish, still_published
from recsys.pipeline.sections import external_files, resolve_files
from recsys.pipeline.stage import Stage, StageOutput
from recsys.pipeline.training import run_train


def _run_ingest(job: Job, out: Path) -> StageOutput:
    data = job.config.data
    unreadable: Unreadable = "raise" if data.policy.bad_rows == "raise" else "missing"

    def read(source: InteractionSource) -> pa.Table:
        return read_interactions(
            source, base=job.base, unreadable=unreadable, progress=job.progress
        )

    interactions = read(data.interactions)
    job.progress("read", 1, 2, f"{len(interactions):,} interactions")
    searches = None if data.searches is None else read(data.searches)
    items = (
        None if data.items is None else read_items(data.items, base=job.base, progress=job.progress)
    )
    job.progress("read", 2, 2, "no catalogue" if items is None else f"{len(items):,} items")
    pictures = None if data.pictures is None else PictureStore.open(job.path(data.pictures))
    ingested = ingest(
        interactions, items, data.fields, data.policy, pictures=pictures, searches=searches
    )
    save_ingested(ingested, out / DATA)
    sizes = {
        "interactions": len(ingested.interactions),
        "users": len(ingested.interactions.users),
        "items": len(ingested.catalogue),
    }
    return StageOutput(sizes, {"ingest": ingested.report.to_dict()})


def _ingest_inputs(job: Job) -> dict[str, Path]:
    data = job.config.data
    found = external_files(
        job, interactions=data.interactions, items=data.items, searches=data.searches
    )
    return found if data.pictures is None else {**found, "pictures": job.path(data.pictures)}


def _run_encode(job: Job, out: Path) -> StageOutput:
    catalogue, ids = job.ingested.catalogue, job.ingested.catalogue.ids
    phrases = list(job.ingested.interactions.phrases)
    cache = FeatureCache(job.cache)
    figures: dict[str, float] = {}
    faults: dict[str, Any] = {}
    coverage: dict[str, Any] = {}
    for name in ENCODERS:
        section = getattr(job.config, name)
        if section is None:
            continue
        contents: Sequence[Content] = (
            catalogue.texts() if name == "text" else CataloguePictures(catalogue)
        )
        # Kept apart from the stage, so that one changed title does not train everything anew.
        encoder = obtain_encoder(
            resolve_files(job, section),
            contents,
            job.folder / TRAINED_ENCODERS / name,
            progress=job.progress,
        )
        encoder.save(out / "encoders" / name)
        shown = job.folder / TRAINED_ENCODERS / name / EXHIBITS
        if shown.is_dir():
            shutil.copytree(shown, out / EXHIBITS / name)
        encoded = cache.encode(encoder, contents, progress=job.progress)
        FeatureBlock.of(name, encoded).save(out / f"{name}.npz")
        figures |= {f"{name}.items": int(encoded.mask.sum()), f"{name}.encoded": encoded.computed}
        faults[name] = [
            {"item_id": ids.id(fault.position), "reason": fault.reason} for fault in encoded.faults
        ]
        if isinstance(encoder, KnowsWords):
            read = {"item texts": catalogue.texts(), "search phrases": phrases}
            coverage = {what: encoder.coverage(texts).to_dict() for what, texts in read.items()}
        if name == "text" and len(phrases) > 1:
            FeatureBlock.of(PHRASES, cache.encode(encoder, phrases)).save(out / f"{PHRASES}.npz")
    fields = catalogue.fields
    if job.config.attributes == "use" and (fields.categories or fields.numbers):
        block, _ = attribute_block(catalogue)
        block.save(out / "attributes.npz")
        figures["attributes.items"] = int(block.mask.sum())
    notes: dict[str, Any] = {"unreadable": faults, "words": coverage}
    if job.config.data.user_vectors is not None:
        named = read_vectors(job.path(job.config.data.user_vectors))
        users, unknown = user_block(named, job.ingested.interactions.users)
        users.save(out / f"{users.name}.npz")
        figures |= {f"{users.name}.users": int(users.mask.sum())}
        notes[users.name] = {
            "users_without": int((~users.mask).sum()),
            "not_in_the_log": len(unknown),
            "examples": unknown[:5],
        }
    return StageOutput(figures, notes)


def _encode_inputs(job: Job) -> dict[str, Path]:
    found = external_files(job, text=job.config.text, image=job.config.image)
    vectors = job.config.data.user_vectors
    return found if vectors is None else {**found, "user_vectors": job.path(vectors)}


def _settings(*names: str) -> Any:
    def settings(job: Job) -> Mapping[str, Any]:
        sections = {name: getattr(job.config, name) for name in names}
        return {
            name: section.model_dump(mode="json") if isinstance(section, Config) else section
            for name, section in sections.items()
        }

    return settings


def _ingest_settings(job: Job) -> Mapping[str, Any]:
    """All of the data but the vectors of users, which are read where things are encoded."""
    return {"data": job.config.data.model_dump(mode="json", exclude={"user_vectors"})}


def _nothing(job: Job) -> dict[str, Path]:
    return {}


INGEST: Stage[Job] = Stage(
    "ingest",
    (),
    1,
    settings=_ingest_settings,
    inputs=_ingest_inputs,
    run=_run_ingest,
)
STAGES: tuple[Stage[Job], ...] = (
    INGEST,
    Stage(
        "encode",
        ("ingest",),
        3,
        settings=_settings("text", "image", "attributes"),
        inputs=_encode_inputs,
        run=_run_encode,
    ),
    Stage(
        "train",
        ("ingest", "encode"),
        2,
        settings=lambda job: {
            **_settings("split", "towers", "train")(job),
            "choose_by": job.config.evaluation.choose_by,
        },
        inputs=_nothing,
        run=run_train,
        restart="resume",
    ),
    Stage(
        "evaluate",
        ("ingest", "encode", "train"),
        2,
        settings=_settings("split", "evaluation"),
        inputs=lambda job: (
            {}
            if job.config.evaluation.oracle is None
            else {"oracle": job.path(job.config.evaluation.oracle)}
        ),
        run=run_evaluate,
    ),
    Stage(
        "index",
        ("ingest", "encode", "train"),
        1,
        settings=_settings("split", "index", "spaces"),
        inputs=_nothing,
        run=run_index,
    ),
    Stage(
        "publish",
        ("ingest", "encode", "train", "evaluate", "index"),
        2,
        settings=_settings("name", "spaces"),
        inputs=_nothing,
        run=run_publish,
        intact=still_published,
    ),
)
