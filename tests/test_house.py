"""The rules of the source: layers, import circles, libraries, sizes. CONTRIBUTING.md lists them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.house import (
    FILES_PER_FOLDER,
    MEASURED,
    ROOT,
    circles,
    files_per_folder,
    function_lengths,
    imports,
    layers,
    line_count,
    nodes,
    part_of,
    relative,
    sources,
    text,
)

LIBRARY = sources("recsys")
FOREIGN = {"gen", "node_modules", "__pycache__"}  # installed and generated files
CONTRACT = sources("clients")
CONSOLE = sources("console")
PRODUCT = sources("recsys", "server", "console", "clients", "data", "benchmarks", "examples")
ALL = PRODUCT + sources("tests")
LONGEST_FILE, LONGEST_FUNCTION = 450, 70
# The index knows no model: parts that it may not import, although they come before it.
FORBIDDEN = {("index", part) for part in ("encoders", "features", "towers", "ranking")}
COMMANDS = ("recsys_server.command", "recsys_server.security", "recsys_console.command")
PACKAGES = {"recsys", "recsys_client", "recsys_server", "recsys_console"}
PICKLES = {"pickle", "joblib", "dill"}
# The parts that may import a library. Libraries that are not listed are free for all.
HOMES = {
    "tensorflow": {"_tf"},
    "tensorflow_recommenders": {"_tf"},
    "tf_keras": {"_tf"},
    "recsys._tf": {"encoders", "towers", "ranking"},
    "keras": set(),
    "scann": {"index"},
    "numba": {"loops", "index", "towers"},
    "pymilvus": {"index"},
    "pyroaring": {"index", "retrieval", "live"},
    **dict.fromkeys(("sqlalchemy", "psycopg", "sqlite3"), {"store"}),
    "pyversity": {"feed"},
    "imagehash": {"pictures"},
    "sklearn": {"encoders", "features", "ranking", "evaluation", "comparison"},
    "lightgbm": {"ranking"},
    "gensim": {"encoders"},
    "keras_hub": {"encoders"},
    "tokenizers": {"encoders"},
    "safetensors": {"encoders"},
    "umap": {"maps"},
    "optuna": {"tuning"},
    "tomli_w": {"files"},
    "filelock": {"files"},
    "typer": {"cli"},
    "rich": {"cli", "screen"},
    "click": set(),
    "grpc": set(),
    "google": set(),
    "recsys_server": set(),
    "recsys_server.command": {"cli"},  # imports gRPC when it runs
    "recsys_server.security": {"cli"},  # its command
    "recsys_console": set(),
    "recsys_console.command": {"cli"},  # imports FastAPI when it runs
    **dict.fromkeys(("fastapi", "starlette", "uvicorn"), set[str]()),
    **dict.fromkeys(("recsys_client.RecsysClient", "recsys_client.client"), {"cli"}),
    # They import gRPC or protobuf.
    **{f"recsys_client.{module}": set[str]() for module in ("convert", "pb", "statuses")},
}


def _where(path: Path, line: int) -> str:
    return f"{relative(path)}:{line}"


def test_the_layers_are_the_parts_that_exist() -> None:
    parts = {part_of(path) for path in CONTRACT + LIBRARY} - {"__init__"}
    listed = layers()
    assert len(listed) == len(set(listed))
    assert set(listed) == parts, "the table in docs/design/shape.md lists each part once"


def test_a_part_imports_only_from_the_parts_before_it() -> None:
    order = {part: position for position, part in enumerate(layers())}
    wrong = []
    for path in CONTRACT + LIBRARY:
        part = part_of(path)
        for line, module in imports(path):
            assert not module.startswith("."), f"{_where(path, line)}: imports are absolute here"
            first, _, rest = module.partition(".")
            if first not in PACKAGES or part == "__init__":
                continue
            if part == "cli" and module.startswith(COMMANDS):
                continue  # HOMES says so
            used = rest.split(".")[0] if first == "recsys" else first
            if used in {"", "__version__", part}:
                continue
            if order.get(used, len(order)) > order[part] or (part, used) in FORBIDDEN:
                wrong.append(f"{_where(path, line)}: {part} imports {used}")
    assert not wrong


def test_modules_do_not_import_one_another_in_circles() -> None:
    found = circles(sources(*MEASURED))
    assert not found


def test_a_library_is_imported_only_by_the_parts_that_may() -> None:
    wrong = []
    for path in LIBRARY:
        for line, module in imports(path):
            first, second = f"{module}.".split(".")[:2]
            homes = HOMES.get(f"{first}.{second}", HOMES.get(first))
            if homes is not None and part_of(path) not in homes:
                wrong.append(f"{_where(path, line)} imports {module}")
    assert not wrong


def test_the_console_is_a_client_and_nothing_more() -> None:
    """It has no library of the engine either: a machine may have the console alone."""
    engine = {"recsys", "recsys_server", "grpc", "google", "numpy", "pandas", *HOMES}
    allowed = {"recsys_client", "fastapi", "starlette", "uvicorn", "typer"}
    allowed |= {"recsys_client.client", "recsys_client.RecsysClient", "recsys_console"}
    wrong = [
        f"{_where(path, line)} imports {module}"
        for path in CONSOLE
        for line, module in imports(path)
        if module.split(".")[0] in engine - allowed
    ]
    assert not wrong


def test_nothing_is_pickled() -> None:
    wrong = []
    for path in PRODUCT:
        lines = [line for line, module in imports(path) if module.split(".")[0] in PICKLES]
        lines += [
            node.value.lineno
            for node in nodes(path)
            if isinstance(node, ast.keyword)
            and node.arg == "allow_pickle"
            and not (isinstance(node.value, ast.Constant) and node.value.value is False)
        ]
        wrong += [_where(path, line) for line in lines]
    assert not wrong


def test_the_library_does_not_print() -> None:
    assert not [
        _where(path, node.lineno)
        for path in LIBRARY
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]


def test_functions_are_compiled_without_autograph() -> None:
    """Conversions that other code causes are refused at run time (``tests/conftest.py``)."""
    wrong = [
        _where(path, node.lineno)
        for path in ALL
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "tf.function"
    ]
    assert [each.split(":")[0] for each in wrong] == ["recsys/_tf.py"], wrong


def test_files_and_functions_stay_small() -> None:
    assert not {relative(path): line_count(path) for path in ALL if line_count(path) > LONGEST_FILE}
    lengths = [found for path in ALL for found in function_lengths(path)]
    assert not [(name, length) for length, name in lengths if length > LONGEST_FUNCTION]


def test_folders_stay_small() -> None:
    folders = files_per_folder(*MEASURED)
    large = {name: number for name, number in folders.items() if number > FILES_PER_FOLDER}
    assert not large


def test_every_module_has_a_docstring() -> None:
    assert not [
        relative(path)
        for path in PRODUCT
        if text(path).strip()
        and not (isinstance(module := nodes(path)[0], ast.Module) and ast.get_docstring(module))
    ]


def test_importing_loads_no_heavy_library() -> None:
    parts = ("retrieval", "feed", "bundle", "cli", "comparison", "tuning", "engine")
    modules = ["recsys", *(f"recsys.{part}" for part in parts)]
    heavy = [
        *("tensorflow", "tf_keras", "scann", "sklearn", "optuna", "scipy.stats"),
        *("grpc", "google.protobuf", "recsys_server.processes.serving", "fastapi"),
    ]
    code = f"""
