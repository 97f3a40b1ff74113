"""Encoded contents on disk: immutable files, each named after the checksum of its bytes.

A shard is written beside its place and renamed, and never changed. So a reader sees it whole or
not at all, two writers cannot hurt each other, and a file that does not match its name is known to
be damaged; it is removed, and what it held is encoded again.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.encoders import Encoded, Fault
from recsys.encoders.contents import HASH_BYTES
from recsys.files import atomic_file, load_arrays, sha256_bytes


@dataclass(frozen=True, eq=False)
class Shard:
    """Some contents and what they became.

    Attributes:
        hashes: The hash of each content, 32 bytes each, all different.
        encoded: Their vectors, mask and faults, in that order.
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
    """Every shard of ``folder``, one at a time; None in the place of a damaged one.

    A damaged one is removed.
    """
    for path in sorted(folder.glob("[!.]*.npz")):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue  # Another reader found it damaged and removed it.
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
    except (ValueError, KeyError):
        return None
    faults = tuple(Fault(int(at), str(reason)) for at, reason in zip(positions, reasons))
    encoded = Encoded(vectors, mask, faults)
    if encoded.vectors.shape != (len(hashes), dimension):
        return None
    return Shard(tuple(bytes(one) for one in hashes), encoded)
