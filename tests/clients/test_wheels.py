"""The wheels: their packages, and the client installed in an empty virtual environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

import recsys
import recsys_client
from tests.contracts import calls_contract
from tests.contracts.calls_contract import REQUESTS, check, outcome
from tests.retrieval.world import make_world
from tests.server.service_world import served

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
HEAVY = {"numpy", "pandas", "pyarrow", "recsys", "recsys_server", "scann", "tensorflow"}
MEGABYTES, SECONDS = 60, 1.0
"""Limits of the size of the client with its dependencies, and of its import: ten times 0.1 s."""
NO_INDEX = re.compile(
    r"connection|timed out|max retries|name resolution|HTTP error|server error|versions: none",
    re.IGNORECASE,
)


def pip(*arguments: str) -> None:
    """Run pip, which sees no package of the source; without an index the test is skipped."""
    command = [sys.executable, "-m", "pip", *arguments]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, env=variables, timeout=200
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the package index does not answer in time")
    output = done.stdout + done.stderr
    if done.returncode != 0 and NO_INDEX.search(output):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, output


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both wheels by the name of their distribution, built from copies of the source."""
    folder = tmp_path_factory.mktemp("wheels")
    source = folder / "source"
    ignored = shutil.ignore_patterns("build", "dist", "*.egg-info", "__pycache__")
    for name in ("recsys", "server", "console", "clients"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    projects = (str(source), str(source / "clients" / "python"))
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), *projects)
    return {path.name.partition("-")[0]: path for path in folder.glob("*.whl")}


@pytest.fixture(scope="module")
def environment(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the client's wheel and what pip installs for it, without pip."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    pip("--python", python, "install", "-c", "constraints.txt", str(wheels["recsys_client"]))
    return folder


def run(environment: Path, *arguments: str) -> str:
    """Standard output of its Python, isolated from this process's paths."""
    command = [str(environment / "bin" / "python"), "-I", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def packages(wheel: Path) -> set[str]:
    names = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    return {name for name in names if not name.endswith(".dist-info")}


def test_the_wheels_install_no_package_with_a_common_name(wheels: dict[str, Path]) -> None:
    assert {name: packages(wheel) for name, wheel in wheels.items()} == {
        "recsys": {"recsys", "recsys_server", "recsys_console"},
        "recsys_client": {"recsys_client"},
    }


def test_the_wheels_carry_their_types_and_one_version(wheels: dict[str, Path]) -> None:
    names = [name for wheel in wheels.values() for name in ZipFile(wheel).namelist()]
    packages = ("recsys", "recsys_server", "recsys_console", "recsys_client")
    typed = {f"{name}/py.typed" for name in packages}
    assert typed <= set(names)
    assert "recsys_console/templates/layout.html" in names
    assert "recsys_console/static/console.css" in names
    assert "recsys_client/pb/recsys/v1/retrieval_pb2.pyi" in names
    assert recsys.__version__ == recsys_client.__version__
    assert {path.name.split("-")[1] for path in wheels.values()} == {recsys.__version__}


def test_the_client_is_small(environment: Path) -> None:
    """Sizes of all files below ``lib``, compiled ones included; the interpreter is a link."""
    size = sum(path.stat().st_size for path in (environment / "lib").rglob("*") if path.is_file())
    assert size <= MEGABYTES * 10**6


def test_the_client_is_imported_fast_and_grpc_on_first_use(environment: Path) -> None:
    code = """
import json, sys, time
began = time.process_time()
import recsys_client
first, light = time.process_time() - began, sorted(sys.modules)
from recsys_client import RecsysClient
print(json.dumps([first, time.process_time() - began, light, sorted(sys.modules)]))
"""
    # The process's own time, which other programs do not lengthen; the fastest, with warm files.
    runs = [json.loads(run(environment, "-c", code)) for _ in range(3)]
    assert min(first for first, *_ in runs) < SECONDS
    assert min(both for _, both, *_ in runs) < SECONDS
    _, _, light, full = runs[0]
    assert not {"grpc", "google.protobuf"} & set(light) and "grpc" in full
    assert not HEAVY & set(full)


def test_calls_from_an_environment_with_the_client_alone(environment: Path) -> None:
    retriever = make_world().retriever()
    alone = [outcome(retriever.answer([request])[0]) for request in REQUESTS]
    with served(retriever) as running:
        found = json.loads(run(environment, calls_contract.__file__, running.address))
    check(found["outcomes"], alone)
    assert not HEAVY & set(found["modules"])
