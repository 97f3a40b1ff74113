"""The files of TensorBoard's embedding projector: tensors, metadata, sprite and their config.

The formats are those that its plugin documents: tab-separated values without quotes, a first line
of names where metadata has several columns, and a ``ProjectorConfig`` in protobuf's text form.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from recsys.export.embeddings import Embeddings

CONFIG = "projector_config.pbtxt"
VECTORS, METADATA, SPRITE = "vectors.tsv", "metadata.tsv", "sprite.png"


def write_vectors_tsv(embeddings: Embeddings, path: Path) -> None:
    """Write one line per vector, its numbers separated by tabs."""
    columns = [pa.array(column) for column in embeddings.vectors.T]
    table = pa.Table.from_arrays(columns, names=[str(at) for at in range(len(columns))])
    plain = pyarrow.csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    pyarrow.csv.write_csv(table, path, plain)


def write_metadata(embeddings: Embeddings, path: Path) -> None:
    """Write a line of names, then one line per embedding: its id and its labels.

    The format has no quotes: a tab or a line break within a value becomes a space.
    """
    columns = {embeddings.column: embeddings.ids, **embeddings.labels}
    lines = [list(columns), *zip(*columns.values())]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines("\t".join(map(_plain, line)) + "\n" for line in lines)


def config_text(sets: Sequence[tuple[Embeddings, int | None]]) -> str:
    """A ``ProjectorConfig`` of embeddings with the side of their thumbnails, if they have any.

    Example:
        >>> import numpy as np
        >>> users = Embeddings("users", "user_id", ("ann",), np.ones((1, 2), np.float32))
        >>> print(config_text([(users, None)]), end="")
        embeddings {
          tensor_name: "users"
          tensor_shape: 1
          tensor_shape: 2
          tensor_path: "users/vectors.tsv"
          metadata_path: "users/metadata.tsv"
        }
    """
    lines = []
    for embeddings, side in sets:
        name = embeddings.name
        fields = [f"tensor_name: {json.dumps(name)}"]
        fields += [f"tensor_shape: {size}" for size in embeddings.vectors.shape]
        fields += [f'tensor_path: "{name}/{VECTORS}"', f'metadata_path: "{name}/{METADATA}"']
        if side is not None:
            dims = 2 * [f"  single_image_dim: {side}"]
            fields += ["sprite {", f'  image_path: "{name}/{SPRITE}"', *dims, "}"]
        lines += ["embeddings {", *(f"  {field}" for field in fields), "}"]
    return "".join(f"{line}\n" for line in lines)


def _plain(value: str) -> str:
    """One line without tabs or characters that cannot be printed."""
    return " ".join(value.split()) if any(not each.isprintable() for each in value) else value
