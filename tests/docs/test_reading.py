"""Lengths: the first page, and the way from nothing to an answer over gRPC."""

from __future__ import annotations

from tests.docs.pages import ROOT

README = ROOT / "README.md"
WAY = (README, ROOT / "docs/get-started/own-data.md")
"""Pages to read from nothing to an answer over gRPC with files of one's own."""


def test_the_readme_has_at_most_120_lines() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 120


def test_the_way_to_an_answer_over_grpc_has_at_most_2000_words() -> None:
    words = {page.name: len(page.read_text(encoding="utf-8").split()) for page in WAY}
    assert sum(words.values()) <= 2000, words
