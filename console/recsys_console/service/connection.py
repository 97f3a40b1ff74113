"""The client of the service, with the token of the request's session."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from recsys_client import AsyncRecsysClient
from recsys_console.security.requests import token_of


def service_of(request: Request) -> AsyncRecsysClient:
    """The client of the service whose calls carry the user's own token."""
    client: AsyncRecsysClient = request.app.state.console.client
    return client.with_token(token_of(request))


Service = Annotated[AsyncRecsysClient, Depends(service_of)]
"""The client of the service, as a parameter of a route."""
