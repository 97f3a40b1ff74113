"""A linter for the language of names and prose, with the rules of CONTRIBUTING.md as patterns.

``python -m tests.language [paths]`` prints each offender with its line and the remedy.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (
    "recsys",
    "server",
    "console",
    "clients",
    "benchmarks",
    "examples",
    "data",
    "protos",
    "docs",
    "configs",
    "tests",
)
FOREIGN = {"pb", "gen", "google", "node_modules", "__pycache__"}
"""Folders of generated and of other projects' files."""
SUFFIXES = {".py", ".md", ".proto", ".toml", ".html", ".j2"}

_COUNT = r"(?:\d(?:[\d,.]*\d)?|one|two|three|four|five|six|ten|once|twice)"
_COUNTED = (
    "queries|examples|interactions|calls|requests|positions|numbers|pictures|posters|items|users|"
    "rows|steps|lines|vectors|bytes|seconds|minutes"
)
_UNIT = (
    "second|minute|hour|day|step|epoch|batch|query|item|user|row|line|vector|word|record|file|"
    "folder|picture|process|call|request|thread|core|product|trial|run|set|space|index|"
    "member|block|position|history|column|value|figure|seed|encoder|stage|message|page|film"
)
_JOIN = "of|where|in|for|as|is|to|than|from|if|by|with|and|or|such|only|but|at|on|into|has|had"
_PERSON = "".join(
    rf"(?<!{person} )" for person in ("user", "users", "caller", "callers", "people", "those")
)
PROSE = {
    r"tells?|told|telling": "report, state, show, describe; distinguish",
    r"beside": "next to, compared with, in addition to",
    r"anew": "again; retrain, recompute, rewrite",
    r"so many": "n, number of",
    r"held against": "compared with",
    r"whom": "name the thing; a person is a user or a caller",
    _PERSON + "who": "that, which; only a person is 'who'",
    rf"{_COUNT}(?: (?!(?:{_JOIN}) )\w+)? an? (?:{_UNIT})": "per",
    rf"(?:{_COUNTED}) an? (?:{_UNIT})": "per",
    r"asked|asking": "query, request, call; 'if requested'",
    r"sought": "searched, requested",
    r"mend(?:s|ed|ing)?": "fix, repair",
    r"judged?|judges|judging": "evaluate, score",
    r"levers?": "variant, option; the study is an ablation",
    r"met": "interacted with, in the history, seen in training",
    r"what (?:is|was|are|were) \w+(?:ed|en|ld|ght|pt|nt)": "name the thing",
    r"of like \w+": "similar",
    r"go(?:es)? on|went on": "resume, continue",
    r"(?<!['\"])(?:nobody|somebody)": "no user, no process, ...: name it",
    r"stands?(?! for| out| alone)|stood": "is, remains, is valid",
    r"at heart|by heart|lest|naught|nought|thereof|wherein|withal": "plain technical English",
}
_PATTERNS = {
    re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE): remedy for pattern, remedy in PROSE.items()
}
NAMES = {
    **dict.fromkeys(("told", "tell", "tells", "telling"), "report, describe"),
    **dict.fromkeys(("asked", "asking", "asks"), "query, request, parsed"),
    **dict.fromkeys(("lesson", "lessons", "taste", "tastes"), "batch, example, targets"),
    **dict.fromkeys(("who", "whom"), "user, owner; or name the thing"),
    **dict.fromkeys(("mend", "mends", "mended"), "fix, repair"),
    **dict.fromkeys(("judge", "judges", "judged", "judging"), "evaluate, score"),
    **dict.fromkeys(("placing", "placed"), "encode, assign"),
    **dict.fromkeys(("lever", "levers"), "variant, ablations"),
    **dict.fromkeys(("place", "places"), "position, index, row, rank"),
    **dict.fromkeys(("there", "here", "what"), "name the thing"),
    **dict.fromkeys(("apart", "wide"), "separate, process, concatenated"),
    "sought": "query, input",
    "anew": "retrain, recompute, rerun",
    "beside": "peer, baseline, adjacent",
    "met": "history, seen",
    "towering": "towers",
}
CLASSES = dict.fromkeys(("Kept", "Learned", "Place", "Material"), "a noun of the trade")


class Offender(NamedTuple):
    """A word or phrase that a rule forbids."""

    path: Path
    line: int
    found: str
    remedy: str

    def __str__(self) -> str:
        where = self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path
        return f"{where}:{self.line}: {self.found!r}: {self.remedy}"


def offenders(path: Path) -> list[Offender]:
    """All offenders in a file, by line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        pieces = _python_pieces(text, messages=not path.is_relative_to(ROOT / "tests"))
    else:
        pieces = _text_pieces(text)
    found = [Offender(path, 1, path.stem, NAMES[word]) for word in _bad_words(path.stem)]
    for line, piece, is_name in pieces:
        if is_name:
            found += [Offender(path, line, piece, NAMES[word]) for word in _bad_words(piece)]
            found += [Offender(path, line, piece, CLASSES[piece])] if piece in CLASSES else []
            continue
        for pattern, remedy in _PATTERNS.items():
            for match in pattern.finditer(piece):
                start = line + piece.count("\n", 0, match.start())
                found.append(Offender(path, start, " ".join(match[0].split()), remedy))
    return sorted(set(found))


def _bad_words(name: str) -> set[str]:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return {word.lower() for word in words} & NAMES.keys()


def _python_pieces(text: str, *, messages: bool) -> Iterator[tuple[int, str, bool]]:
    """Line, text and whether it is a name: comments, docstrings and defined names.

    With ``messages`` also the other strings with spaces; in a test, these are data.
    """
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string, False
    nodes = list(ast.walk(ast.parse(text)))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if (
            (messages or id(node) in docstrings)
            and isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.search(r"\s", node.value)
        ):
            yield node.lineno, re.sub(r"``?[^`\n]*`", "", node.value), False
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name, True
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg, True
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id, True


def _text_pieces(text: str) -> Iterator[tuple[int, str, bool]]:
    for number, line in enumerate(text.splitlines(), 1):
        yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "", line), False


def files() -> list[Path]:
    """The files that the rules hold for."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    found += ROOT.glob("*.md")
    return sorted(
        path for path in found if path.suffix in SUFFIXES and not FOREIGN & set(path.parts)
    )


def main(arguments: list[str]) -> int:
    """Print the offenders of the given files, or of all; exit code 1 if there are any."""
    paths = [Path(name).resolve() for name in arguments] or files()
    found = [offender for path in paths for offender in offenders(path)]
    if found:
        print(*found, sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
