"""Maps of items: the same points each time, neighbours together, labels that fit a legend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.errors import ConfigError, DataError
from recsys.maps import ItemMap, point_labels, project, projection, sample_rows
from recsys.maps.map_process import main

RNG = np.random.default_rng(0)
CLUSTERS = np.repeat(np.eye(3, 8), 20, axis=0) + RNG.normal(0, 0.02, (60, 8))
VECTORS = CLUSTERS.astype(np.float32)


def test_points_of_pca_keep_the_distances_along_the_largest_variance() -> None:
    points, share = project(VECTORS, "pca")
    assert points.dtype == np.float32 and np.abs(points).max() == 1
    assert 0.9 < share <= 1
    centres = points.reshape(3, 20, 2).mean(axis=1)
    spread = np.linalg.norm(points.reshape(3, 20, 2) - centres[:, None], axis=2).max()
    gaps = [np.linalg.norm(centres[a] - centres[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert spread < min(gaps) / 5


@pytest.mark.parametrize("vectors", [VECTORS[:0], VECTORS[:1], np.ones((4, 1)), np.ones((3, 8))])
def test_few_or_equal_vectors_have_points(vectors: np.ndarray) -> None:
    for method in ("pca", "umap"):
        points, share = project(vectors.astype(np.float32), method)  # type: ignore[arg-type]
        assert points.shape == (len(vectors), 2) and np.isfinite(points).all() and share <= 1


def test_a_sample_is_drawn_of_the_items_with_a_vector() -> None:
    mask = np.arange(10_000) % 2 == 0
    rows = sample_rows(mask, most=100)
    assert len(rows) == 100 and mask[rows].all() and (np.diff(rows) > 0).all()
    assert (rows == sample_rows(mask, most=100)).all()
    assert sample_rows(mask[:50]).tolist() == list(range(0, 50, 2))


def test_a_map_is_computed_in_a_process_and_read_again(tmp_path: Path) -> None:
    made = ItemMap.of(VECTORS, np.arange(60) < 15, "umap")
    out = tmp_path / "out.npz"
    np.savez(tmp_path / "in.npz", rows=made.rows, vectors=VECTORS[made.rows], items=made.items)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recsys.maps.map_process.os.nice", lambda step: None)
        patch.setattr("recsys.maps.map_process._end_with_parent", lambda: None)
        main([str(tmp_path / "in.npz"), str(out), "umap", "0"])
    found = ItemMap.load(out)
    assert (found.points == made.points).all() and (found.rows == made.rows).all()
    out.write_bytes(b"PK")
    with pytest.raises(DataError, match="holds no map"):
        ItemMap.load(out)


def test_umap_without_its_library_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "find_spec", lambda name: None)
    assert projection.available_methods() == ("pca",)
    with pytest.raises(ConfigError, match="umap-learn"):
        project(VECTORS, "umap")


def test_labels_are_few_and_ordered() -> None:
    names = [f"maker {n:02d}" for n in range(20) for _ in range(20 - n)]
    labels, positions = point_labels(names)
    assert len(labels) == 12 and labels[0] == "maker 00" and labels[-1] == "other"
    assert positions[0] == 0 and positions[-1] == 11
    labels, positions = point_labels([*map(float, range(100)), None])
    assert labels == ["0 to 19.8", "19.8 to 39.6", "39.6 to 59.4", "59.4 to 79.2", "79.2 to 99",
                      "none"]  # fmt: skip
    assert positions[:1] == [0] and positions[-2:] == [4, 5]
    assert point_labels([True, False, True]) == (["yes", "no"], [0, 1, 0])
    assert point_labels([]) == ([], [])
