"""``recsys.v1.OperationsService``: the state of the service, and its tokens."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from functools import partial
from typing import Any

from recsys.errors import ConfigError, InvalidRequestError, NotFoundError, PermissionDeniedError
from recsys_client.pb.recsys.v1 import operations_pb2 as pb
from recsys_client.pb.recsys.v1.operations_pb2_grpc import (
    OperationsServiceServicer,
    add_OperationsServiceServicer_to_server,
)
from recsys_server.messages import ParsedMessages
from recsys_server.operations.messages import status_message
from recsys_server.operations.overview import ServiceState
from recsys_server.operations.record import SLOW_REQUESTS
from recsys_server.operations.series import MINUTES
from recsys_server.security.access import Access
from recsys_server.security.tokens import Token, create_token, read_tokens, revoke_token
from recsys_server.services.blocking import BlockingCalls

SERVICE_NAME: str = pb.DESCRIPTOR.services_by_name["OperationsService"].full_name
_SOURCES = {
    "default": pb.SETTING_SOURCE_DEFAULT,
    "file": pb.SETTING_SOURCE_FILE,
    "environment": pb.SETTING_SOURCE_ENVIRONMENT,
    "option": pb.SETTING_SOURCE_OPTION,
}
_log = logging.getLogger(__name__)


class OperationsService(OperationsServiceServicer):
    """Shows the state of the whole service, and changes its file of tokens.

    Args:
        state: State of the service.
        access: Tokens of the service, or None.
        calls: Threads in which calls run.
    """

    def __init__(self, state: ServiceState, access: Access | None, calls: BlockingCalls) -> None:
        self._state = state
        self._access = access
        self._calls = calls

    def add_to(self, server: Any) -> None:
        """Register the calls."""
        parsed: Any = ParsedMessages(server)
        add_OperationsServiceServicer_to_server(self, parsed)

    async def GetStatus(  # noqa: D102 - documented in the proto
        self, request: pb.GetStatusRequest, context: Any
    ) -> pb.GetStatusResponse:
        state = await self._state.overview.ask("status")
        response = status_message(state, self._state.backend)
        own = None if self._access is None else self._access.caller(context.invocation_metadata())
        if own is not None:
            response.caller.CopyFrom(_message(own, own))
        return response

    async def GetTimeSeries(  # noqa: D102
        self, request: pb.GetTimeSeriesRequest, context: Any
    ) -> pb.GetTimeSeriesResponse:
        most = _checked(request.minutes or 60, MINUTES, "minutes")
        state = await self._state.overview.ask("minutes", _rounded(most, MINUTES))
        return pb.GetTimeSeriesResponse(minutes=state["minutes"][-most:])

    async def ListSlowRequests(  # noqa: D102
        self, request: pb.ListSlowRequestsRequest, context: Any
    ) -> pb.ListSlowRequestsResponse:
        most = _checked(request.limit or 100, SLOW_REQUESTS, "limit")
        state = await self._state.overview.ask("slow", _rounded(most, SLOW_REQUESTS))
        return pb.ListSlowRequestsResponse(
            threshold_seconds=self._state.threshold,
            requests=[pb.SlowRequest(**each) for each in state["requests"][:most]],
        )

    async def GetConfiguration(  # noqa: D102
        self, request: pb.GetConfigurationRequest, context: Any
    ) -> pb.GetConfigurationResponse:
        return pb.GetConfigurationResponse(
            settings=[
                pb.Setting(
                    name=each.name,
                    value=each.value,
                    source=_SOURCES[each.source],
                    variable=each.variable,
                )
                for each in self._state.settings
            ]
        )

    async def ListTokens(  # noqa: D102
        self, request: pb.ListTokensRequest, context: Any
    ) -> pb.ListTokensResponse:
        access = self._tokens()
        found = await self._calls.run(context, partial(read_tokens, access.path))
        own = access.caller(context.invocation_metadata())
        return pb.ListTokensResponse(tokens=[_message(each, own) for each in found])

    async def CreateToken(  # noqa: D102
        self, request: pb.CreateTokenRequest, context: Any
    ) -> pb.CreateTokenResponse:
        access = self._tokens()
        own = access.caller(context.invocation_metadata())
        _check_grant(request, own)
        expires = None
        if request.expires_at:
            expires = _expiry(request.expires_at)

        def work() -> pb.CreateTokenResponse:
            secret = create_token(
                access.path,
                request.name,
                scopes=tuple(dict.fromkeys(request.scopes)),
                expires=expires,
                rate=request.rate or None,
            )
            return pb.CreateTokenResponse(
                token=_message(_named(access, request.name), own), secret=secret
            )

        response = await self._calls.run(context, work)
        _log.info("token %s was created by %s", request.name, own.name if own else "a caller")
        return response

    async def RevokeToken(  # noqa: D102
        self, request: pb.RevokeTokenRequest, context: Any
    ) -> pb.RevokeTokenResponse:
        access = self._tokens()
        own = access.caller(context.invocation_metadata())
        if own is not None and own.name == request.name:
            raise InvalidRequestError(
                f"{request.name} is the token of this call; revoke it with another one, or with"
                " 'recsys token revoke'",
                field="name",
            )

        def work() -> pb.RevokeTokenResponse:
            token = _named(access, request.name)
            revoke_token(access.path, request.name)
            return pb.RevokeTokenResponse(token=_message(token, own))

        response = await self._calls.run(context, work)
        _log.info("token %s was revoked by %s", request.name, own.name if own else "a caller")
        return response

    def _tokens(self) -> Access:
        if self._access is None:
            raise ConfigError(
                "the service runs without tokens; start it with --tokens FILE", field="tokens"
            )
        return self._access


def _checked(value: int, most: int, field: str) -> int:
    if not 1 <= value <= most:
        raise InvalidRequestError(f"{field} must be from 1 to {most:,}; got {value:,}", field=field)
    return value


def _rounded(number: int, most: int) -> int:
    """One of few numbers, at least the given one, so that calls share an answer."""
    return next(each for each in (most // 20, most // 6, most) if each >= number)


def _expiry(seconds: int) -> datetime:
    try:
        found = datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        raise InvalidRequestError(
            f"expires_at is a time in seconds since 1970; got {seconds}", field="expires_at"
        ) from None
    if found <= datetime.now(timezone.utc):
        raise InvalidRequestError(
            f"expires_at must be in the future; got {found:%Y-%m-%d %H:%M} UTC", field="expires_at"
        )
    return found


def _check_grant(request: pb.CreateTokenRequest, own: Token | None) -> None:
    """Refuse scopes that the token of the call lacks, unless it may do everything."""
    held = () if own is None else own.scopes
    if "admin" in held:
        return
    lacking = [
        scope
        for scope in request.scopes
        if scope not in held and scope.partition(":")[2] not in held
    ]
    if lacking:
        raise PermissionDeniedError(
            f"the token of this call lacks the scope {lacking[0]!r:.80}, which it cannot give then",
            field="scopes",
        )


def _named(access: Access, name: str) -> Token:
    for token in read_tokens(access.path):
        if token.name == name:
            return token
    raise NotFoundError(f"no token {name!r:.80}", field="name")


def _message(token: Token, own: Token | None) -> pb.Token:
    return pb.Token(
        name=token.name,
        scopes=token.scopes,
        created_at=int(token.created.timestamp()),
        expires_at=0 if token.expires is None else int(token.expires.timestamp()),
        rate=token.rate or "",
        expired=token.has_expired(datetime.now(timezone.utc)),
        current=own is not None and own.sha256 == token.sha256,
    )
