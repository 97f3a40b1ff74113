"""The public contract: in style, compatible with its baseline, and the generated code fresh."""

from __future__ import annotations

import importlib.resources
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.json_format import Parse
from google.rpc import error_details_pb2, status_pb2

import recsys
from recsys.errors import DataError
from recsys_client.pb.recsys.v1 import retrieval_pb2
from recsys_server.generate import BASELINE, GENERATED, PROTOS, baseline, describe, generate
from tests.protos.proto_rules import breaking_changes, style_faults

SOURCE = (PROTOS / "recsys" / "v1" / "retrieval.proto").read_text(encoding="utf-8")
# Cases with another package still find the messages of other files.
SOURCE = SOURCE.replace(" Filter filter", " recsys.v1.Filter filter")
SOURCE = SOURCE.replace("(Describe", "(recsys.v1.Describe")
Write = Callable[[str], FileDescriptorSet]


@pytest.fixture
def compiled(tmp_path: Path) -> Write:
    """Compiles the contract with one file changed."""

    def write(text: str, name: str = "recsys/v1/retrieval.proto") -> FileDescriptorSet:
        assert text != SOURCE, "the change does not apply to the contract any more"
        path = tmp_path / name
        shutil.copytree(PROTOS / "recsys", tmp_path / "recsys")
        path.write_text(text, encoding="utf-8")
        # Feeds read messages of this file, in whichever package it is.
        (package,) = re.findall(r"^package (.+);", text, re.MULTILINE)
        feeds = tmp_path / "recsys/v1/feed.proto"
        source = re.sub("  (Query|SeenPolicy) ", rf"  {package}.\1 ", feeds.read_text("utf-8"))
        feeds.write_text(source, encoding="utf-8")
        return describe(tmp_path)

    return write


def test_the_contract_is_in_style() -> None:
    assert style_faults(describe()) == []


def test_nothing_in_the_contract_breaks_its_baseline() -> None:
    old = Parse(BASELINE.read_text(encoding="utf-8"), FileDescriptorSet())
    own = [file for file in old.file if file.package.startswith("recsys.")]
    old = FileDescriptorSet(file=own)
    assert breaking_changes(old, describe()) == []


def test_the_baseline_holds_every_element() -> None:
    """Update it after an addition: ``python -m recsys_server.generate --accept``."""
    assert BASELINE.read_text(encoding="utf-8") == baseline()


def test_generated_code_is_fresh() -> None:
    fresh = generate()
    present = {
        path.relative_to(GENERATED).as_posix(): path.read_text(encoding="utf-8")
        for path in GENERATED.rglob("*.py*")
        if path.suffix in (".py", ".pyi")
    }
    stale = [name for name in fresh.keys() | present.keys() if fresh.get(name) != present.get(name)]
    assert stale == [], "run: python -m recsys_server.generate"


def test_generated_code_does_not_hide_the_library() -> None:
    assert Path(recsys.__file__).parent == PROTOS.parent / "recsys"
    assert retrieval_pb2.Query.__module__ == "recsys_client.pb.recsys.v1.retrieval_pb2"
    assert retrieval_pb2.Query.DESCRIPTOR.full_name == "recsys.v1.Query"


def test_the_shipped_protos_compile_alone(tmp_path: Path) -> None:
    names = [path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto")]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", "--include_imports"]
    command += [f"--descriptor_set_out={tmp_path / 'set'}", *names]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    compiled = FileDescriptorSet.FromString((tmp_path / "set").read_bytes())
    shared = {file.name for file in compiled.file} - set(names)
    assert all(name.startswith("google/protobuf/") for name in shared)


def test_the_copies_of_google_rpc_are_those_of_the_installed_package() -> None:
    for module in (error_details_pb2, status_pb2):
        name = module.DESCRIPTOR.name
        package = importlib.resources.files("google.rpc").joinpath(Path(name).name)
        assert (PROTOS / name).read_text(encoding="utf-8") == package.read_text(encoding="utf-8")


def test_a_proto_that_does_not_compile_is_an_error(compiled: Write) -> None:
    with pytest.raises(DataError, match=r"do not compile: .*recsys/v1/retrieval.proto:\d+"):
        compiled(SOURCE.replace("message History {", "massage History {"))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("package recsys.v1;", "package recsys;", "must be lower_snake.case and end in a version"),
        ("string short_reason = 5", "string shortReason = 5", "field 'shortReason' must be lower"),
        ("RetrieveResult ", "retrieve_Result ", "'retrieve_Result' must be PascalCase"),
        ("oneof outcome", "oneof Outcome", "oneof 'Outcome' must be lower_snake_case"),
        ("  SEEN_POLICY_EXCLUDE", "  POLICY_EXCLUDE", "must begin with SEEN_POLICY_"),
        ("SEEN_POLICY_UNSPECIFIED =", "SEEN_POLICY_NONE =", "must have _UNSPECIFIED = 0"),
        ("service RetrievalService", "service Retrieval", "'Retrieval' must end in Service"),
        ("rpc BatchRetrieve(", "rpc batch_retrieve(", "method 'batch_retrieve' must be PascalCase"),
        ("rpc BatchRetrieve(Batch", "rpc BatchRetrieve(", "is used by both Retrieve and Batch"),
        ("// The id of an item, to find its neighbours.", "", "'item_id' has no comment"),
        ("    // The response that Retrieve would give.\n", "", "'response' has no comment"),
        ("google.rpc.Status error", "string error", "import of 'google/rpc/status.proto' is not"),
    ],
)
def test_each_fault_of_style_is_found(compiled: Write, old: str, new: str, fault: str) -> None:
    faults = style_faults(compiled(SOURCE.replace(old, new)))
    assert any(fault in found for found in faults), faults


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("string space = 3;\n\n  // Ids of items", "string space = 99;\n\n  // Ids", "is gone"),
        ("float score = 2", "double score = 2", "was score LABEL_OPTIONAL TYPE_FLOAT, is now"),
        ("string short_reason", "string why_short", "is now why_short"),
        ("repeated Candidate", "Candidate", "is now candidates LABEL_OPTIONAL"),
        ("optional string terms", "string terms", "_terms, is now terms"),
        ("SEEN_POLICY_INCLUDE", "SEEN_POLICY_KEEP", "was SEEN_POLICY_INCLUDE, is now"),
        ("rpc BatchRetrieve", "rpc RetrieveBatch", "RetrievalService.BatchRetrieve: is gone"),
        ("RetrievalService", "CandidateService", "recsys.v1.RetrievalService: is gone"),
        ("returns (RetrieveResponse)", "returns (stream RetrieveResponse)", "streams False True"),
        ("package recsys.v1", "package recsys.v2", "was package recsys.v1"),
    ],
)
def test_each_breaking_change_is_found(compiled: Write, old: str, new: str, change: str) -> None:
    changes = breaking_changes(describe(), compiled(SOURCE.replace(old, new)))
    assert any(change in found for found in changes), changes


def test_an_added_field_breaks_nothing(compiled: Write) -> None:
    added = compiled(SOURCE.replace("int32 rank = 3;", "int32 rank = 3;\n  string colour = 9;"))
    assert breaking_changes(describe(), added) == []
