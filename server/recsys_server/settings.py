"""Settings of the service: from a file, from environment variables and from options.

An option takes precedence over the variable ``RECSYS_SERVE_NAME``, which takes precedence over the
key ``name`` of the TOML file, which takes precedence over the default.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from recsys.config import read_toml
from recsys.config_faults import explain, sections_in
from recsys.errors import ConfigError, suggestion
from recsys_client.response import UnknownUser
from recsys_server.auditing import Audit
from recsys_server.limits import Limits
from recsys_server.security.tls import Tls

PREFIX = "RECSYS_SERVE_"
NESTED = "__"
_PASSWORD = re.compile(r"(://[^/@:]*:).*@")
_PASSWORD_OPTION = re.compile(r"([?&]\w*password=)[^&]*", re.IGNORECASE)


class Settings(BaseSettings):
    """Settings of ``recsys serve``.

    Attributes:
        bundles: Folder of published bundles, as runs/NAME/bundles.
        version: Version of the bundle; "current" follows the current bundle of the folder, and its
            canary.
        store: Path or URL of the store that receives interactions and items; none by default.
        pictures: Folder or zip archive of the pictures of the bundle's items, by the names in the
            catalogue, from which thumbnails are made; none by default.
        unknown_user: Answer to a query of a user without any interaction: the error NOT_FOUND, the
            candidates for an empty history, or the items with the most interactions.
        host: Interface to listen on.
        port: Port to listen on; 0 takes a free one.
        port_file: File to write the port to.
        workers: Number of worker processes that share the port.
        threads: Number of retrievals that a worker runs at once; by default one per CPU.
        drain: Seconds between the report of NOT_SERVING and the end of listening.
        grace: Seconds for requests in flight when it stops.
        tls: Certificates; calls are not encrypted without them.
        tokens: File of tokens, of which each call needs one; none by default.
        insecure: Whether callers beyond this machine may call without encryption or without a
            token or client certificate.
        metrics_host: Interface of the pages /metrics, /live and /ready.
        metrics_port: Port of these pages; 0 takes a free one, none has no such pages.
        audit: Audit of the recall of live searches; off by default.
        slow: Seconds from which an answered call has a line in the log; none by default.
        channelz: Whether gRPC's own statistics of connections and calls are served.
        traces: Destination of OpenTelemetry's traces: nowhere, stderr, or an OTLP collector.
        log: Form of the log on stderr.
        limits: Largest request that is answered.

    Example:
        >>> load_settings({"bundles": Path("bundles"), "workers": 2}).workers
        2
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=NESTED, extra="forbid", frozen=True
    )

    bundles: Path
    version: str = "current"
    store: str | None = None
    pictures: Path | None = None
    unknown_user: UnknownUser = "error"
    host: str = "127.0.0.1"
    port: int = Field(50051, ge=0, le=65535)
    port_file: Path | None = None
    workers: int = Field(1, ge=1, le=256)
    threads: int | None = Field(None, ge=1)
    drain: float = Field(0.0, ge=0, allow_inf_nan=False)
    grace: float = Field(10.0, ge=0, allow_inf_nan=False)
    tls: Tls = Tls()
    tokens: Path | None = None
    insecure: bool = False
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(None, ge=0, le=65535)
    audit: Audit = Audit()
    slow: float | None = Field(None, gt=0, allow_inf_nan=False)
    channelz: bool = False
    traces: Literal["none", "console", "otlp"] = "none"
    log: Literal["text", "json"] = "text"
    limits: Limits = Limits()

    def shown(self) -> dict[str, Any]:
        """Values to print, as JSON; secrets are hidden."""
        shown = self.model_dump(mode="json", exclude_none=True)
        if self.store is not None:
            shown["store"] = _PASSWORD_OPTION.sub(r"\1***", _PASSWORD.sub(r"\1***@", self.store))
        return shown


def load_settings(options: Mapping[str, Any], *, file: Path | None = None) -> Settings:
    """Settings from options, environment variables and a file.

    Args:
        options: Values by key; None stands for an option that is not given.
        file: TOML file; its relative paths are relative to its folder.

    Raises:
        ConfigError: The file cannot be read, or a value or key is not valid.
    """
    given = {name: value for name, value in options.items() if value is not None}
    stored = {} if file is None else _with_paths(read_toml(file), file.parent, Settings)
    _check_variables()

    class _Sources(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, stored)

    try:
        values = dict(_Sources(**given))
    except ValidationError as error:
        message, field = explain(error.errors(), {**stored, **given}, Settings)
        where = "" if file is None else f" (file {file})"
        raise ConfigError(f"settings of the service{where}: {message}", field=field) from None
    return Settings.model_construct(**values)


def _with_paths(values: dict[str, Any], folder: Path, kind: type[BaseModel]) -> dict[str, Any]:
    """Values of a file, with its relative paths below the folder of the file."""
    found = dict(values)
    for name, field in kind.model_fields.items():
        value, nested = values.get(name), sections_in(field.annotation)
        if isinstance(value, str) and "Path" in str(field.annotation):
            found[name] = folder / value
        elif isinstance(value, dict) and nested:
            found[name] = _with_paths(value, folder, nested[0])
    return found


def _check_variables() -> None:
    """Refuse a variable with the prefix that names no setting: it would have no effect."""
    known = list(Settings.model_fields)
    for variable in sorted(os.environ):
        name = variable.removeprefix(PREFIX).partition(NESTED)[0].lower()
        if variable.startswith(PREFIX) and name not in known:
            raise ConfigError(
                f"the environment variable {variable} names no setting{suggestion(name, known)}",
                field=name,
            )
