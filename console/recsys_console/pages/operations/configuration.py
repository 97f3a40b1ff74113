"""The settings with which the service was started."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from recsys_client import AsyncRecsysClient
from recsys_client.records import Setting
from recsys_console.pages.operations.rights import lacking
from recsys_console.rendering.responses import respond
from recsys_console.security.requests import CurrentSession
from recsys_console.service.connection import Service

router = APIRouter()


@dataclass(frozen=True)
class Configuration:
    """The view model of the configuration.

    Attributes:
        changed: Settings that differ from their defaults.
        defaults: The others.
        lacks: Reason why the token may not see them, or "".
    """

    changed: tuple[Setting, ...] = ()
    defaults: tuple[Setting, ...] = ()
    lacks: str = ""


async def configuration(service: AsyncRecsysClient) -> Configuration:
    """The settings of a service, by name."""
    settings = sorted(await service.get_configuration(), key=lambda each: each.name)
    return Configuration(
        tuple(each for each in settings if each.source != "default"),
        tuple(each for each in settings if each.source == "default"),
    )


@router.get("/operations/configuration")
async def show(request: Request, service: Service, session: CurrentSession) -> Response:
    """Show the settings."""
    lacks = lacking(session, "operations", "admin")
    view = Configuration(lacks=lacks) if lacks else await configuration(service)
    return respond(request, "operations/configuration.html", view)
