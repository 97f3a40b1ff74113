"""Requests as lines of JSON: each is answered, or reported with its line number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from recsys.errors import InvalidRequestError, RecsysError, ServiceError
from recsys.retrieval import request_from_json, response_to_json
from recsys_client import Request, RetrievalCalls

BATCH = 64
"""Number of requests that are answered together; a service takes 128 by default."""
BATCH_BYTES = 2 * 1024 * 1024
"""Size of the lines that are answered together; a service takes 4 MiB by default."""


def answer_lines(
    calls: RetrievalCalls,
    lines: Iterable[bytes],
    defaults: Mapping[str, Any],
    *,
    batch: int = BATCH,
) -> Iterator[dict[str, Any]]:
    """For each line that is not blank, in order, the response or the error as a JSON value.

    Args:
        calls: Retriever or client that answers.
        lines: Requests in the form of :func:`recsys.retrieval.request_to_json`.
        defaults: Values of fields that a line leaves out.
        batch: Number of requests that are answered together.

    Raises:
        ServiceError: The service does not answer.
    """
    for numbers, requests in _batches(_parsed(lines, defaults), batch):
        found = iter(_answers(calls, [each for each in requests if isinstance(each, Request)]))
        for number, request in zip(numbers, requests):
            answer = request if isinstance(request, RecsysError) else next(found)
            if isinstance(answer, RecsysError):
                yield {
                    "line": number,
                    "error": {
                        "code": answer.code,
                        "message": answer.message,
                        "field": answer.field,
                    },
                }
            else:
                yield response_to_json(answer)


def _parsed(
    lines: Iterable[bytes], defaults: Mapping[str, Any]
) -> Iterator[tuple[int, int, Request | RecsysError]]:
    """Number of a line, its size in bytes, and its request or what is wrong with it."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield number, len(line), _request(line, defaults)
            except RecsysError as error:
                yield number, len(line), error


def _request(line: bytes, defaults: Mapping[str, Any]) -> Request:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"the line is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise InvalidRequestError(
            f"a request is a JSON object with its fields; got {type(values).__name__}"
        )
    return request_from_json({**defaults, **values})


def _batches(
    parsed: Iterable[tuple[int, int, Request | RecsysError]], batch: int
) -> Iterator[tuple[list[int], list[Request | RecsysError]]]:
    numbers: list[int] = []
    requests: list[Request | RecsysError] = []
    size = 0
    for number, length, request in parsed:
        if requests and size + length > BATCH_BYTES:
            yield numbers, requests
            numbers, requests, size = [], [], 0
        numbers.append(number)
        requests.append(request)
        size += length
        if len(requests) == batch:
            yield numbers, requests
            numbers, requests, size = [], [], 0
    if requests:
        yield numbers, requests


def _answers(calls: RetrievalCalls, requests: list[Request]) -> Iterable[Any]:
    """The answers; a batch that is refused as a whole is answered one by one."""
    if not requests:
        return []
    try:
        return calls.answer(requests)
    except ServiceError:
        raise
    except RecsysError as error:
        if len(requests) == 1:
            return [error]
        return [answer for each in requests for answer in _answers(calls, [each])]
