"""Every command on a page is one that the command line accepts, and names files that exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from tests.docs.pages import ROOT, Block, pages, prose, written_in

BLOCKS = [pytest.param(block, id=str(block)) for block in written_in("sh")]
PROGRAMS = (
    "pip",
    "tensorboard",
    "cd",
    "git",
    "go",
    "protoc",
    "grpcurl",
    "export",
    "ls",
    "mkdir",
    "npm",
    "node",
)
PICTURES, EXISTING = (".jpg", ".png", "photos"), str(ROOT / "README.md")
MADE = ("runs/", "exported/", "bundles/", "examples/own_data/files")


@pytest.mark.parametrize("block", BLOCKS)
def test_a_command_is_accepted(block: Block) -> None:
    for words in _commands(block.text):
        program, *arguments = words
        name = Path(program).name
        if name == "recsys":
            _parse(_recsys(), arguments)
        elif name in ("python", "python3"):
            _check_python(arguments)
        elif name == "make":
            targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            assert {each for each in arguments if "=" not in each} <= set(targets), words
        else:
            assert name in PROGRAMS or (ROOT / program).exists(), f"unknown program {program}"


@pytest.mark.parametrize("block", BLOCKS)
def test_files_of_a_command_exist(block: Block) -> None:
    folders = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."]
    for words in _commands(block.text):
        for word in words[1:]:
            if word.split("/")[0] in folders and "/" in word and not word.startswith(MADE):
                assert (ROOT / word).exists(), f"there is no {word}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_sentences_have_their_words_and_options(page: Path) -> None:
    for code in re.findall(r"`((?:recsys|python -m) [^`]+)`", prose(page)):
        words = shlex.split(code)
        if words[0] == "python":
            _check_python(words[1:], parse=len(words) > 3)
            continue
        command: Any = _recsys()
        for word in words[1:]:
            if isinstance(command, TyperGroup) and not word.startswith("-"):
                command = command.commands.get(word)
                assert command is not None, f"there is no command '{word}' of '{code}'"
            elif word.startswith("--"):
                options = {each for param in command.params for each in param.opts}
                assert word.partition("=")[0] in options | {"--help"}, f"{code}: {word}"


def test_a_wrong_option_and_a_missing_file_would_be_found() -> None:
    with pytest.raises(Exception, match="--usr"):
        _parse(_recsys(), ["query", "--usr", "u0001"])
    with pytest.raises(Exception, match="qery"):
        _parse(_recsys(), ["qery"])
    with pytest.raises(AssertionError, match="qualities"):
        _check_python(["-m", "benchmarks.qualities"])


def _commands(text: str) -> list[list[str]]:
    """Words of each command, without assignments of variables, prompts and redirections."""
    commands = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        for part in re.split(r"&&|\|", line):
            words = shlex.split(part.split(" > ")[0], comments=True)
            while words and re.match(r"[A-Z_]+=", words[0]):
                words = words[1:]
            if words:
                commands.append([word for word in words if word not in ("$", "&")])
    return commands


def _recsys() -> Any:
    from recsys.cli.app import app

    return get_command(app)


def _parse(command: Any, arguments: list[str]) -> None:
    """Parse the arguments as the command does when it runs, without running it."""
    existing = [EXISTING if word.endswith(PICTURES) else word for word in arguments]
    context = command.make_context(command.name, existing)
    if isinstance(command, TyperGroup):
        words = [*context._protected_args, *context.args]
        _, found, rest = command.resolve_command(context, words)
        assert found is not None
        _parse(found, rest)


def _check_python(arguments: list[str], *, parse: bool = True) -> None:
    if arguments[:1] != ["-m"]:
        assert (ROOT / arguments[0]).is_file(), f"there is no {arguments[0]}"
        return
    module, options = arguments[1], arguments[2:]
    if module.split(".")[0] not in (
        "recsys",
        "recsys_server",
        "recsys_client",
        "benchmarks",
        "tests",
    ):
        return
    spec = importlib.util.find_spec(module)
    assert spec is not None, f"there is no module {module}"
    if spec.submodule_search_locations:
        spec = importlib.util.find_spec(f"{module}.__main__")
    assert spec is not None and spec.origin is not None, f"{module} is not a command"
    if module == "recsys_server" and parse:
        _parse(get_command(_server()), options)
        return
    source = Path(spec.origin).read_text(encoding="utf-8")
    for option in options:
        assert not option.startswith("--") or f'"{option}"' in source, f"{module} {option}"


def _server() -> Any:
    from recsys_server.__main__ import app

    return app
