"""The stage of one encoder: built, timed, its vectors kept. Rows with equal encoders share it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from recsys.comparison.config import Kind, VariantConfig
from recsys.encoders import Content, Encoder, obtain_encoder
from recsys.encoders.contents import readable
from recsys.errors import DataError
from recsys.features import CataloguePictures, FeatureBlock, FeatureCache
from recsys.files import read_json, sha256_json, write_json
from recsys.pipeline import Job
from recsys.pipeline.sections import external_files, resolve_files
from recsys.pipeline.stage import Stage, StageOutput

BLOCK, BUILT, KEPT = "block.npz", "built.json", "kept"
WARM_UP = 16
"""Contents encoded before the clock starts: libraries load and compile on first use."""


@dataclass(frozen=True)
class Asked:
    """An encoder as a row asks for it.

    Attributes:
        kind: What it reads.
        section: Its configuration.
        reads: The text columns that it reads; empty for pictures.
        timed: By how many contents it is timed.
    """

    kind: Kind
    section: Any
    reads: tuple[str, ...]
    timed: int

    @property
    def settings(self) -> Mapping[str, Any]:
        """As JSON values."""
        section = self.section.model_dump(mode="json")
        return {"section": section, "reads": list(self.reads), "timed": self.timed}

    @property
    def stage_name(self) -> str:
        """The same for equal encoders, whoever asks."""
        return f"{self.kind}_{self.section.name}_{sha256_json(self.settings)[:12]}"


def asked_by(row: VariantConfig, *, text: tuple[str, ...], timed: int) -> list[Asked]:
    """The encoders of a row; ``text`` is what its encoder of words reads by default."""
    reads: dict[Kind, tuple[str, ...]] = {"text": row.reads or text, "image": ()}
    return [Asked(kind, part, reads[kind], timed) for kind, part in row.encoders.items()]


def encoder_stage(asked: Asked) -> Stage[Job]:
    """The stage that leaves ``block.npz`` and these figures:

    - ``dimension``, and ``items``, the number of items that have a vector,
    - ``build_seconds``, from the last start where the building was interrupted,
    - ``encode_seconds_per_1000`` items,
    - ``size_mb`` of the saved encoder, in millions of bytes.
    """

    def run(job: Job, out: Path) -> StageOutput:
        contents = _contents(job, asked)
        encoder, build_seconds = _built(job, asked, contents, out)
        seconds = seconds_per_1000(encoder, contents, timed=asked.timed)
        encoded = FeatureCache(job.cache).encode(encoder, contents, progress=job.progress)
        FeatureBlock.of(asked.kind, encoded).save(out / BLOCK)
        size = sum(file.stat().st_size for file in (out / KEPT / "encoder").rglob("*"))
        figures = {
            "dimension": encoder.dimension,
            "items": int(encoded.mask.sum()),
            "build_seconds": build_seconds,
            "encode_seconds_per_1000": seconds,
            "size_mb": size / 1e6,
        }
        return StageOutput(figures, {"unreadable": len(encoded.faults)})

    return Stage(
        asked.stage_name,
        ("ingest",),
        1,
        settings=lambda job: asked.settings,
        inputs=lambda job: external_files(job, encoder=asked.section),
        run=run,
        restart="resume",
    )


def seconds_per_1000(encoder: Encoder, contents: Sequence[Content], *, timed: int) -> float:
    """Seconds that the encoder takes for 1,000 contents, from their bytes or words to vectors.

    ``timed`` contents spread evenly over those that are there are encoded in one call, past any
    cache, after a first call that is not counted. Reading files is not counted.

    Raises:
        DataError: There is no content at all.
    """
    there = [at for at in range(len(contents)) if readable(contents, [at])[0]]
    if not there:
        raise DataError("no item has a content of this kind; there is nothing to encode")
    chosen = [there[at] for at in np.linspace(0, len(there) - 1, min(timed, len(there)), dtype=int)]
    sample = readable(contents, chosen)
    encoder.encode(sample[:WARM_UP])
    began = time.perf_counter()
    encoder.encode(sample)
    return (time.perf_counter() - began) / len(sample) * 1000


def _contents(job: Job, asked: Asked) -> Sequence[Content]:
    catalogue = job.ingested.catalogue
    if asked.kind == "image":
        return CataloguePictures(catalogue)
    fields = catalogue.fields.model_copy(update={"text": asked.reads})
    return replace(catalogue, fields=fields).texts()


def _built(job: Job, asked: Asked, contents: Sequence[Content], out: Path) -> tuple[Encoder, float]:
    """The encoder and the seconds of its building, which a stage that goes on remembers."""
    began = time.perf_counter()
    section = resolve_files(job, asked.section)
    encoder = obtain_encoder(section, contents, out / KEPT, progress=job.progress)
    seconds, note = time.perf_counter() - began, out / BUILT
    if note.is_file():
        seconds = float(read_json(note)["seconds"])
    else:
        write_json(note, {"seconds": seconds})
    return encoder, seconds
