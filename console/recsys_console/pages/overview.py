"""The overview: what the service answers from, and its state."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient, Description
from recsys_console.rendering.responses import respond
from recsys_console.service.connection import Service

router = APIRouter()


@dataclass(frozen=True)
class Overview:
    """The view model of the overview.

    Attributes:
        description: Description of the service.
    """

    description: Description


async def overview(service: AsyncRecsysClient) -> Overview:
    """The overview of a service."""
    return Overview(await service.describe())


@router.get("/")
async def show(request: Request, service: Service) -> Response:
    """Show the overview."""
    return respond(request, "overview.html", await overview(service))
