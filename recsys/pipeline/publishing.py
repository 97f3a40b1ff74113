"""The last stages of a run: the index of every space, and the bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.bundle import Parts, publish, verify
from recsys.errors import RecsysError
from recsys.index import ExactIndex, ann_recall
from recsys.pipeline.job import Job
from recsys.pipeline.scoring import batch_of
from recsys.pipeline.stage import StageOutput, StageResult, load_record
from recsys.retrieval import IMAGE, TEXT, TWO_TOWER, Space
from recsys.splits import HeldOutQueries

PUBLISHED_FROM = ("ingest", "encode", "train", "evaluate", "index")


def run_index(job: Job, out: Path) -> StageOutput:
    """Build every space, and compare the index of the towers with exact search."""
    section, parts = job.config.index, job.split
    known = job.known_users

    def encode(queries: HeldOutQueries) -> np.ndarray:
        drawn = np.random.default_rng(job.config.seed).permutation(len(queries))
        some = queries.at(np.sort(drawn[: section.queries]))
        return job.towers.encode_many(batch_of(some, known=known, phrases=job.query_phrases))

    figures: dict[str, float] = {}
    facts = {}
    for done, name in enumerate(job.config.spaces):
        job.progress("index", done, len(job.config.spaces), name)
        if name == TWO_TOWER:
            # Tuned on validation queries, measured on test queries.
            tune = encode(parts.validation)
            space = Space.two_tower(job.towers.item_vectors, section.search, queries=tune)
            k = min(section.recall_at, len(space))
            exact = ExactIndex.of(space.vectors)
            figures[f"ann_recall@{section.recall_at}"] = ann_recall(
                space.index, exact, encode(parts.test), k
            )
        else:
            block = job.blocks[name]
            space = Space.content(name, block.vectors, block.mask, section.search)
        space.save(out / name)
        facts[name] = dict(space.index.facts)
    job.progress("index", len(facts), len(facts))
    return StageOutput(figures, {"facts": facts})


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
    found = {name: load_record(job.folder / name) for name in PUBLISHED_FROM}
    records = {name: record for name, record in found.items() if record is not None}
    return Parts(
        ingested=job.ingested,
        towers=job.towers,
        spaces=spaces,
        encoders={kind: job.encoders[kind] for kind in (TEXT, IMAGE) if kind in needed},
        attributes=job.attribute_schema,
        config=job.config.model_dump(mode="json"),
        figures={
            **records.get("evaluate", {}).get("figures", {}),
            **{f"index.{name}": value for name, value in records["index"]["figures"].items()},
        },
        fingerprints={name: record["fingerprint"] for name, record in records.items()},
    )


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
