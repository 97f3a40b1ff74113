"""The stages of a run, each a call of a part of the library.

Raise a stage's ``version`` when its code gives other files for the same input.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from recsys.encoders import (
    ILLUSTRATIONS,
    Content,
    CountsEntries,
    Encoded,
    Encoder,
    Fault,
    KnowsWords,
    obtain_encoder,
)
from recsys.encoders.contents import content_at
from recsys.features import (
    CataloguePictures,
    FeatureBlock,
    FeatureCache,
    attribute_block,
    user_block,
)
from recsys.formats import (
    InteractionSource,
    StoreInteractions,
    StoreItems,
    read_interactions,
    read_items,
    read_vectors,
)
from recsys.formats.columns import Unreadable, UnreadValues
from recsys.ingestion import ingest, save_ingested
from recsys.pictures import PictureStore
from recsys.pipeline.evaluating import run_evaluate
from recsys.pipeline.job import ATTRIBUTE_SCHEMA, DATA, PHRASES, PICTURES, TRAINED_ENCODERS, Job
from recsys.pipeline.publishing import published_fault, run_index, run_publish
from recsys.pipeline.rank_stage.stage import run_rank
from recsys.pipeline.sections import external_files, resolve_files
from recsys.pipeline.stage import Stage, StageOutput
from recsys.pipeline.training import run_train


def _run_ingest(job: Job, out: Path) -> StageOutput:
    data = job.given.data
    unread = {name: UnreadValues() for name in ("interactions", "searches", "items")}

    def unreadable(name: str) -> Unreadable:
        return "raise" if data.policy.bad_rows == "raise" else unread[name]

    detected: list[str] = []

    def note(line: str) -> None:
        detected.append(line.replace(f"{job.base}/", ""))

    def read(name: str, source: InteractionSource) -> pa.Table:
        return read_interactions(
            source, base=job.base, unreadable=unreadable(name), progress=job.progress, notes=note
        )

    if isinstance(data.interactions, StoreInteractions):
        interactions = job.stores["interactions"].interactions()
    else:
        interactions = read("interactions", data.interactions)
    job.progress("read", 1, 2, f"{len(interactions):,} interactions")
    searches = None if data.searches is None else read("searches", data.searches)
    items, fields, policy = None, data.fields, data.policy
    pictures = None if data.pictures is None else PictureStore.open(job.path(data.pictures))
    if isinstance(data.items, StoreItems):
        items, fields, pictures = job.stores["items"].items(out / PICTURES, fields)
        if "unknown_items" not in policy.model_fields_set:  # they may be deleted
            policy = policy.model_copy(update={"unknown_items": "skip"})
    elif data.items is not None:
        items = read_items(
            *(data.items, job.base, data.fields.number_columns()),
            unreadable=unreadable("items"),
            progress=job.progress,
            notes=note,
        )
    job.progress("read", 2, 2, "no catalogue" if items is None else f"{len(items):,} items")
    ingested = ingest(
        *(interactions, items, fields, policy),
        pictures=pictures,
        searches=searches,
        unread=unread,
        detected=detected,
    )
    save_ingested(ingested, out / DATA)
    sizes = {
        "interactions": len(ingested.interactions),
        "users": len(ingested.interactions.users),
        "items": len(ingested.catalogue),
    }
    notes = {"ingest": ingested.report.to_dict(), "stores": _stores(job)}
    return StageOutput(sizes, notes)


def _ingest_inputs(job: Job) -> dict[str, Path]:
    data = job.given.data
    sections = {name: getattr(data, name) for name in ("interactions", "items", "searches")}
    files = {name: section for name, section in sections.items() if name not in data.stores}
    found = external_files(job, **files)
    return found | _paths(job, pictures=data.pictures)


def _run_encode(job: Job, out: Path) -> StageOutput:
    cache = FeatureCache(job.cache)
    figures: dict[str, float] = {}
    notes: dict[str, Any] = {"unreadable": {}, "words": {}}
    if job.config.text is not None:
        texts = job.ingested.catalogue.texts()
        encoder = _encode_items(job, out, cache, "text", texts, figures, notes)
        phrases = list(job.ingested.interactions.phrases)
        if isinstance(encoder, KnowsWords):
            read = {"item texts": texts, "search phrases": phrases}
            notes["words"] = {kind: encoder.coverage(each).to_dict() for kind, each in read.items()}
        if isinstance(encoder, CountsEntries):
            notes["word_vector_file"] = dict(encoder.entries)
        if len(phrases) > 1:
            FeatureBlock.of(PHRASES, cache.encode(encoder, phrases)).save(out / f"{PHRASES}.npz")
    if job.config.image is not None:
        pictures = CataloguePictures(job.ingested.catalogue)
        _encode_items(job, out, cache, "image", pictures, figures, notes)
    _encode_attributes(job, out, figures)
    if job.config.data.user_vectors is not None:
        _import_user_vectors(job, job.config.data.user_vectors, out, figures, notes)
    return StageOutput(figures, notes)


def _encode_items(
    job: Job,
    out: Path,
    cache: FeatureCache,
    name: Literal["text", "image"],
    contents: Sequence[Content],
    figures: dict[str, float],
    notes: dict[str, Any],
) -> Encoder:
    # Outside of the stage, so that one changed title does not retrain the encoder.
    folder = job.folder / TRAINED_ENCODERS / name
    section = resolve_files(job, getattr(job.config, name))
    encoder = obtain_encoder(section, contents, folder, progress=job.progress)
    encoder.save(out / "encoders" / name)
    if (folder / ILLUSTRATIONS).is_dir():
        shutil.copytree(folder / ILLUSTRATIONS, out / ILLUSTRATIONS / name)
    encoded = cache.encode(encoder, contents, progress=job.progress)
    FeatureBlock.of(name, encoded).save(out / f"{name}.npz")
    figures |= {f"{name}.items": int(encoded.mask.sum()), f"{name}.encoded": encoded.computed}
    ids = job.ingested.catalogue.ids
    notes["unreadable"][name] = [
        {"item_id": ids.id(fault.position), "reason": fault.reason}
        for fault in (*encoded.faults, *_average_pictures(contents, encoded))
    ]
    return encoder


def _average_pictures(contents: Sequence[Content], encoded: Encoded) -> Iterator[Fault]:
    """Pictures that can be read and have a vector of zeros, which is masked."""
    faulty = {fault.position for fault in encoded.faults}
    for position in np.flatnonzero(~encoded.mask).tolist():
        if position not in faulty and isinstance(content_at(contents, position), bytes):
            yield Fault(position, "a vector of zeros: it does not differ from the average picture")


def _encode_attributes(job: Job, out: Path, figures: dict[str, float]) -> None:
    fields = job.ingested.catalogue.fields
    if job.config.attributes == "use" and (fields.categories or fields.numbers):
        block, schema = attribute_block(job.ingested.catalogue)
        block.save(out / "attributes.npz")
        schema.save(out / ATTRIBUTE_SCHEMA)
        figures["attributes.items"] = int(block.mask.sum())


def _import_user_vectors(
    job: Job, path: str, out: Path, figures: dict[str, float], notes: dict[str, Any]
) -> None:
    users, unknown = user_block(read_vectors(job.path(path)), job.ingested.interactions.users)
    users.save(out / f"{users.name}.npz")
    figures[f"{users.name}.users"] = int(users.mask.sum())
    notes[users.name] = {
        "users_without": int((~users.mask).sum()),
        "not_in_the_log": len(unknown),
        "examples": unknown[:5],
    }


def _encode_inputs(job: Job) -> dict[str, Path]:
    found = external_files(job, text=job.config.text, image=job.config.image)
    return found | _paths(job, user_vectors=job.config.data.user_vectors)


def _paths(job: Job, **names: str | None) -> dict[str, Path]:
    return {key: job.path(name) for key, name in names.items() if name is not None}


def _rank_inputs(job: Job) -> dict[str, Path]:
    section = job.config.ranker
    return {} if section is None else _paths(job, impressions=section.impressions)


def _ingest_settings(job: Job) -> Mapping[str, Any]:
    later = {"user_vectors", "integer_ids"}
    settings = {"data": job.given.data.model_dump(mode="json", exclude=later)}
    return settings | ({"stores": _stores(job)} if job.given.data.stores else {})


def _stores(job: Job) -> dict[str, Any]:
    """Name and watermark of each store that the data are read from, by section."""
    return {name: section.fingerprint for name, section in job.stores.items()}


def _settings(include: Any) -> Callable[[Job], Mapping[str, Any]]:
    """A part of the configuration as JSON values; ``include`` as in pydantic's ``model_dump``."""
    return lambda job: job.config.model_dump(mode="json", include=include)


