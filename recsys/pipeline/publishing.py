"""The last stages of a run: the index of every space, and the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from recsys.bundle import Parts, publish, verify
from recsys.errors import DataError, RecsysError
from recsys.evaluation.published import PublishedReport
from recsys.feed import PictureHashes
from recsys.pipeline.evaluating import (
    load_evaluations,
    load_failures,
    load_query_digests,
    main_k,
)
from recsys.pipeline.index_queries import SampledQueries, measure_recall, worst_kind
from recsys.pipeline.job import Job
from recsys.pipeline.rank_stage.stage import RANKER
from recsys.pipeline.stage import StageOutput, StageResult, load_record
from recsys.pipeline.training import training_curve
from recsys.ranking import load_ranker
from recsys.retrieval import IMAGE, TEXT, TWO_TOWER, Space

_AT_ONCE = 100
PUBLISHED_FROM = ("ingest", "encode", "train", "evaluate", "index", "rank")


def run_index(job: Job, out: Path) -> StageOutput:
    """Build every space, and compare its index with exact search for every kind of query."""
    section, samples = job.config.index, SampledQueries(job, job.config.index.queries)
    figures: dict[str, float] = {}
    facts, recall = {}, {}
    for done, name in enumerate(job.config.spaces):
        job.progress("index", done, len(job.config.spaces), name)
        queries = samples.tuning(name)
        if name == TWO_TOWER:
            vectors = job.towers.item_vectors
            space = Space.two_tower(vectors, section.search, queries=queries)
        else:
            block = job.blocks[name]
            space = Space.content(name, block.vectors, block.mask, section.search, queries=queries)
        space.save(out / name)
        facts[name] = dict(space.index.facts)
        recall[name] = measure_recall(space, samples.measuring(name), at=section.recall_at)
        for k, value in worst_kind(recall[name]).items():
            figures[f"{name}.recall@{k}"] = value
        if name == TWO_TOWER:
            figures[f"ann_recall@{section.recall_at}"] = figures[
                f"{name}.recall@{min(section.recall_at, len(space))}"
            ]
    job.progress("index", len(facts), len(facts))
    return StageOutput(figures, {"facts": facts, "recall": recall})


def run_publish(job: Job, out: Path) -> StageOutput:
    """Publish a bundle."""
    version = publish(job.bundles, parts_of(job), progress=job.progress)
    return StageOutput({}, {"version": version})


def parts_of(job: Job) -> Parts:
    """The parts of the bundle of a run whose spaces are built.

    Its description has the figures of the stages that are complete.
    """
    spaces: dict[str, Space] = {
        name: Space.load(job.folder / "index" / name, name) for name in job.config.spaces
    }
    needed = {name.split(".")[0] for name in job.towers.item_blocks} | set(spaces)
    if job.towers.terms_dimension:
        needed.add(TEXT)
    ranked = job.config.ranker is not None
    stages = [name for name in PUBLISHED_FROM if ranked or name != "rank"]
    found = {name: load_record(job.folder / name) for name in stages}
    records = {name: record for name, record in found.items() if record is not None}
    return Parts(
        ingested=job.ingested,
        towers=job.towers,
        spaces=spaces,
        encoders={kind: job.encoders[kind] for kind in (TEXT, IMAGE) if kind in needed},
        attributes=job.attribute_schema,
        ranker=load_ranker(job.folder / "rank" / RANKER) if ranked else None,
        config=job.config.model_dump(mode="json"),
        figures={
            **records.get("evaluate", {}).get("figures", {}),
            **{f"index.{name}": value for name, value in records["index"]["figures"].items()},
            **{f"rank.{name}": value for name, value in _figures(records, "rank").items()},
        },
        fingerprints={name: record["fingerprint"] for name, record in records.items()},
        watermark=included_watermark(records["ingest"]["notes"].get("stores", {})),
        feeds=job.config.feed,
        picture_hashes=_picture_hashes(job),
        report=_report(job) if "evaluate" in records else None,
    )


def _report(job: Job) -> PublishedReport:
    """The evaluation of the run."""
    folder, config = job.folder / "evaluate", job.config
    return PublishedReport.of(
        load_evaluations(folder),
        load_query_digests(folder),
        name=config.name,
        seeds=sorted({config.seed, config.train.seed, config.evaluation.seed}),
        protocol=str(job.split.protocol["name"]),
        k=main_k(config.evaluation.ks),
        epochs=training_curve(job),
        failures=load_failures(folder),
    )


def _picture_hashes(job: Job) -> PictureHashes:
    """The hashes of the pictures of the catalogue; an unreadable picture has none."""
    catalogue = job.ingested.catalogue
    if catalogue.pictures is None:
        return PictureHashes.none()

    def picture(row: int) -> bytes | None:
        if row % _AT_ONCE == 0:
            job.progress("pictures", row, len(catalogue))
        with suppress(DataError):
            return catalogue.image(row)
        return None

    return PictureHashes.of(map(picture, range(len(catalogue))))


def _figures(records: Mapping[str, Mapping[str, Any]], stage: str) -> Mapping[str, float]:
    return records.get(stage, {}).get("figures", {})  # type: ignore[no-any-return]


def included_watermark(stores: Mapping[str, Mapping[str, Any]]) -> int:
    """Last change of a store that the data include, 0 for data of files.

    Args:
        stores: State of the store of each section of the data, as the stage "ingest" records it.
    """
    return min((int(section["watermark"]) for section in stores.values()), default=0)


def published_fault(job: Job, result: StageResult) -> str:
    """Why the published bundle cannot be opened as it is; "" if it can.

    After a rollback another bundle is current, and stays so.
    """
    try:
        if verify(job.bundles).version != result.notes["version"]:
            verify(job.bundles, result.notes["version"])
    except RecsysError as error:
        return error.message
    return ""
