"""The language of names and prose: the linter's rules, and the whole tree under them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.language import Offender, files, main, offenders


def _found(path: Path, text: str) -> list[tuple[int, str]]:
    path.write_text(text, encoding="utf-8")
    return [(offender.line, offender.found) for offender in offenders(path)]


def test_the_tree_speaks_the_field_s_language() -> None:
    found = [str(offender) for path in files() for offender in offenders(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("The user is told of it.", "told"),
        ("A baseline beside ours.", "beside"),
        ("Besides, a baseline.", None),
        ("one vector a user", "one vector a user"),
        ("64 numbers a vector", "64 numbers a vector"),
        ("three of a user", None),
        ("interactions a second", "interactions a second"),
        ("users who search", None),
        ("items who sell", "who"),
        ("what is taught", "what is taught"),
        ("the metric", None),
        ("the judgements", None),
        ("a mask stands for", None),
        ("a mask stands", "stands"),
    ],
)
def test_a_phrase_of_prose(tmp_path: Path, phrase: str, found: str | None) -> None:
    assert found in [name for _, name in _found(tmp_path / "page.md", phrase)] or found is None
    assert found is not None or not _found(tmp_path / "page.md", phrase)


def test_names_comments_docstrings_and_messages_of_python(tmp_path: Path) -> None:
    text = '''"""Read
anew."""
class Kept: ...
def as_told(asked, kept):
    judged = "a message that was asked"  # mend it
    return {"told": judged, "beside it": f"{asked} met {kept}"}
'''
    assert _found(tmp_path / "lever.py", text) == [
        (1, "lever"),
        (2, "anew"),
        (3, "Kept"),
        (4, "as_told"),
        (4, "asked"),
        (5, "asked"),
        (5, "judged"),
        (5, "mend"),
        (6, "beside"),
        (6, "met"),
    ]


def test_strings_of_a_test_are_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.language.ROOT", tmp_path)
    (tmp_path / "tests").mkdir()
    text = '"""Read anew."""\nTEXT = "nobody asked"  # told here\n'
    assert _found(tmp_path / "tests" / "test_a.py", text) == [(1, "anew"), (2, "told")]
    assert (2, "asked") in _found(tmp_path / "a.py", text)


def test_code_and_links_inside_prose_are_not_read(tmp_path: Path) -> None:
    assert not _found(tmp_path / "page.md", "`told` [a page](asked.md)\n")
    assert not _found(tmp_path / "code.py", '"""The ``told`` argument."""\n')


def test_the_command_prints_offenders_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.md"
    path.write_text("one\nwritten anew\n", encoding="utf-8")
    assert main([str(path)]) == 1
    remedy = "again; retrain, recompute, rewrite"
    assert capsys.readouterr().out == f"{Offender(path, 2, 'anew', remedy)}\n"
    path.write_text("one\n", encoding="utf-8")
    assert main([str(path)]) == 0
