"""Python snippets run; a text block that follows a snippet is its output."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
from pathlib import Path

import pytest
from PIL import Image

import recsys
from recsys.store import open_store
from recsys_server.processes.following import BundleFollower
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.bundle.made import use_table_towers
from tests.docs.namespaces import ADDRESS, BUNDLES, demo_bundle, names_for, small_fit
from tests.docs.pages import ROOT, Block, blocks, pages
from tests.server.service_world import served

PAGES = [page for page in pages() if any(block.language == "python" for block in blocks(page))]
DOCTESTS = [page for page in pages() if any(block.language == "pycon" for block in blocks(page))]


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fitted") / "run"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_runs(
    page: Path, shared_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recsys, "fit", small_fit(shared_run), raising=False)
    (tmp_path / "data").symlink_to(ROOT / "data")
    Image.new("RGB", (64, 64), "red").save("photo.jpg")
    names = names_for(str(page.relative_to(ROOT)), tmp_path)
    found = [block for block in blocks(page) if block.language in ("python", "text")]
    code = "".join(block.text for block in found if block.language == "python")
    if "recsys.fit(" not in code:
        use_table_towers(monkeypatch)
    with contextlib.ExitStack() as stack:
        address = ADDRESS
        if ADDRESS in code or str(BUNDLES) in code:
            with pytest.MonkeyPatch.context() as patch:
                use_table_towers(patch)
                bundle = demo_bundle(tmp_path)
            loaded = LoadedBundle.of(bundle, open_store(tmp_path / "demo.db"))
            rollout = Rollout(Deployment(loaded))
            follower = BundleFollower(tmp_path / BUNDLES, rollout, lambda version: loaded)
            address = stack.enter_context(served(rollout, follower=follower)).address
        for block, following in zip(found, [*found[1:], None]):
            if block.language == "python":
                printed = _run(block, block.text.replace(ADDRESS, address), names)
                if following is not None and _is_output(block, following):
                    assert printed == following.text, f"{following} is not the output of {block}"


@pytest.mark.slow
@pytest.mark.parametrize("page", DOCTESTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_sessions_print_the_output_of_the_page(page: Path) -> None:
    text = "\n".join(block.text for block in blocks(page) if block.language == "pycon")
    examples = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    result = doctest.DocTestRunner().run(examples)
    assert result.attempted > 0 and result.failed == 0


def _run(block: Block, text: str, names: dict[str, object]) -> str:
    code = compile("\n" * block.line + text, str(block.page), "exec")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    return printed.getvalue()


def _is_output(block: Block, following: Block) -> bool:
    """Whether only blank lines separate the two."""
    lines = block.page.read_text(encoding="utf-8").splitlines()
    end = block.line + block.text.count("\n") + 1
    between = lines[end : following.line - 1]
    return following.language == "text" and not re.search(r"\S", "".join(between))
