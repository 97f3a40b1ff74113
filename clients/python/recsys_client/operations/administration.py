"""Operations of ``recsys.v1.OperationsService`` about settings and tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recsys_client.operations.operation import Operation, made
from recsys_client.operations.service import SERVICE, read_token
from recsys_client.pb.recsys.v1 import operations_pb2 as pb
from recsys_client.records.administration import (
    CreatedToken,
    Setting,
    SettingSource,
    TokenRecord,
)

_SOURCES: Mapping[int, SettingSource] = {
    pb.SETTING_SOURCE_DEFAULT: "default",
    pb.SETTING_SOURCE_FILE: "file",
    pb.SETTING_SOURCE_ENVIRONMENT: "environment",
    pb.SETTING_SOURCE_OPTION: "option",
}


def configuration() -> Operation[list[Setting]]:
    """The settings of the service."""
    return Operation(
        SERVICE + "GetConfiguration",
        pb.GetConfigurationRequest(),
        pb.GetConfigurationResponse,
        lambda message: [
            Setting(each.name, each.value, _SOURCES.get(each.source, "unknown"), each.variable)
            for each in message.settings
        ],
    )


def tokens() -> Operation[list[TokenRecord]]:
    """The tokens of the service."""
    return Operation(
        SERVICE + "ListTokens",
        pb.ListTokensRequest(),
        pb.ListTokensResponse,
        lambda message: list(map(read_token, message.tokens)),
    )


def create_token(
    name: str, scopes: Sequence[str], expires_at: int | None, rate: str
) -> Operation[CreatedToken]:
    """Add a token."""
    message = made(
        lambda: pb.CreateTokenRequest(name=name, scopes=scopes, expires_at=expires_at, rate=rate)
    )
    return Operation(
        SERVICE + "CreateToken",
        message,
        pb.CreateTokenResponse,
        lambda response: CreatedToken(read_token(response.token), response.secret),
    )


def revoke_token(name: str) -> Operation[TokenRecord]:
    """Remove a token."""
    message = made(lambda: pb.RevokeTokenRequest(name=name))
    return Operation(
        SERVICE + "RevokeToken",
        message,
        pb.RevokeTokenResponse,
        lambda response: read_token(response.token),
    )
