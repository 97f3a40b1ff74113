"""Stubs for Node from the shipped protos alone, and calls made with them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.live import LiveEngine
from recsys.retrieval import Retriever
from recsys.store import open_store
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.live.world import made_parts as live_parts
from tests.retrieval.world import make_world
from tests.server.service_world import served

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
NO_REGISTRY = re.compile("ENOTFOUND|EAI_AGAIN|ECONN|TIMEDOUT|E(403|429|5..)|network", re.IGNORECASE)


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of ``clients/node`` with its packages and the stubs of a copy of ``protos``."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    copy = tmp_path_factory.mktemp("repository")
    version = run(copy, "node", "--version").stdout
    if int(version[1:].split(".")[0]) < 20:
        pytest.skip(f"node 20 or newer is needed; this is {version.strip()}")
    shutil.copytree(ROOT / "protos", copy / "protos")
    folder = copy / "clients" / "node"
    installed = shutil.ignore_patterns("node_modules", "gen")
    shutil.copytree(ROOT / "clients" / "node", folder, ignore=installed)
    try:
        done = run(folder, "npm", "install", "--no-audit", "--no-fund", "--no-package-lock")
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer in time")
    if done.returncode != 0 and NO_REGISTRY.search(done.stderr):
        pytest.skip("no npm registry can be reached")
    assert done.returncode == 0, done.stderr
    done = run(folder, "npm", "run", "generate")
    assert done.returncode == 0, done.stderr
    return folder


def test_buf_finds_no_fault_in_the_contract(project: Path) -> None:
    """The rules are those of ``protos/buf.yaml``."""
    protos, buf = project.parents[1] / "protos", str(project / "node_modules/.bin/buf")
    for command in (["lint"], ["breaking", "--against", "baseline/recsys.v1.json"]):
        done = run(protos, buf, *command)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return make_world().retriever()


@pytest.fixture(scope="module")
def address(retriever: Retriever) -> Iterator[str]:
    with served(retriever) as running:
        yield running.address


def test_candidates_are_those_of_a_call_in_process(
    project: Path, address: str, retriever: Retriever
) -> None:
    done = run(project, "node", "retrieve.js", address, "zoe", "4")
    assert (done.returncode, done.stderr) == (0, "")
    expected = retriever.retrieve(user_id="zoe", k=4, titles=True).candidates
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [(int(rank), item, float(score), title) for rank, item, score, title in rows] == [
        (each.rank, each.id, each.score, each.title or "") for each in expected
    ]


def test_an_error_has_its_code_and_message(project: Path, address: str) -> None:
    done = run(project, "node", "retrieve.js", address, "nobody")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("UNKNOWN_ID: unknown user id 'nobody': not among the 4 known")


def test_a_recorded_interaction_counts_in_the_next_retrieval(project: Path, tmp_path: Path) -> None:
    with open_store(tmp_path / "store.db") as store, LiveEngine(live_parts(), store) as engine:
        loaded = LoadedBundle("v3", engine.snapshot.retriever, engine=engine)
        with served(Rollout(Deployment(loaded))) as running:
            done = run(project, "node", "record.js", running.address, "new", "i4", "i5")
            assert (done.returncode, done.stderr) == (0, "")
        expected = engine.latest().retriever.retrieve(user_id="new", k=10).ids
    assert [line.split("\t")[1] for line in done.stdout.splitlines()] == expected
