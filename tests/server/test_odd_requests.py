"""Odd requests to every service have a status of the contract, and change no honest answer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from recsys.live import LiveEngine
from recsys.store import open_store
from recsys_client import RecsysClient
from recsys_client.pb.recsys.v1 import catalog_pb2, interaction_pb2, retrieval_pb2
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.live.world import made_parts
from tests.server.service_world import WAIT, served

FILES = (retrieval_pb2, interaction_pb2, catalog_pb2)
METHODS = [
    method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    if not method.client_streaming
]
ALLOWED = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
TEXTS = ("", " ", "ann", "i1", "../../etc/passwd", "\u202egnp", "x" * 600, "\0", "MTp2OQ==", "é")
NUMBERS = (0, 1, -1, 7, 2**31 - 1, -(2**31))
LONG = (*NUMBERS, 2**63 - 1, -(2**63))
FLOATS = (0.0, 1.5, -1.0, float("nan"), float("inf"), 1e300)
KINDS: dict[int, tuple[Any, ...]] = {
    FieldDescriptor.TYPE_STRING: TEXTS,
    FieldDescriptor.TYPE_BYTES: (b"", b"3", b"\x89PNG\r\n\x1a\n", bytes(100)),
    FieldDescriptor.TYPE_BOOL: (True, False),
    FieldDescriptor.TYPE_INT32: NUMBERS,
    FieldDescriptor.TYPE_INT64: LONG,
    FieldDescriptor.TYPE_ENUM: (0, 1, 2, 99),
    FieldDescriptor.TYPE_DOUBLE: FLOATS,
    FieldDescriptor.TYPE_FLOAT: FLOATS[:5],
}


def odd_message(described: Descriptor, rng: random.Random, depth: int = 0) -> Message:
    """A message with random fields, whose values are odd."""
    message = GetMessageClass(described)()
    for field in described.fields:
        if rng.random() < 0.5 or depth > 6:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _fill_map(getattr(message, field.name), field.message_type, rng, depth)
        elif field.message_type is not None:
            made = [odd_message(field.message_type, rng, depth + 1) for _ in range(2)]
            if field.is_repeated:
                getattr(message, field.name).extend(made)
            else:
                getattr(message, field.name).CopyFrom(made[0])
        elif field.is_repeated:
            values = rng.choices(KINDS[field.type], k=rng.choice((1, 2, 50)))
            getattr(message, field.name).extend(values)
        else:
            setattr(message, field.name, rng.choice(KINDS[field.type]))
    return message


def _fill_map(target: Any, entry: Descriptor, rng: random.Random, depth: int) -> None:
    value = entry.fields_by_name["value"]
    for _ in range(2):
        key = rng.choice(TEXTS)
        if value.message_type is not None:
            target[key].CopyFrom(odd_message(value.message_type, rng, depth + 1))
        else:
            target[key] = rng.choice(KINDS[value.type])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path: Path = tmp_path_factory.mktemp("store") / "store.db"
    with open_store(path) as store, LiveEngine(made_parts(), store) as engine:
        loaded = LoadedBundle("v3", engine.snapshot.retriever, engine=engine)
        with served(Rollout(Deployment(loaded))) as running:
            yield running.address


@pytest.mark.parametrize("method", METHODS, ids=lambda method: str(method.name))
def test_no_odd_request_is_a_fault_of_the_service(address: str, method: Any) -> None:
    rng = random.Random(method.name)
    with grpc.insecure_channel(address) as opened:
        channel: Any = opened
        call = channel.unary_unary(f"/{method.containing_service.full_name}/{method.name}")
        for number in range(40):
            raw = odd_message(method.input_type, rng).SerializeToString()
            if number % 4 == 0:
                raw = rng.randbytes(rng.choice((1, 10, 1_000)))
            ended: Any = None
            try:
                call(raw, timeout=WAIT)
            except grpc.RpcError as error:
                ended = error
            assert ended is None or ended.code() in ALLOWED, (ended.code(), ended.details(), raw)
    with RecsysClient(address, timeout=WAIT) as client:
        assert client.retrieve(history=["i6"], k=3).ids