INGEST: Stage[Job] = Stage(
    "ingest",
    (),
    3,
    # External user vectors are read by the stage "encode", types of ids by none.
    settings=_ingest_settings,
    inputs=_ingest_inputs,
    run=_run_ingest,
)
_UNPUBLISHED: tuple[Stage[Job], ...] = (
    INGEST,
    Stage(
        "encode",
        ("ingest",),
        5,
        settings=_settings({"text", "image", "attributes"}),
        inputs=_encode_inputs,
        run=_run_encode,
    ),
    Stage(
        "train",
        ("ingest", "encode"),
        4,
        settings=_settings(
            {**dict.fromkeys(("split", "towers", "train"), True), "evaluation": {"choose_by"}}
        ),
        run=run_train,
        restart="resume",
    ),
    Stage(
        "evaluate",
        ("ingest", "encode", "train"),
        6,
        settings=_settings({"split", "evaluation"}),
        inputs=lambda job: _paths(job, oracle=job.config.evaluation.oracle),
        run=run_evaluate,
    ),
    Stage(
        "index",
        ("ingest", "encode", "train"),
        6,
        settings=_settings({"split", "index", "spaces"}),
        run=run_index,
    ),
)
RANK: Stage[Job] = Stage(
    "rank",
    ("ingest", "encode", "train", "index"),
    4,
    settings=_settings({"split", "ranker"}),
    inputs=_rank_inputs,
    run=run_rank,
    restart="resume",
)
PUBLISH: Stage[Job] = Stage(
    "publish",
    ("ingest", "encode", "train", "evaluate", "index"),
    5,
    settings=_settings({"name", "spaces", "feed"}),
    run=run_publish,
    fault=published_fault,
)
STAGES: tuple[Stage[Job], ...] = (*_UNPUBLISHED, PUBLISH)
RANKED_STAGES: tuple[Stage[Job], ...] = (
    *_UNPUBLISHED,
    RANK,
    replace(PUBLISH, needs=(*PUBLISH.needs, RANK.name)),
)
"""The stages of a run with a ranker."""
