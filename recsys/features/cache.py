"""Cache of encoded contents: each distinct content is encoded once.

The key is the encoder's fingerprint and the hash of the content; the order of items and their ids
do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from recsys.encoders import Contents, Encoded, Encoder, Fault, content_hash
from recsys.encoders.contents import content_at, readable
from recsys.errors import EncoderError
from recsys.features.shards import Shard, read_shards, write_shard
from recsys.ids import Mask, Vectors
from recsys.progress import Progress, silent


@dataclass(frozen=True, eq=False)
class CachedEncoding(Encoded):
    """Encoded contents, with counts.

    Attributes:
        reused: Number of positions read from the disk.
        computed: Number of distinct contents that were encoded.
        damaged: Number of damaged shards; their contents were encoded again.
    """

    reused: int = 0
    computed: int = 0
    damaged: int = 0


@dataclass(frozen=True)
class FeatureCache:
    """Encoded contents in a folder, which several processes may share.

    Attributes:
        folder: Folder of the shards, with one subfolder per encoder.
        chunk: Number of contents per shard, which an interruption can lose.

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
        contents: Contents,
        *,
        names: Sequence[str] | None = None,
        broken: Literal["skip", "raise"] = "skip",
        progress: Progress = silent,
    ) -> CachedEncoding:
        """The vectors of ``contents``, ``[n, encoder.dimension]``.

        Args:
            encoder: Encoder for the contents that are not on the disk.
            contents: Contents, read one at a time; they may be read from files on demand.
            names: Name of each content in messages, for example item ids.
            broken: Whether a content that cannot be read is masked and listed in ``faults``, or
                raises.
            progress: Receives a report after each chunk.

        Raises:
            EncoderError: A content cannot be read and ``broken="raise"``; the message names it.
        """
        result = _PartialResult.of(contents, encoder.dimension)
        folder = self.folder / f"{encoder.name}-{encoder.fingerprint}"
        damaged = 0
        for shard in read_shards(folder, encoder.dimension):
            if shard is None:
                damaged += 1
            else:
                result.add(shard)
        if broken == "raise":
            result.raise_fault(names)
        description, total = f"encode {encoder.kind}", len(result.positions)
        missing = list(result.missing)
        reused = sum(len(at) for key, at in result.positions.items() if key not in result.missing)
        cached = total - len(missing)
        progress(description, cached, total, f"{cached:,} from the cache")
        for start in range(0, len(missing), self.chunk):
            chunk = missing[start : start + self.chunk]
            shard = Shard(tuple(chunk), _encode(encoder, contents, result, chunk))
            write_shard(folder, shard)
            result.add(shard)
            if broken == "raise":
                result.raise_fault(names)
            progress(description, total - len(result.missing), total)
        faults = tuple(sorted(result.faults, key=lambda fault: fault.position))
        return CachedEncoding(result.vectors, result.mask, faults, reused, len(missing), damaged)


@dataclass(frozen=True, eq=False)
class _PartialResult:
    """Result while shards are added.

    Attributes:
        positions: Positions of each distinct content that exists, by its hash.
        missing: Entries of ``positions`` without a result.
        vectors: Vectors of the result.
        mask: Mask of the result.
        faults: Faults of the result, in any order.
    """

    positions: dict[bytes, list[int]]
    missing: dict[bytes, list[int]]
    vectors: Vectors
    mask: Mask
    faults: list[Fault]

    @classmethod
    def of(cls, contents: Contents, dimension: int) -> _PartialResult:
        positions: dict[bytes, list[int]] = {}
        faults: list[Fault] = []
        for position in range(len(contents)):
            content = content_at(contents, position)
            if isinstance(content, Fault):
                faults.append(content)
            elif content is not None:
                positions.setdefault(content_hash(content), []).append(position)
        vectors = np.zeros((len(contents), dimension), np.float32)
        mask = np.zeros(len(contents), np.bool_)
        return cls(positions, dict(positions), vectors, mask, faults)

    def add(self, shard: Shard) -> None:
        reasons = {fault.position: fault.reason for fault in shard.encoded.faults}
        for n, key in enumerate(shard.hashes):
            positions = self.missing.pop(key, None)
            if positions is None:
                continue
            self.vectors[positions] = shard.encoded.vectors[n]
            self.mask[positions] = shard.encoded.mask[n]
            if n in reasons:
                self.faults.extend(Fault(position, reasons[n]) for position in positions)

    def raise_fault(self, names: Sequence[str] | None) -> None:
        """Raise the first fault, if there is one."""
        if not self.faults:
            return
        first = min(self.faults, key=lambda fault: fault.position)
        where = f"position {first.position}" if names is None else f"'{names[first.position]}'"
        raise EncoderError(
            f"the content of {where} cannot be read: {first.reason}; fix or remove the file, or "
            "choose to skip broken ones"
        )


def _encode(
    encoder: Encoder, contents: Contents, result: _PartialResult, chunk: Sequence[bytes]
) -> Encoded:
    found = readable(contents, [result.positions[key][0] for key in chunk])
    if [content_hash(content) for content in found] != list(chunk):
        raise EncoderError("a content changed while it was being encoded; run the encoding again")
    encoded = encoder.encode(found)
    if encoded.vectors.shape != (len(chunk), encoder.dimension):
        raise EncoderError(
            f"the encoder '{encoder.name}' gave vectors of shape {encoded.vectors.shape} for "
            f"{len(chunk)} contents; expected {(len(chunk), encoder.dimension)}"
        )
    return encoded
