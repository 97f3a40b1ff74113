"""Requests and responses as JSON: the form of reference queries, of ``serve.call`` and of the CLI.

A request is one flat object with the fields of ``Request`` and of its ``Query``; defaults are left
out. A picture is base64, a fusion an object with one key, as in the proto. A filter is an object
with one key, too, or its text.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, fields
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator

from recsys.errors import InvalidRequestError, RecsysError
from recsys_client.filters import Filter, filter_from_json, filter_to_json
from recsys_client.fusion import FUSIONS, Fusion, ReciprocalRank, WeightedSum, fusion_to_json
from recsys_client.query import Query
from recsys_client.request import Request
from recsys_client.response import Response

REQUEST_FIELDS = tuple(
    each.name for each in (*fields(Query), *fields(Request)) if each.name != "query"
)


def request_to_json(request: Request) -> dict[str, Any]:
    """The fields of a request that differ from their defaults.

    Example:
        >>> request_to_json(Request.of(history=["lamp"], k=3))
        {'history': ['lamp'], 'k': 3}
    """
    values: dict[str, Any] = {}
    for part in (request.query, request):
        for each in fields(part):
            value = getattr(part, each.name)
            if each.name in REQUEST_FIELDS and value != _default(each):
                values[each.name] = _to_json(value)
    return values


def request_from_json(values: Mapping[str, Any]) -> Request:
    """The request that :func:`request_to_json` encoded.

    Raises:
        InvalidRequestError: A field is unknown or missing, or its value has another form.

    Example:
        >>> request_from_json({"user_id": "ann", "k": 3}).query.user_id
        'ann'
    """
    for name in values:
        if name not in REQUEST_FIELDS:
            known = ", ".join(REQUEST_FIELDS)
            raise InvalidRequestError(
                f"a request has no field {name!r:.80}; its fields are: {known}", field=str(name)
            )
    if "k" not in values:
        raise InvalidRequestError("a request needs k, its number of candidates", field="k")
    decoded: Any = dict(values)
    if isinstance(values.get("image"), str):
        decoded["image"] = _picture(values["image"])
    if isinstance(values.get("filter"), Mapping):
        decoded["filter"] = filter_from_json(values["filter"])
    if values.get("fusion") is not None:
        decoded["fusion"] = _fusion(values["fusion"])
    return Request.of(**decoded)


def response_to_json(response: Response) -> dict[str, Any]:
    """The JSON that ``recsys query`` prints.

    Example:
        >>> response_to_json(Response((), "text", bundle_version="v1"))["bundle_version"]
        'v1'
    """
    return {
        "bundle_version": response.bundle_version,
        "space": response.space,
        "candidates": [
            {
                "item_id": each.id,
                "score": each.score,
                "rank": each.rank,
                **({"parts": dict(sorted(each.parts.items()))} if each.parts else {}),
                **({} if each.title is None else {"title": each.title}),
            }
            for each in response.candidates
        ],
        "unknown_history_ids": list(response.unknown_history),
        "short_reason": response.short,
        "unknown_exclude_ids": list(response.unknown_exclude),
        "unread_terms": response.unread_terms,
        "watermark": response.watermark,
        "fallback": response.fallback,
        **({} if response.explanation is None else {"explanation": asdict(response.explanation)}),
    }


def _validated(value: Any) -> Request:
    if isinstance(value, Request):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"a request must be a table of its fields; got {value!r:.80}")
    try:
        return request_from_json(value)
    except RecsysError as error:
        raise ValueError(error.message) from error


RequestField = Annotated[Request, PlainValidator(_validated), PlainSerializer(request_to_json)]
"""A request as a field of a configuration or of a manifest."""


def _default(each: Field[Any]) -> Any:
    return each.default if each.default_factory is MISSING else each.default_factory()


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, (ReciprocalRank, WeightedSum)):
        return fusion_to_json(value)
    if isinstance(value, Filter):
        return filter_to_json(value)
    return list(value) if isinstance(value, tuple) else value


def _picture(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError(
            f"image must be the base64 of a picture's file: {error}", field="query.image"
        ) from error


def _fusion(values: Any) -> Fusion:
    if isinstance(values, (ReciprocalRank, WeightedSum)):
        return values
    pairs = list(values.items()) if isinstance(values, Mapping) else []
    (name, options), *others = [*pairs, ("", None)]
    if name not in FUSIONS or len(others) > 1 or not isinstance(options, Mapping):
        raise InvalidRequestError(
            f"fusion must be a table with one of the keys {' and '.join(FUSIONS)}, whose value is"
            f" a table of options that may be empty; got {values!r:.80}",
            field="fusion",
        )
    unknown = [key for key in options if key not in {each.name for each in fields(FUSIONS[name])}]
    if unknown:
        raise InvalidRequestError(f"{name} has no option {unknown[0]!r:.80}", field="fusion")
    return FUSIONS[name](**options)
