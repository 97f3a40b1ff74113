"""Measurements of the source itself: files per folder, import circles, longest file, lines.

``python -m benchmarks.house`` prints them, with ``--json`` as JSON; ``tests/test_house.py`` sets
the limits.
"""

from __future__ import annotations

import argparse
import ast
import functools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tests.contracts.request_fields import missing_fields

ROOT = Path(__file__).resolve().parent.parent
MEASURED = ("recsys", "server", "console", "clients", "benchmarks")
PACKAGE_FOLDERS = ("server", "console", "clients/python")
"""Folders that hold packages and are none themselves."""
FILES_PER_FOLDER = 15


def sources(*folders: str, generated: bool = False) -> list[Path]:
    """Python files below folders of the project; ``generated`` includes the protobuf code."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    found = [path for path in found if "node_modules" not in path.parts]
    return [path for path in found if generated or "pb" not in path.relative_to(ROOT).parts]


def relative(path: Path) -> str:
    """Path from the project's folder, as text."""
    return str(path.relative_to(ROOT))


@functools.cache
def text(path: Path) -> str:
    """Text of a source file."""
    return path.read_text(encoding="utf-8")


def line_count(path: Path) -> int:
    """Number of lines of a source file."""
    return len(text(path).splitlines())


@functools.cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of a file's syntax tree, the module first."""
    return tuple(ast.walk(ast.parse(text(path))))


@functools.cache
def imports(path: Path) -> tuple[tuple[int, str], ...]:
    """Line and name of each import in a file, lazy ones included; ``from a import b`` is a.b."""
    found = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
    return tuple(found)


def layers() -> list[str]:
    """``recsys_client`` and the parts of ``recsys``, from the ground up.

    The table in ``docs/design/shape.md`` lists them.

    Raises:
        ValueError: The page has no table whose first column is headed ``part``.
    """
    page = text(ROOT / "docs" / "design" / "shape.md")
    table = re.search(r"^\| part \|.*\n\|-.*\n((?:\|.*\n)+)", page, re.MULTILINE)
    if table is None:
        raise ValueError("docs/design/shape.md has no table with the head '| part |'")
    cells = [line.split("|")[1] for line in table[1].splitlines()]
    return [part for cell in cells for part in re.findall(r"`([^`]+)`", cell)]


def part_of(path: Path) -> str:
    """Part that a file belongs to: a folder or module of ``recsys``, or another package."""
    package, *inner = _package_path(path).parts
    return inner[0].removesuffix(".py") if package == "recsys" else package


def circles(paths: Iterable[Path]) -> list[list[str]]:
    """Groups of modules that import one another, directly or through others, anywhere in a file."""
    files = {_module(path): path for path in paths}
    numbers = {module: number for number, module in enumerate(files)}
    edges = {
        (numbers[module], numbers[used])
        for module, path in files.items()
        for used in _modules(imports(path), files)
    }
    start, end = np.array(sorted(edges), dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(start)), (start, end)), shape=(len(files), len(files)))
    _, groups = connected_components(graph, directed=True, connection="strong")
    members: dict[int, list[str]] = {}
    for module, group in zip(files, groups):
        members.setdefault(int(group), []).append(module)
    loops = {module for module, number in numbers.items() if (number, number) in edges}
    return [group for group in members.values() if len(group) > 1 or group[0] in loops]


def _module(path: Path) -> str:
    parts = _package_path(path).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _package_path(path: Path) -> Path:
    """Path from the folder that holds the package."""
    folders = (ROOT / name for name in PACKAGE_FOLDERS)
    return path.relative_to(next((each for each in folders if path.is_relative_to(each)), ROOT))


def _modules(names: Iterable[tuple[int, str]], files: Iterable[str]) -> Iterator[str]:
    """Imported modules among ``files``: ``a.b.c`` is a module, or a name in the module ``a.b``."""
    for _, name in names:
        if name in files:
            yield name
        elif (module := name.rpartition(".")[0]) in files:
            yield module


def files_per_folder(*folders: str) -> Counter[str]:
    """Number of Python files directly in each folder."""
    return Counter(relative(path.parent) for path in sources(*folders))


def function_lengths(path: Path) -> Iterator[tuple[int, str]]:
    """Number of lines, without the docstring, and name of each function in a file."""
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            docstring = _lines(first) if documented else 0
            yield _lines(node) - docstring, f"{relative(path)}: {node.name}"


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def lines_per_part() -> dict[str, int]:
    """Lines of Python per part of ``recsys``, in each measured folder, in all."""
    parts: Counter[str] = Counter()
    for path in sources("recsys"):
        parts[f"recsys/{part_of(path)}"] += line_count(path)
    totals = {name: sum(map(line_count, sources(name, generated=True))) for name in MEASURED}
    return dict(parts.most_common()) | totals | {"total": sum(totals.values())}


def measure() -> dict[str, object]:
    """All measurements, by name."""
    paths = sources(*MEASURED)
    folders = files_per_folder(*MEASURED)
    file = max(paths, key=line_count)
    length, function = max(found for path in paths for found in function_lengths(path))
    return {
        "files_per_folder": max(folders.values()),
        "folders_over_the_limit": {
            name: number for name, number in sorted(folders.items()) if number > FILES_PER_FOLDER
        },
        "circles": [" <-> ".join(group) for group in circles(paths)],
        "longest_file": f"{relative(file)}: {line_count(file)}",
        "longest_function": f"{function}: {length}",
        "missing_request_fields": len(missing_fields()),
        "lines": lines_per_part(),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description="Measure the source.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    figures = measure()
    if parser.parse_args(arguments).json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        entries = value.items() if isinstance(value, dict) else []
        print(f"{name}: {'' if entries else value}".rstrip())
        for part, number in entries:
            print(f"  {part:24}{number:7,}")


if __name__ == "__main__":
    main()
