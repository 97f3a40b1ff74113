"""One call of a service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from recsys_client.errors import InvalidRequestError

Answer = TypeVar("Answer")
M = TypeVar("M", bound=Message)


@dataclass(frozen=True, eq=False)
class Operation(Generic[Answer]):
    """A call of a service.

    Attributes:
        method: Full name of the method, as ``/recsys.v1.CatalogService/GetItems``.
        request: Message to send.
        response: Class of the message that answers.
        read: Conversion of that message to the result of the call.
    """

    method: str
    request: Message
    response: type[Message]
    read: Callable[[Any], Answer]


def made(make: Callable[[], M]) -> M:
    """The message that ``make`` builds.

    Raises:
        InvalidRequestError: A value has a type or a range that the field does not hold.
    """
    try:
        return make()
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"the call holds a value of a wrong type: {error}") from error
