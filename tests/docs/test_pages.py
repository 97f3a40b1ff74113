"""Every page: links lead somewhere, blocks name their language, a folder stays small."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, pages, prose

LANGUAGES = {"python", "pycon", "toml", "sh", "json", "text", "proto"}
PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages()]


@pytest.mark.parametrize("page", PAGES)
def test_every_block_names_its_language(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block}: {block.language or 'no language'}"
    indented = re.search(r"^ {4,}\S[^\n]*", prose(page), re.MULTILINE)
    assert indented is None, f"fence this block and name its language: {indented and indented[0]}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", prose(page)):
        if "://" in target:
            continue
        file = page.parent / target if target else page
        assert file.exists(), f"there is no {target}"
        if anchor:
            assert anchor in _anchors(file), f"{target} has no heading for #{anchor}"


def test_the_map_lists_every_page_of_the_documentation() -> None:
    docs = ROOT / "docs"
    text = (docs / "README.md").read_text(encoding="utf-8")
    listed = {(docs / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", text)}
    missing = {page for page in docs.rglob("*.md")} - listed - {docs / "README.md"}
    assert not missing


def test_a_shelf_has_at_most_fifteen_files() -> None:
    folders = Counter(path.parent for path in (ROOT / "docs").rglob("*.*"))
    assert max(folders.values()) <= 15


def _anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub derives them."""
    used: Counter[str] = Counter()
    anchors = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-")
        anchors.add(f"{anchor}-{used[anchor]}" if used[anchor] else anchor)
        used[anchor] += 1
    return anchors