import importlib, sys
for module in {modules}:
    importlib.import_module(module)
    print(module, *[name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == modules, f"heavy libraries are loaded:\n{done.stdout}"


def _text_files() -> list[Path]:
    kinds = {
        ".py",
        ".md",
        ".toml",
        ".txt",
        ".proto",
        ".json",
        ".html",
        ".j2",
        ".yml",
        ".yaml",
        ".service",
        "",
    }
    folders = [
        "recsys",
        "server",
        "console",
        "clients",
        "protos",
        "tests",
        "data",
        "benchmarks",
        "docs",
        "examples",
        "deploy",
    ]
    folders += ["configs", ".ci"]
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*"))]
    found += [path for path in sorted(ROOT.iterdir()) if path.is_file() and path.name != ".git"]
    return [
        path
        for path in found
        if path.is_file() and path.suffix in kinds and not FOREIGN & set(path.parts)
    ]


# In pieces, so that this file does not match it.
PRIVATE = re.compile("|".join(["/wor" + "k/", "/hom" + "e/", "/roo" + "t/", "/User" + "s/"]))


def test_no_path_of_a_machine() -> None:
    for path in _text_files():
        found = PRIVATE.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None, f"{relative(path)} holds a machine's path: {found.group()}"


def test_pinned_packages_are_names_and_versions_only() -> None:
    line = re.compile(r"^[a-z0-9.-]+==[^\s;]+( ; [a-z_]+ (<|>=|==|!=) '[^']+'( and .+)?)?$")
    for number, pin in enumerate((ROOT / "constraints.txt").read_text().splitlines(), 1):
        assert line.match(pin), f"constraints.txt:{number}: {pin}"
