"""Compiles ``protos/`` into ``recsys_client.pb``, which client and server share.

The proto package ``recsys.v1`` and the Python package ``recsys`` share a name; generated modules
are therefore placed below ``recsys_client.pb`` and their imports rewritten, so that neither hides
the other. Run ``python -m recsys_server.generate`` after a change of the protos; it needs
grpcio-tools.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.json_format import MessageToJson

from recsys.errors import DataError

ROOT = Path(__file__).resolve().parents[2]
PROTOS = ROOT / "protos"
GENERATED = ROOT / "clients" / "python" / "recsys_client" / "pb"
BASELINE = PROTOS / "baseline" / "recsys.v1.json"
PACKAGE = "recsys_client.pb"
_NOTICE = '"""Generated from ``protos/`` by ``recsys_server.generate``; not edited."""\n'


def describe(protos: Path = PROTOS) -> FileDescriptorSet:
    """The compiled form of the engine's files below ``protos``, with comments and positions."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "descriptors"
        _compile(protos, f"--descriptor_set_out={output}", "--include_source_info")
        return FileDescriptorSet.FromString(output.read_bytes())


def generate(protos: Path = PROTOS) -> dict[str, str]:
    """The text of every generated file, by its path below ``recsys_client/pb``."""
    with tempfile.TemporaryDirectory() as folder:
        kinds = ("python", "pyi", "grpc_python", "mypy_grpc")
        _compile(protos, *(f"--{kind}_out={folder}" for kind in kinds))
        files = {
            path.relative_to(folder).as_posix(): _moved(path.read_text(encoding="utf-8"))
            for path in sorted(Path(folder).rglob("*.py*"))
        }
    for folder_name in {str(parent) for name in files for parent in Path(name).parents}:
        files[(Path(folder_name) / "__init__.py").as_posix()] = _NOTICE
    return files


def baseline(protos: Path = PROTOS) -> str:
    """The contract and the files that it imports as JSON, without comments.

    Later versions must stay compatible with it; ``buf breaking --against`` reads it.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "descriptors"
        _compile(protos, f"--descriptor_set_out={output}", "--include_imports")
        bare = FileDescriptorSet.FromString(output.read_bytes())
    return MessageToJson(bare, indent=1, sort_keys=True) + "\n"


def _compile(protos: Path, *outputs: str) -> None:
    """Run the compiler in a process of its own: it crashes one that has loaded TensorFlow.

    Raises:
        DataError: The compiler refuses a file.
    """
    own = sorted((protos / "recsys").rglob("*.proto"))
    names = [path.relative_to(protos).as_posix() for path in own]
    types = f"protoc-gen-mypy_grpc={Path(sys.executable).parent / 'protoc-gen-mypy_grpc'}"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{protos}", f"-I{PROTOS}"]
    command.append(f"--plugin={types}")
    done = subprocess.run([*command, *outputs, *names], capture_output=True, text=True)
    if done.returncode != 0:
        raise DataError(f"the protos below {protos.name}/ do not compile: {done.stderr.strip()}")


def _moved(text: str) -> str:
    """Generated code whose references to ``recsys.v1`` point below ``recsys_client.pb``."""
    text = re.sub(r"^from recsys\.", f"from {PACKAGE}.recsys.", text, flags=re.MULTILINE)
    text = text.replace(", _Mapping]", ", _Mapping[str, object]]")  # for strict typing
    return re.sub(r"'(recsys\.v\d+\.\w+_pb2)'", rf"'{PACKAGE}.\1'", text)


def main(
    accept: Annotated[
        bool, typer.Option("--accept", help="Also make the contract the new baseline.")
    ] = False,
) -> None:
    """Write the generated code; with --accept, also the baseline of the breaking-change check."""
    for name, text in generate().items():
        path = GENERATED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        typer.echo(path.relative_to(ROOT))
    if accept:
        BASELINE.parent.mkdir(parents=True, exist_ok=True)
        BASELINE.write_text(baseline(), encoding="utf-8")
        typer.echo(BASELINE.relative_to(ROOT))


if __name__ == "__main__":
    typer.run(main)
