"""The encoding stage of a comparison; variants with equal encoders share one stage."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from recsys.comparison.config import ComparisonConfig, Kind, VariantConfig
from recsys.encoders import Content, Encoder, obtain_encoder
from recsys.encoders.contents import readable
from recsys.errors import DataError
from recsys.features import CataloguePictures, FeatureBlock, FeatureCache
from recsys.files import read_json, sha256_json, write_json
from recsys.pipeline import Job
from recsys.pipeline.sections import external_files, resolve_files
from recsys.pipeline.stage import Stage, StageOutput

BLOCK, BUILD_TIME, ENCODER = "block.npz", "build_time.json", "encoder"
WARM_UP = 16
"""Number of contents encoded before timing: libraries load and compile on first use."""


@dataclass(frozen=True)
class EncodingRequest:
    """An encoder's section, the text columns that it reads, and the size of its timing sample."""

    kind: Kind
    section: Any
    reads: tuple[str, ...]
    timing_sample: int

    @property
    def settings(self) -> Mapping[str, Any]:
        """The request as JSON values."""
        section = self.section.model_dump(mode="json")
        return {"section": section, "reads": list(self.reads), "sample": self.timing_sample}

    @property
    def stage_name(self) -> str:
        """Name of the stage, equal for equal requests."""
        return f"{self.kind}_{self.section.name}_{sha256_json(self.settings)[:12]}"


def encoding_requests(config: ComparisonConfig, variant: VariantConfig) -> list[EncodingRequest]:
    """One request per encoder of a variant."""
    reads = {"text": variant.reads or config.data.fields.text, "image": ()}
    sample = config.evaluation.timing_sample
    return [
        EncodingRequest(kind, section, reads[kind], sample)
        for kind, section in variant.encoders.items()
    ]


def encoder_stage(request: EncodingRequest) -> Stage[Job]:
    """The stage that writes ``block.npz``, with these figures:

    - ``dimension``, and ``items``, the number of items with a vector,
    - ``build_seconds``, since the last start if the build was interrupted,
    - ``encode_seconds_per_1000`` items,
    - ``size_mb``, size of the saved encoder in millions of bytes.
    """

    def run(job: Job, out: Path) -> StageOutput:
        contents = _contents(job, request)
        encoder, build_seconds = _build(job, request, contents, out)
        seconds = seconds_per_1000(encoder, contents, sample_size=request.timing_sample)
        encoded = FeatureCache(job.cache).encode(encoder, contents, progress=job.progress)
        FeatureBlock.of(request.kind, encoded).save(out / BLOCK)
        size = sum(file.stat().st_size for file in (out / ENCODER / "encoder").rglob("*"))
        figures = {
            "dimension": encoder.dimension,
            "items": int(encoded.mask.sum()),
            "build_seconds": build_seconds,
            "encode_seconds_per_1000": seconds,
            "size_mb": size / 1e6,
        }
        return StageOutput(figures, {"unreadable": len(encoded.faults)})

    return Stage(
        request.stage_name,
        ("ingest",),
        2,
        settings=lambda job: request.settings,
        inputs=lambda job: external_files(job, encoder=request.section),
        run=run,
        restart="resume",
    )


def seconds_per_1000(encoder: Encoder, contents: Sequence[Content], *, sample_size: int) -> float:
    """Seconds to encode 1,000 contents, without reading files and without any cache.

    ``sample_size`` contents spread evenly over the readable ones are encoded in one call, after a
    warm-up call.

    Raises:
        DataError: There is no content.
    """
    present = [at for at in range(len(contents)) if readable(contents, [at])[0]]
    if not present:
        raise DataError("no item has a content of this kind; there is nothing to encode")
    size = min(sample_size, len(present))
    chosen = [present[at] for at in np.linspace(0, len(present) - 1, size, dtype=int)]
    sample = readable(contents, chosen)
    encoder.encode(sample[:WARM_UP])
    began = time.perf_counter()
    encoder.encode(sample)
    return (time.perf_counter() - began) / len(sample) * 1000


def _contents(job: Job, request: EncodingRequest) -> Sequence[Content]:
    catalogue = job.ingested.catalogue
    if request.kind == "image":
        return CataloguePictures(catalogue)
    fields = catalogue.fields.model_copy(update={"text": request.reads})
    return replace(catalogue, fields=fields).texts()


def _build(
    job: Job, request: EncodingRequest, contents: Sequence[Content], out: Path
) -> tuple[Encoder, float]:
    """The encoder and its build time, which is stored for a stage that resumes."""
    began = time.perf_counter()
    section = resolve_files(job, request.section)
    encoder = obtain_encoder(section, contents, out / ENCODER, progress=job.progress)
    file = out / BUILD_TIME
    if not file.is_file():
        write_json(file, {"seconds": time.perf_counter() - began})
    return encoder, float(read_json(file)["seconds"])
