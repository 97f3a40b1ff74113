"""Impressions as rows of the database, and rows as impressions."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import numpy as np
import sqlalchemy as sa

from recsys.errors import InvalidRequestError, StoreError
from recsys.store.impressions.impression import Impression

_TEXTS = ("item_ids", "slots", "feature_names", "history")
_PLAIN = ("bundle_version", "pipeline", "pipeline_version", "request")
_FAULTS = (ValueError, TypeError, KeyError, struct.error, zlib.error, InvalidRequestError)
_ARRAYS = ("scores", "propensities", "features")


def to_row(impression: Impression) -> dict[str, Any]:
    """The columns of ``impressions`` but for the time of writing.

    The content is compressed: the length of a JSON object, the object, and float32 values.
    """
    header: dict[str, Any] = {name: getattr(impression, name) for name in (*_TEXTS, *_PLAIN)}
    text = json.dumps(header).encode()
    arrays = [getattr(impression, name).astype("<f4").tobytes() for name in _ARRAYS]
    content = b"".join((struct.pack("<I", len(text)), text, *arrays))
    return {
        "request_id": impression.request_id,
        "user_id": impression.user_id,
        "time": impression.time,
        "watermark": impression.watermark,
        "content": zlib.compress(content, 1),
    }


def to_impression(row: sa.Row[Any]) -> Impression:
    """The impression of a row.

    Raises:
        StoreError: The row was damaged.
    """
    try:
        content = zlib.decompress(bytes(row.content))
        (size,) = struct.unpack_from("<I", content)
        header = json.loads(content[4 : 4 + size])
        texts = {name: tuple(header[name]) for name in _TEXTS}
        n, f = len(texts["item_ids"]), len(texts["feature_names"])
        values = np.frombuffer(content[4 + size :], "<f4").astype(np.float32)
        if len(values) != n * (2 + f):
            raise ValueError(f"{len(values)} values, expected {n * (2 + f)}")
        arrays = {
            "scores": values[:n],
            "propensities": values[n : 2 * n],
            "features": values[2 * n :].reshape(n, f),
        }
        own = {name: getattr(row, name) for name in ("request_id", "user_id", "time", "watermark")}
        plain = {name: header[name] for name in _PLAIN}
        return Impression(**own, **plain, **texts, **arrays)  # type: ignore[arg-type]
    except _FAULTS as error:
        raise StoreError(
            f"the impression {row.request_id!r} of the store is damaged ({error}); 'recsys store"
            " verify' lists all faults: restore a backup"
        ) from error
