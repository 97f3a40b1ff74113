"""Exports hold the embeddings in every format, and a folder is written whole or not at all."""

import json
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
from werkzeug.test import Client

from recsys.bundle.manifest import describe_files
from recsys.errors import DataError
from recsys.export import Embeddings, export
from recsys.export import sprites as sprites_module
from recsys.export.sprites import LARGEST, grid_of
from recsys.formats import read_vectors

COLOURS = [(200, 0, 0), (0, 180, 0), (0, 0, 160)]
VECTORS = np.array([[0.1, -2.5e-7, 3], [1 / 3, 4e9, -0.0], [7, 8, 9]], np.float32)


def items(**changes) -> Embeddings:
    """Three items; the second has no picture, the last one's is wide."""

    def thumbnail(index: int, side: int) -> Image.Image | None:
        size = (side, side // 2) if index == 2 else (side // 2, side // 2)
        return None if index == 1 else Image.new("RGB", size, COLOURS[index])

    given = {
        "name": "items",
        "column": "item_id",
        "ids": ("a", "b\t2", "é"),
        "vectors": VECTORS,
        "labels": {"title": ["Red lamp", "two\nlines", ""]},
        "thumbnail": thumbnail,
    }
    return Embeddings(**{**given, **changes})


USERS = Embeddings("users", "user_id", ("ann", "bob"), np.eye(2, dtype=np.float32))


def test_parquet_npy_and_ids_hold_the_embeddings(tmp_path):
    written = export([items(), USERS], tmp_path / "out", about={"run": "mine"})
    assert [(each.name, each.vectors, each.dimension) for each in written] == [
        ("items", 3, 3),
        ("users", 2, 2),
    ]
    named = read_vectors(tmp_path / "out/items.parquet", ids="item_id")
    array = np.load(tmp_path / "out/items.npy", allow_pickle=False)
    ids = json.loads((tmp_path / "out/items.ids.json").read_text(encoding="utf-8"))
    assert named.ids == tuple(ids) == ("a", "b\t2", "é")
    assert array.dtype == np.float32
    np.testing.assert_array_equal(named.vectors, VECTORS)
    np.testing.assert_array_equal(array, VECTORS)
    assert read_vectors(tmp_path / "out/users.parquet").ids == ("ann", "bob")


def test_the_manifest_has_the_digest_of_every_file(tmp_path):
    export([items(), USERS], tmp_path / "out", about={"run": "mine"})
    manifest = json.loads((tmp_path / "out/export.json").read_text())
    files = describe_files(tmp_path / "out")
    del files["export.json"]
    assert manifest["files"] == {name: entry.sha256 for name, entry in files.items()}
    assert (manifest["run"], manifest["version"]) == ("mine", 1)


def projector(folder: Path) -> Client:
    """TensorBoard's own plugin on a folder."""
    runs = SimpleNamespace(list_runs=lambda ctx, experiment_id: [])
    plugin = ProjectorPlugin(SimpleNamespace(data_provider=runs, logdir=str(folder)))
    apps = plugin.get_plugin_apps()
    return SimpleNamespace(
        get=lambda route, **query: Client(apps[route]).get("/?" + urlencode(query))
    )


def test_tensorboards_projector_reads_it(tmp_path):
    export([items(), USERS], tmp_path / "out", about={})
    board = projector(tmp_path / "out/projector")
    config = board.get("/info", run=".").json
    assert [(each["tensorName"], each["tensorShape"]) for each in config["embeddings"]] == [
        ("items", [3, 3]),
        ("users", [2, 2]),
    ]
    assert config["embeddings"][0]["sprite"]["singleImageDim"] == [64, 64]
    assert "sprite" not in config["embeddings"][1]
    read = np.frombuffer(board.get("/tensor", run=".", name="items").data, np.float32)
    np.testing.assert_array_equal(read.reshape(3, 3), VECTORS)
    lines = board.get("/metadata", run=".", name="items").text.splitlines()
    assert lines == ["item_id\ttitle", "a\tRed lamp", "b 2\ttwo lines", "é\t"]
    sprite = board.get("/sprite_image", run=".", name="items")
    assert sprite.status_code == 200 and sprite.data.startswith(b"\x89PNG")


def test_the_sprite_has_each_thumbnail_at_its_index(tmp_path):
    (written,) = export([items()], tmp_path / "out", about={})
    assert (written.thumbnail_side, written.thumbnails) == (64, 2)
    with Image.open(tmp_path / "out/projector/items/sprite.png") as sprite:
        assert sprite.size == (128, 128)
        assert sprite.getpixel((1, 1)) == COLOURS[0], "what is smaller is enlarged"
        assert sprite.getpixel((96, 32)) == sprites_module.BLANK, "no picture"
        assert sprite.getpixel((32, 96)) == COLOURS[2]
        assert sprite.getpixel((32, 66)) == sprites_module.BLANK, "its shape is kept"
        assert sprite.getpixel((96, 96)) == sprites_module.BLANK, "a tile without an item"


@pytest.mark.parametrize("count", [1, 2, 4, 5, 16_384, 16_385, 1_000_000, 1_048_576])
def test_a_sprite_stays_within_the_size_that_browsers_show(count):
    grid = grid_of(count)
    assert grid is not None and grid.columns * grid.rows >= count > grid.columns * (grid.rows - 1)
    assert max(grid.columns, grid.rows) * grid.side <= LARGEST
    assert 8 <= grid.side <= 64


def test_too_many_thumbnails_make_no_sprite_with_a_reason(tmp_path, monkeypatch):
    assert grid_of(1_048_577) is None
    monkeypatch.setattr(sprites_module, "LARGEST", 15)
    (written,) = export([items()], tmp_path / "out", about={})
    assert written.thumbnail_side is None
    assert written.without_sprite == "3 thumbnails of at least 8 pixels do not fit 8192 x 8192"
    assert not (tmp_path / "out/projector/items/sprite.png").exists()
    assert "sprite" not in (tmp_path / "out/projector/projector_config.pbtxt").read_text()


def test_pictures_that_cannot_be_read_make_no_sprite(tmp_path):
    (written,) = export([items(thumbnail=lambda *_: None)], tmp_path / "out", about={})
    assert written.without_sprite == "no picture can be read"
    assert not (tmp_path / "out/projector/items/sprite.png").exists()


def test_only_an_earlier_export_is_replaced(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    export([items(), USERS], out, about={})
    export([USERS], out, about={})
    assert not (out / "items.npy").exists() and (out / "users.npy").exists()
    (tmp_path / "own").mkdir()
    (tmp_path / "own/thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(out)
    for name, message in {
        "own": "something other",
        "file": "is not a folder",
        "link": "is not a folder",
    }.items():
        with pytest.raises(DataError, match=message):
            export([USERS], tmp_path / name, about={})
    assert (tmp_path / "own/thesis.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "out", "own"]


def test_an_export_that_fails_leaves_the_earlier_one(tmp_path):
    export([USERS], tmp_path / "out", about={})
    before = describe_files(tmp_path / "out")

    def broken(index: int, side: int) -> Image.Image:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export([items(thumbnail=broken)], tmp_path / "out", about={})
    assert describe_files(tmp_path / "out") == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        export([USERS], tmp_path / "file/below", about={})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "../up"}, "need a name that matches"),
        ({"vectors": VECTORS.astype(np.float64)}, "must be float32"),
        ({"vectors": VECTORS[:0], "ids": (), "labels": {}}, "hold no vector; leave them out"),
        ({"ids": ("a", "b")}, "3 vectors, and 2 values of 'item_id'"),
        ({"labels": {"title": ["x"]}}, "3 vectors, and 1 values of 'title'"),
        ({"labels": {"item_id": ["x", "y", "z"]}}, "'item_id' is the column of the ids"),
        ({"ids": ("a", "b", "a")}, "an id is there twice"),
        ({"vectors": np.full((3, 1), np.nan, np.float32)}, "not finite"),
    ],
)
def test_embeddings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        items(**changes)


@pytest.mark.parametrize("sets", [[], [USERS, USERS]])
def test_nothing_and_the_same_name_twice_are_refused(tmp_path, sets):
    with pytest.raises(DataError, match="embeddings of different names"):
        export(sets, tmp_path / "out", about={})
