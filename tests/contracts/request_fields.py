"""The front ends of ``recsys.retrieval.Request``, and the fields that one of them lacks."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints
from unittest.mock import patch

from recsys.bundle import ReferenceQuery
from recsys.cli import main
from recsys.errors import RecsysError
from recsys.pipeline.config import ServeConfig
from recsys.retrieval import Query, ReciprocalRank, Request, Response, request_to_json
from recsys_client import RecsysClient, RetrievalCalls
from recsys_client.convert import read_request, write_request
from recsys_client.filters import Filter, to_text
from recsys_client.query import QueryFields
from recsys_client.request import RequestOptions

FIELDS = [each.name for each in (*fields(Query), *fields(Request)) if each.name != "query"]
_HISTORY: dict[str, Any] = {"history": ("a", "b")}
SAMPLES: dict[str, dict[str, Any]] = {
    "user_id": {"user_id": "ann"},
    "history": _HISTORY,
    "terms": {"terms": "a blue lamp"},
    "item_id": {"item_id": "lamp"},
    "image": {"image": b"\x89PNG"},
    "context": {**_HISTORY, "context": {"country": "de", "device": "phone"}},
    "history_times": {**_HISTORY, "history_times": (3, 5)},
    "item_ids": {"item_ids": ("a", "b")},
    "vector": {"vector": (0.5, -1.1, 3.0)},
    "k": {**_HISTORY, "k": 7},
    "space": {**_HISTORY, "space": "text"},
    "exclude": {**_HISTORY, "exclude": ("c", "d")},
    "seen": {**_HISTORY, "seen": "include"},
    "unknown_history": {**_HISTORY, "unknown_history": "raise"},
    "fusion": {
        **_HISTORY,
        "space": "text+image",
        "fusion": ReciprocalRank(constant=9, depth=50, weights={"text": 2, "image": 0.5}),
    },
    "titles": {**_HISTORY, "titles": True},
    "filter": {**_HISTORY, "filter": 'brand = "acme" and not price < 20'},
    "crowding": {**_HISTORY, "crowding": {"brand": 2, "shop": 1}},
    "effort": {**_HISTORY, "effort": 2.5},
    "explain": {**_HISTORY, "explain": True},
}
"""Per field a request in which it differs from its default; ``k`` is 10 where none is given."""
OPTIONS = {
    "user_id": "--user",
    "item_id": "--item",
    "item_ids": "--items",
    "weights": "--weight",
    "crowding": "--at-most",
}
"""Options of the CLI that are not named after their field."""


def missing_fields() -> list[str]:
    """Each ``FRONT END: FIELD`` where the front end lacks the field or changes its value."""
    missing = []
    for name in FIELDS:
        if name not in SAMPLES:
            missing.append(f"samples of this test: {name}")
            continue
        request = Request.of(**{"k": 10, **SAMPLES[name]})
        for front_end, carry in FRONT_ENDS.items():
            try:
                same = carry(request) == request
            except Exception:  # whatever a front end raises, it does not carry the field
                same = False
            missing += [] if same else [f"{front_end}: {name}"]
    return missing + list(_untyped_fields())


def _untyped_fields() -> Iterator[str]:
    """Fields that the keyword arguments of RetrievalCalls lack, or type differently."""
    for typed, defined in ((QueryFields, Query), (RequestOptions, Request)):
        types, expected = get_type_hints(typed), get_type_hints(defined)
        names = {each.name for each in fields(defined)} - {"query"}
        yield from (
            f"{typed.__name__}: {name}" for name in names if types.get(name) != expected[name]
        )
    for method, argument, unpacked in (
        (RetrievalCalls.retrieve, "fields", "Unpack[RequestFields]"),
        (RetrievalCalls.retrieve_batch, "options", "Unpack[RequestOptions]"),
    ):
        if method.__annotations__.get(argument) != unpacked:
            yield f"{method.__qualname__}: {unpacked}"


def _by_proto(request: Request) -> Request:
    return read_request(write_request(request))


def _by_reference_query(request: Request) -> Request:
    text = ReferenceQuery(request=request, ids=(), scores=()).model_dump_json()
    return ReferenceQuery.model_validate_json(text).request


def _by_run_config(request: Request) -> Request:
    values = ServeConfig(call=request).model_dump(mode="json")
    return ServeConfig.model_validate(json.loads(json.dumps(values))).call


def _by_cli(request: Request) -> Request:
    """The request that ``recsys query --address`` sends."""
    with tempfile.TemporaryDirectory() as folder:
        return _sent_by(*_arguments(request, Path(folder)))


def _by_file_of_requests(request: Request) -> Request:
    """The request that ``recsys query --address --requests`` sends."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests.jsonl"
        file.write_text(json.dumps(request_to_json(request) | {"titles": request.titles}))
        return _sent_by("--requests", str(file))


def _sent_by(*arguments: str) -> Request:
    sent: list[Request] = []

    class Client(RecsysClient):
        def answer(self, requests: Sequence[Request]) -> list[Response | RecsysError]:
            sent.extend(requests)
            return [Response((), each.space) for each in requests]

        def respond(self, request: Request) -> Response:
            return RetrievalCalls.respond(self, request)

    with contextlib.ExitStack() as stack:
        stack.enter_context(patch("recsys_client.client.RecsysClient", Client))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.suppress(SystemExit))
        main(["query", "--address", "127.0.0.1:1", *arguments])
    return sent[0]


def _arguments(request: Request, folder: Path) -> Iterator[str]:
    defaults = Request(Query(), 10)
    for name in SAMPLES:
        part = "query" if name in QueryFields.__annotations__ else None
        value = getattr(request.query if part else request, name)
        option = OPTIONS.get(name, f"--{name.replace('_', '-')}")
        if isinstance(value, bool):
            yield option if value else f"--no-{name}"
        elif value != getattr(defaults.query if part else defaults, name):
            yield from _option(option, value, folder)


def _option(option: str, value: Any, folder: Path) -> Iterator[str]:
    if isinstance(value, bytes):
        (folder / "picture").write_bytes(value)
        value = folder / "picture"
    if isinstance(value, Filter):
        value = to_text(value)
    if isinstance(value, ReciprocalRank):
        for each in fields(value):
            name = OPTIONS.get(each.name, f"--{each.name}")
            yield from _option(name, getattr(value, each.name), folder)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from (option, f"{key}={each}")
    else:
        yield from (option, ",".join(map(str, value)) if isinstance(value, tuple) else str(value))


FRONT_ENDS = {
    "proto": _by_proto,
    "reference query": _by_reference_query,
    "serve.call": _by_run_config,
    "recsys query": _by_cli,
    "recsys query --requests": _by_file_of_requests,
}
