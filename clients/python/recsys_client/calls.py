"""The calls of retrieval, the same in-process and over gRPC."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from recsys_client.errors import RecsysError
from recsys_client.query import Query
from recsys_client.request import Request
from recsys_client.response import Response

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from recsys_client.request import RequestFields, RequestOptions


class RetrievalCalls(Protocol):
    """The calls that ``recsys.retrieval.Retriever`` and :class:`RecsysClient` answer alike.

    A subclass implements :meth:`answer`. A function that takes a ``RetrievalCalls`` works
    in-process and with a service.

    Example:
        >>> class Constant(RetrievalCalls):
        ...     def answer(self, requests):
        ...         return [Response((), request.space) for request in requests]
        >>> Constant().retrieve(user_id="ann", k=3).space
        'two_tower'
    """

    def retrieve(self, **fields: Unpack[RequestFields]) -> Response:
        """Candidates for one query, given as the fields of a ``Query`` and its ``Request``.

        In ``two_tower`` the query tower encodes every query but an item, which is its own vector.
        In the other spaces terms (in ``text``) or a picture (in ``image``) take precedence over a
        history, whose items' vectors are averaged; a user or a history then only says which items
        were seen. Several spaces, as in ``space="text+image"``, are joined by ``fusion``.

        Raises:
            InvalidRequestError: A value is out of range, two contradict, a picture cannot be read,
                or a space cannot answer such a query; ``field`` names the value.
            UnknownIdError: The user, the item or a value of the context is unknown.
            NotFoundError: The space does not exist.
            ServiceError: A service did not answer.
        """
        return self.respond(Request.of(**fields))

    def respond(self, request: Request) -> Response:
        """The response to one request, with the errors of :meth:`retrieve`."""
        answer = self.answer([request])[0]
        if isinstance(answer, RecsysError):
            raise answer
        return answer

    def retrieve_batch(
        self, queries: Sequence[Query], **options: Unpack[RequestOptions]
    ) -> list[Response | RecsysError]:
        """For each query the response or the error of :meth:`retrieve`."""
        return self.answer([Request(query, **options) for query in queries])

    @abstractmethod
    def answer(self, requests: Sequence[Request]) -> list[Response | RecsysError]:
        """For each request the response or the error; requests need nothing in common."""
