"""Encodes contents, each different one once ever: what was encoded is kept on disk.

Kept under the encoder's fingerprint and the hash of the content, so neither the order of items
nor their ids matter. The files are the business of ``shards``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from recsys.encoders import Content, Encoded, Encoder, Fault, content_hash
from recsys.encoders.contents import content_at, readable
from recsys.errors import EncoderError
from recsys.features.shards import Shard, read_shards, write_shard
from recsys.ids import Mask, Vectors
from recsys.progress import Progress, silent


@dataclass(frozen=True, eq=False)
class CachedEncoding(Encoded):
    """Vectors, and how they were come by.

    Attributes:
        reused: Positions answered from the disk.
        computed: Different contents that were encoded now.
        damaged: Shards that were damaged and have been encoded again.
    """

    reused: int = 0
    computed: int = 0
    damaged: int = 0


@dataclass(frozen=True)
class FeatureCache:
    """Encoded contents in a folder; several processes may share it.

    Attributes:
        folder: Where the shards lie, one folder inside for each encoder.
        chunk: Contents encoded before they are written: what an interruption can cost.

    Example:
        >>> import tempfile
        >>> from recsys.encoders import Word2VecConfig, build_encoder
        >>> texts = ["red lamp", "red rug", "red lamp"]
        >>> encoder = build_encoder(Word2VecConfig(dimension=4, min_count=1, epochs=1), texts)
        >>> cache = FeatureCache(Path(tempfile.mkdtemp()))
        >>> cache.encode(encoder, texts).computed, cache.encode(encoder, texts).computed
        (2, 0)
    """

    folder: Path
    chunk: int = 512

    def encode(
        self,
        encoder: Encoder,
        contents: Sequence[Content],
        *,
        names: Sequence[str] | None = None,
        broken: Literal["skip", "raise"] = "skip",
        progress: Progress = silent,
    ) -> CachedEncoding:
        """The vectors of ``contents``, ``[n, encoder.dimension]``.

        Args:
            encoder: Asked only for what is not on the disk yet, chunk by chunk.
            contents: Looked at one at a time, so they may be read from files on demand.
            names: What each content is called in messages, for example item ids.
            broken: Whether a content that is there and cannot be read is masked and listed in
                ``faults``, or raises.
            progress: Told after every chunk.

        Raises:
            EncoderError: A content cannot be read and ``broken="raise"``; the message names it.
        """
        sheet = _Sheet.of(contents, encoder.dimension)
        sheet.refuse_broken(broken, names)
        folder = self.folder / f"{encoder.name}-{encoder.fingerprint}"
        damaged = 0
        for shard in read_shards(folder, encoder.dimension):
            damaged += shard is None
            if shard is not None:
                sheet.take(shard)
        sheet.refuse_broken(broken, names)
        what, total = f"encode {encoder.kind}", len(sheet.places)
        missing = list(sheet.missing)
        reused = sum(len(at) for key, at in sheet.places.items() if key not in sheet.missing)
        progress(what, total - len(missing), total, f"{total - len(missing):,} from the cache")
        for start in range(0, len(missing), self.chunk):
            chunk = missing[start : start + self.chunk]
            shard = Shard(tuple(chunk), _encode(encoder, contents, sheet, chunk))
            write_shard(folder, shard)
            sheet.take(shard)
            sheet.refuse_broken(broken, names)
            progress(what, total - len(sheet.missing), total)
        faults = tuple(sorted(sheet.faults, key=lambda fault: fault.position))
        return CachedEncoding(sheet.vectors, sheet.mask, faults, reused, len(missing), damaged)


@dataclass(frozen=True, eq=False)
class _Sheet:
    """The answer while it is filled in.

    Attributes:
        places: The positions of each different content that is there.
        missing: Those of ``places`` that are still open.
        vectors: As in the answer.
        mask: As in the answer.
        faults: As in the answer, in any order.
    """

    places: dict[bytes, list[int]]
    missing: dict[bytes, list[int]]
    vectors: Vectors
    mask: Mask
    faults: list[Fault]

    @classmethod
    def of(cls, contents: Sequence[Content], dimension: int) -> _Sheet:
        places: dict[bytes, list[int]] = {}
        faults: list[Fault] = []
        for position in range(len(contents)):
            content = content_at(contents, position)
            if isinstance(content, Fault):
                faults.append(content)
            elif content is not None:
                places.setdefault(content_hash(content), []).append(position)
        vectors = np.zeros((len(contents), dimension), np.float32)
        return cls(places, dict(places), vectors, np.zeros(len(contents), np.bool_), faults)

    def take(self, shard: Shard) -> None:
        reasons = {fault.position: fault.reason for fault in shard.encoded.faults}
        for n, key in enumerate(shard.hashes):
            places = self.missing.pop(key, None)
            if places is None:
                continue
            self.vectors[places] = shard.encoded.vectors[n]
            self.mask[places] = shard.encoded.mask[n]
            if n in reasons:
                self.faults.extend(Fault(place, reasons[n]) for place in places)

    def refuse_broken(self, broken: Literal["skip", "raise"], names: Sequence[str] | None) -> None:
        if broken == "skip" or not self.faults:
            return
        first = min(self.faults, key=lambda fault: fault.position)
        where = f"position {first.position}" if names is None else f"'{names[first.position]}'"
        raise EncoderError(
            f"the content of {where} cannot be read: {first.reason}; mend or remove the file, or "
            "choose to skip broken ones"
        )


def _encode(
    encoder: Encoder, contents: Sequence[Content], sheet: _Sheet, chunk: Sequence[bytes]
) -> Encoded:
    found = readable(contents, [sheet.places[key][0] for key in chunk])
    if [content_hash(content) for content in found] != list(chunk):
        raise EncoderError("a content changed while it was being encoded; run the encoding again")
    encoded = encoder.encode(found)
    if encoded.vectors.shape != (len(chunk), encoder.dimension):
        raise EncoderError(
            f"the encoder '{encoder.name}' gave vectors of shape {encoded.vectors.shape} for "
            f"{len(chunk)} contents; expected {(len(chunk), encoder.dimension)}"
        )
    return encoded
