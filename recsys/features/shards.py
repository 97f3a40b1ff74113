"""Encoded contents on disk: immutable files, each named after the checksum of its bytes.

Shards are written atomically and never changed, so readers and writers do not disturb each other.
A file that does not match its name is damaged: it is removed, and its contents are encoded again.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.encoders import Encoded, Fault
from recsys.encoders.contents import HASH_BYTES
from recsys.errors import DataError
from recsys.files import atomic_file, load_arrays, sha256_bytes


@dataclass(frozen=True, eq=False)
class Shard:
    """Some encoded contents.

    Attributes:
        hashes: Hash of each content, 32 bytes each, all different.
        encoded: Vectors, mask and faults, in the same order.
    """

    hashes: tuple[bytes, ...]
    encoded: Encoded


def write_shard(folder: Path, shard: Shard) -> Path:
    """Add ``shard`` to ``folder``."""
    faults = shard.encoded.faults
    buffer = io.BytesIO()
    np.savez(
        buffer,
        hashes=np.frombuffer(b"".join(shard.hashes), np.uint8).reshape(-1, HASH_BYTES),
        vectors=shard.encoded.vectors,
        mask=shard.encoded.mask,
        fault_positions=np.asarray([fault.position for fault in faults], np.int64),
        fault_reasons=np.asarray([fault.reason for fault in faults], np.str_),
    )
    content = buffer.getvalue()
    path = folder / f"{sha256_bytes(content)[:40]}.npz"
    with atomic_file(path) as part:
        part.write_bytes(content)
    return path


def read_shards(folder: Path, dimension: int) -> Iterator[Shard | None]:
    """The shards of ``folder``; None for a damaged one, which is removed."""
    for path in sorted(folder.glob("[!.]*.npz")):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue  # Another reader removed it as damaged.
        except OSError:
            content = b""
        shard = _parse(path, content, dimension)
        if shard is None:
            path.unlink(missing_ok=True)
        yield shard


def _parse(path: Path, content: bytes, dimension: int) -> Shard | None:
    if sha256_bytes(content)[:40] != path.stem:
        return None
    try:
        file = load_arrays(content)
        hashes, positions, reasons = file["hashes"], file["fault_positions"], file["fault_reasons"]
        vectors, mask = file["vectors"], file["mask"]
        faults = tuple(Fault(int(at), str(reason)) for at, reason in zip(positions, reasons))
        encoded = Encoded(vectors, mask, faults)
    except (ValueError, KeyError, DataError):
        return None
    if encoded.vectors.shape != (len(hashes), dimension):
        return None
    return Shard(tuple(bytes(one) for one in hashes), encoded)
