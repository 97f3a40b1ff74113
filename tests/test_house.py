"""The rules of the house, held by walking its source: who imports whom, what nobody imports, sizes.

The layers are told in docs/concepts.md; CONTRIBUTING.md says why the rules are there.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# From the ground up: a part imports only from the parts before it.
LAYERS = [
    *("errors", "config", "ids", "progress", "pictures", "_tf", "interactions", "catalogue"),
    *(
        "formats",
        "ingestion",
        "splits",
        "encoders",
        "features",
        "towers",
        "ranking",
        "index",
        "retrieval",
    ),
    *("evaluation", "feed", "bundle", "export", "pipeline", "comparison", "tuning", "cli"),
]
STRANGERS = {
    ("index", "towers"),
    ("index", "encoders"),
    ("index", "features"),
    ("index", "ranking"),
}
LONGEST_FILE, LONGEST_FUNCTION = 450, 70


def _sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if "pb" not in path.relative_to(ROOT).parts]


LIBRARY = _sources("recsys")
PRODUCT = _sources("recsys", "server", "data", "benchmarks", "examples")
ALL = PRODUCT + _sources("tests")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports anywhere, with its line; ``from a import b`` gives a.b."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def _part(path: Path) -> str:
    inside = path.relative_to(ROOT / "recsys").parts
    return inside[0].removesuffix(".py")


@pytest.mark.parametrize("path", LIBRARY, ids=_name)
def test_a_part_imports_only_from_the_parts_before_it(path: Path) -> None:
    part = _part(path)
    if part == "__init__":
        return
    assert part in LAYERS, f"{part} has no place among the layers: {LAYERS}"
    for line, module in _imports(path):
        assert not module.startswith("."), f"{_name(path)}:{line}: imports are absolute here"
        pieces = module.split(".")
        if pieces[0] != "recsys" or len(pieces) == 1 or pieces[1] == "__version__":
            continue
        used = pieces[1]
        where = f"{_name(path)}:{line}: {part} imports {used}"
        assert used in LAYERS, where
        assert used == part or LAYERS.index(used) < LAYERS.index(part), where
        assert (part, used) not in STRANGERS, where


# A part that only hands a library's name on, or only one part that may know the library.
HOMES = {
    "tensorflow": {"_tf"},
    "tensorflow_recommenders": {"_tf"},
    "tf_keras": {"_tf"},
    "keras": set(),
    "scann": {"index"},
    "sklearn": {"encoders", "features", "evaluation", "comparison"},
    "gensim": {"encoders"},
    "keras_hub": {"encoders"},
    "tokenizers": {"encoders"},
    "safetensors": {"encoders"},
    "optuna": {"tuning"},
    "tomli_w": {"tuning"},
    "typer": {"cli"},
    "rich": {"cli"},
    "click": set(),
    "grpc": set(),
    "google": set(),
    "server": set(),
    "pickle": set(),
    "joblib": set(),
    "dill": set(),
}


@pytest.mark.parametrize("path", LIBRARY, ids=_name)
def test_a_foreign_library_is_known_only_at_its_home(path: Path) -> None:
    for line, module in _imports(path):
        top = module.split(".")[0]
        homes = HOMES.get(top)
        assert homes is None or _part(path) in homes, f"{_name(path)}:{line} imports {module}"
        if module.startswith("recsys._tf"):
            assert _part(path) in {"encoders", "towers", "ranking"}, (
                f"{_name(path)}:{line} uses TensorFlow"
            )


@pytest.mark.parametrize("path", PRODUCT, ids=_name)
def test_nothing_is_pickled(path: Path) -> None:
    for line, module in _imports(path):
        assert module.split(".")[0] not in {"pickle", "joblib", "dill"}, f"{_name(path)}:{line}"
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            off = isinstance(node.value, ast.Constant) and node.value.value is False
            assert off, f"{_name(path)}:{node.value.lineno} allows pickle"


@pytest.mark.parametrize("path", LIBRARY, ids=_name)
def test_the_library_does_not_print(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        prints = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        assert not (prints and node.func.id == "print"), f"{_name(path)}:{node.lineno} prints"


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_files_and_functions_stay_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE, f"{_name(path)} has {lines} lines; split it by idea"
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1 - _docstring_lines(node)
            assert length <= LONGEST_FUNCTION, f"{_name(path)}: {node.name} has {length} lines"


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return (first.end_lineno or 0) - first.lineno + 1 if is_text else 0


@pytest.mark.parametrize("path", PRODUCT, ids=_name)
def test_every_module_says_why_it_is_there(path: Path) -> None:
    empty = not path.read_text(encoding="utf-8").strip()
    assert empty or ast.get_docstring(_tree(path)), f"{_name(path)} opens without a docstring"


@pytest.mark.parametrize(
    "module",
    ["recsys", "recsys.cli", "recsys.retrieval", "recsys.comparison", "recsys.tuning"],
)
def test_importing_loads_neither_tensorflow_nor_scann(module: str) -> None:
    heavy = [
        "tensorflow",
        "tf_keras",
        "scann",
        "sklearn",
        "optuna",
        "grpc",
        "google.protobuf",
        "server",
    ]
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]", f"import {module} loads {done.stdout.strip()}"


def _text_files() -> list[Path]:
    kinds = {".py", ".md", ".toml", ".txt", ".proto", ".json", ".html", ".j2", ".yml", ""}
    own = ["recsys", "server", "protos", "tests", "data", "benchmarks", "docs", "examples"]
    own += ["configs", ".ci"]
    found = [path for folder in own for path in sorted((ROOT / folder).rglob("*"))]
    found += [path for path in sorted(ROOT.iterdir()) if path.is_file() and path.name != ".git"]
    return [
        path
        for path in found
        if path.is_file() and path.suffix in kinds and "__pycache__" not in path.parts
    ]


# In pieces, so that this file does not hold what it looks for.
PRIVATE = re.compile("|".join(["/wor" + "k/", "/hom" + "e/", "/roo" + "t/", "/User" + "s/"]))


def test_no_path_of_a_machine() -> None:
    for path in _text_files():
        found = PRIVATE.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None, f"{_name(path)} holds a machine's path: {found.group()}"


def test_pinned_packages_are_names_and_versions_only() -> None:
    line = re.compile(r"^[a-z0-9.-]+==[^\s;]+( ; [a-z_]+ (<|>=|==|!=) '[^']+'( and .+)?)?$")
    for number, text in enumerate((ROOT / "constraints.txt").read_text().splitlines(), 1):
        assert line.match(text), f"constraints.txt:{number}: {text}"


def test_links_of_the_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/*.md")]
    for path in documents:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
            there = "://" in target or (path.parent / target).exists()
            assert there, f"{_name(path)} links to {target}, which is not there"
