"""The ASGI application of the console."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Depends, FastAPI
from jinja2 import Environment
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from recsys_client import AsyncRecsysClient
from recsys_console.faults import add_handlers
from recsys_console.pages.registry import PAGES, ROUTERS
from recsys_console.rendering.environment import STATIC, create_environment
from recsys_console.rendering.static_files import StaticFiles
from recsys_console.security.headers import SecureResponses
from recsys_console.security.requests import check_form
from recsys_console.security.sessions import Sessions
from recsys_console.service.thumbnails import Thumbnails
from recsys_console.settings import Settings


@dataclass(frozen=True)
class Console:
    """The parts that all requests share.

    Attributes:
        settings: Settings of the console.
        client: Client of the service, without a token.
        thumbnails: Pictures of items.
        sessions: Sessions of the browsers.
        environment: Templates.
    """

    settings: Settings
    client: AsyncRecsysClient
    thumbnails: Thumbnails
    sessions: Sessions
    environment: Environment


def create_application(settings: Settings) -> FastAPI:
    """The console of one service, which connects when the application starts."""

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        client = AsyncRecsysClient(
            settings.address,
            timeout=settings.timeout,
            retries=1,
            tls=settings.tls,
            throttle=None,  # people repeat no call hundreds of times
        )
        sessions = Sessions(
            idle_seconds=settings.idle_seconds,
            session_seconds=settings.session_seconds,
            max_sessions=settings.max_sessions,
        )
        environment = create_environment(navigation=PAGES, address=settings.address)
        application.state.console = Console(
            settings, client, Thumbnails(client), sessions, environment
        )
        async with client:
            yield

    application = FastAPI(
        title="recsys console",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        max_body_size=settings.max_upload,
        dependencies=[Depends(check_form)],
        middleware=[
            Middleware(SecureResponses, secure=settings.secure),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.hosts)),
        ],
    )
    add_handlers(application)
    for page in PAGES:
        application.include_router(page.router)
    for router in ROUTERS:
        application.include_router(router)
    application.mount("/static", StaticFiles(STATIC))
    return application
