"""The measurements of the source, on a small source made for the test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import house

FILES = {
    "recsys/__init__.py": '"""A library."""\n',
    "recsys/one.py": "from recsys.two import name\n",
    "recsys/two.py": "def lazy():\n    import recsys.three.inner\n",
    "recsys/three/__init__.py": "from recsys.three.inner import name\n",
    "recsys/three/inner.py": 'def name():\n    """One\n    two."""\n    from recsys import one\n',
    "recsys/four.py": "from recsys.one import name\n",
    "server/recsys_server/pb/made.py": "import recsys\n",
    "clients/python/recsys_client/calls.py": "import typing\n",
    "benchmarks/measured.py": "import numpy\n",
    "docs/design/shape.md": (
        "# Shape\n\n| part | holds |\n|---|---|\n| `one`, `two` | `x` |\n| `three` | y |\n"
    ),
}


@pytest.fixture(autouse=True)
def _small_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    monkeypatch.setattr(house, "ROOT", tmp_path)


def test_a_circle_is_found_through_imports_inside_functions() -> None:
    assert house.circles(house.sources("recsys")) == [
        ["recsys.one", "recsys.three.inner", "recsys.two"]
    ]


def test_a_module_that_imports_itself_is_a_circle(tmp_path: Path) -> None:
    (tmp_path / "server" / "recsys_server" / "own.py").write_text(
        "from recsys_server.own import name\n"
    )
    assert house.circles(house.sources("server")) == [["recsys_server.own"]]


def test_layers_are_read_from_the_first_column_of_the_table(tmp_path: Path) -> None:
    assert house.layers() == ["one", "two", "three"]
    house.text.cache_clear()
    (tmp_path / "docs" / "design" / "shape.md").write_text("# Shape\n")
    with pytest.raises(ValueError, match="has no table with the head '| part |'"):
        house.layers()


def test_the_length_of_a_function_excludes_its_docstring(tmp_path: Path) -> None:
    inner = tmp_path / "recsys" / "three" / "inner.py"
    assert list(house.function_lengths(inner)) == [(2, "recsys/three/inner.py: name")]


def test_the_figures_are_printed_as_text_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    house.main(["--json"])
    figures = json.loads(capsys.readouterr().out)
    assert figures["files_per_folder"] == 4
    assert figures["folders_over_the_limit"] == {}
    assert figures["longest_file"] == "recsys/three/inner.py: 4"
    assert figures["lines"] == {
        "recsys/three": 5,
        "recsys/two": 2,
        "recsys/__init__": 1,
        "recsys/four": 1,
        "recsys/one": 1,
        "recsys": 10,
        "server": 1,
        "console": 0,
        "clients": 1,
        "benchmarks": 1,
        "total": 13,
    }
    house.main([])
    printed = capsys.readouterr().out
    assert "circles: ['recsys.one <-> recsys.three.inner <-> recsys.two']\n" in printed
