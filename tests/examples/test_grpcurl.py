"""The calls of ``examples/grpcurl.sh`` fit the contract, and a service answers them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass

from recsys_client.pb.recsys.v1 import (
    bundle_pb2,
    catalog_pb2,
    interaction_pb2,
    quality_pb2,
    retrieval_pb2,
)

SCRIPT = (Path(__file__).parents[2] / "examples/grpcurl.sh").read_text(encoding="utf-8")
CALLS = re.findall(r"^call (\w+)/(\w+) '([^']*)'", SCRIPT, re.MULTILINE)
FILES = (retrieval_pb2, interaction_pb2, catalog_pb2, bundle_pb2, quality_pb2)
SERVICES = {
    name: service for file in FILES for name, service in file.DESCRIPTOR.services_by_name.items()
}


def objects(text: str) -> Iterator[Any]:
    """The JSON objects of a text, one after the other."""
    decoder, text = json.JSONDecoder(), text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        yield value
        text = text[end:].strip()


@pytest.mark.parametrize(("service", "method", "data"), CALLS)
def test_each_call_fits_the_contract(service: str, method: str, data: str) -> None:
    described: MethodDescriptor = SERVICES[service].methods_by_name[method]
    messages = list(objects(data))
    assert len(messages) == 1 or described.client_streaming
    for each in messages:
        ParseDict(each, GetMessageClass(described.input_type)())


def test_every_service_is_called() -> None:
    assert {service for service, *_ in CALLS} == set(SERVICES)
    methods = {f"{name}/{each.name}" for name, one in SERVICES.items() for each in one.methods}
    left = methods - {f"{service}/{method}" for service, method, _ in CALLS}
    assert left == {
        "RetrievalService/BatchRetrieve",
        "BundleService/ActivateBundle",
        "BundleService/RollbackBundle",
        "BundleService/SetCanary",
        "QualityService/CompareReports",
        "InteractionService/ListItemUsers",
        "InteractionService/ListRecentUsers",
        "InteractionService/GetItemActivity",
    }
