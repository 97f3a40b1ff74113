"""What messages name exists: keys of the configuration, commands and their options."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from recsys.cli.app import app
from recsys.comparison.config import ComparisonConfig
from recsys.config_faults import sections_in
from recsys.pipeline import RunConfig

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "recsys",
    "server/recsys_server",
    "console/recsys_console",
    "clients/python/recsys_client",
)
SECTIONS = "data|split|text|image|towers|train|evaluation|index|serve"
KEY = re.compile(rf"(?<![\w./'\"])(?:{SECTIONS})(?:\.[a-z_]+)+\b(?![(/])")
COMMAND = re.compile(r"['`]recsys ((?:[a-z]+[a-z-]*)(?: [a-z]+[a-z-]*)*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+\b")


def _texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """The texts of messages: string constants with a space that are no docstrings."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docs and " " in str(node.value):
            yield node


@cache
def _messages() -> list[tuple[str, str]]:
    """Each text and its line."""
    return [
        (str(node.value), f"{path.relative_to(ROOT)}:{node.lineno}")
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in _texts(ast.parse(path.read_text(encoding="utf-8")))
    ]


def _found(pattern: re.Pattern[str]) -> dict[str, str]:
    """Each match in the messages, with one line."""
    return {match: line for text, line in _messages() for match in pattern.findall(text)}


def _is_key(path: str) -> bool:
    kinds: list[type[BaseModel]] = [RunConfig, ComparisonConfig]
    for part in path.removesuffix(".space").split("."):  # serve.call is a request, no section
        fields = [kind.model_fields[part] for kind in kinds if part in kind.model_fields]
        if not fields:
            return False
        kinds = [found for field in fields for found in sections_in(field.annotation)]
    return True


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    yield name, command
    for key, nested in getattr(command, "commands", {}).items():
        yield from _commands(nested, f"{name} {key}".strip())


COMMANDS = dict(_commands(typer.main.get_command(app)))


def test_keys_exist() -> None:
    found = _found(KEY)
    assert len(found) > 20
    unknown = {key: line for key, line in found.items() if not _is_key(key)}
    assert not unknown


def test_commands_exist() -> None:
    found = _found(COMMAND)
    assert found
    unknown = {
        words: line
        for words, line in found.items()
        if not any(words == name or words.startswith(f"{name} ") for name in COMMANDS if name)
    }
    assert not unknown


def test_options_exist() -> None:
    known = {"--logdir"}  # of TensorBoard
    for command in COMMANDS.values():
        for each in command.params:
            known |= {*each.opts, *each.secondary_opts}
    unknown = {name: line for name, line in _found(OPTION).items() if name not in known}
    assert not unknown
