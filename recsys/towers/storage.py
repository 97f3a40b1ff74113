"""Files of trained towers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recsys.config import parse_config
from recsys.errors import DataError
from recsys.files import atomic_file, load_arrays, read_json, save_arrays, write_json
from recsys.ids import Vectors
from recsys.towers.config import TowersConfig
from recsys.towers.frozen.query_tower import FrozenQueryTower
from recsys.towers.model.frozen_items import FrozenItemTower

FORMAT_VERSION = 3
FACTS, WEIGHTS, ITEMS, ITEM_IDS = "towers.json", "weights.npz", "items.npy", "item_ids.npy"
QUERY_PREFIX, ITEM_PREFIX = "query/", "item/"
NUMBERS_AT_ONCE = 1 << 22
"""Numbers of a matrix that are checked at once; bounds memory, not results."""


def write_towers(
    folder: Path,
    config: TowersConfig,
    sizes: dict[str, int],
    query_weights: Sequence[Vectors],
    item_tower: FrozenItemTower | None,
    item_vectors: Vectors | None,
) -> None:
    """Write the parts of :class:`recsys.towers.Towers` into a folder, which is created.

    Item vectors of None are stored by the caller.
    """
    folder.mkdir(parents=True, exist_ok=True)
    query = {f"{at:03d}": weight for at, weight in enumerate(query_weights)}
    weights = {QUERY_PREFIX + name: array for name, array in query.items()}
    if item_tower is not None:
        weights |= {ITEM_PREFIX + name: array for name, array in item_tower.arrays().items()}
        if item_tower.ids is not None:
            save_matrix(folder / ITEM_IDS, item_tower.ids)
    save_arrays(folder / WEIGHTS, weights)
    if item_vectors is not None:
        save_matrix(folder / ITEMS, item_vectors)
    facts = {
        "format": FORMAT_VERSION,
        "config": config.model_dump(mode="json"),
        "sizes": sizes,
        "blocks": {} if item_tower is None else item_tower.widths,
    }
    write_json(folder / FACTS, facts)


def read_towers(
    folder: Path, item_vectors: Vectors | None = None
) -> tuple[TowersConfig, Vectors, dict[str, int], tuple[Vectors, ...], FrozenItemTower | None]:
    """Read what :func:`write_towers` wrote.

    Args:
        folder: The folder of the towers.
        item_vectors: The item vectors, where the folder does not hold them.

    Raises:
        DataError: A file is missing, damaged, or does not fit the others.
    """
    facts = read_facts(folder)
    config = parse_config(facts["config"], TowersConfig, source=str(folder / FACTS))
    try:
        sizes = {name: int(size) for name, size in facts["sizes"].items()}
        widths = {name: int(width) for name, width in facts["blocks"].items()}
        weights = load_arrays(folder / WEIGHTS)
        items = load_matrix(folder / ITEMS) if item_vectors is None else item_vectors
        has_ids = bool(widths) and config.item_id != "none"
        ids = load_matrix(folder / ITEM_IDS) if has_ids else None
        if not all(np.isfinite(part).all() for part in weights.values()):
            raise ValueError("the weights hold values that are not finite")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise unreadable(folder, error) from error
    query, item = (_below(weights, prefix) for prefix in (QUERY_PREFIX, ITEM_PREFIX))
    arrays = tuple(query[name] for name in sorted(query))
    tower = None
    try:
        FrozenQueryTower.of(config, sizes, arrays)
        matrices = [items] if ids is None else [items, ids]
        if any(len(m) > len(items) or m.shape[1] != config.dimension for m in matrices):
            raise ValueError("the matrices of items have other shapes")
        if widths:
            tower = FrozenItemTower.from_arrays(
                item, widths, config.projection_widths, ids=ids, items=len(items)
            )
    except ValueError as error:
        raise DataError(
            f"the weights in {folder} do not fit its {FACTS} ({error}): train again"
        ) from error
    return config, items, sizes, arrays, tower


def read_facts(folder: Path) -> dict[str, Any]:
    """The content of ``towers.json`` in a folder.

    Raises:
        DataError: It is missing, damaged, or of another format.
    """
    try:
        facts: dict[str, Any] = read_json(folder / FACTS)
        found = facts.get("format")
    except (OSError, ValueError, AttributeError) as error:
        raise unreadable(folder, error) from error
    if found != FORMAT_VERSION:
        raise DataError(
            f"towers in {folder} have format {found}; this version reads {FORMAT_VERSION}: train"
            " again or use the version that wrote them"
        )
    return facts


def save_matrix(path: Path, matrix: Vectors) -> None:
    """Write a ``.npy`` file atomically: one that is mapped stays as it is."""
    with atomic_file(path) as part, part.open("wb") as file:
        np.save(file, matrix, allow_pickle=False)


def load_matrix(path: Path) -> Vectors:
    """A memory-mapped matrix.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not a whole ``.npy`` file of a float32 matrix of finite numbers.
    """
    try:
        matrix: Vectors = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except EOFError as error:
        raise ValueError(f"{path.name} is empty") from error
    if matrix.ndim != 2 or matrix.dtype != np.float32:
        raise ValueError(f"{path.name} must be a float32 matrix; got {matrix.dtype} {matrix.shape}")
    step = max(1, NUMBERS_AT_ONCE // max(1, matrix.shape[1]))
    for start in range(0, len(matrix), step):
        if not np.isfinite(matrix[start : start + step]).all():
            raise ValueError(f"{path.name} holds values that are not finite")
    return matrix


def unreadable(folder: Path, error: Exception) -> DataError:
    """The error of towers that cannot be read."""
    return DataError(f"cannot read the towers in {folder}: {error}; train again")


def _below(arrays: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
