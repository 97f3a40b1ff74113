"""``recsys token``: create, revoke and list the tokens of a service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Create, revoke and list the tokens of a service.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
File = Annotated[Path, typer.Argument(metavar="FILE", help="File of tokens.")]


@app.command()
def create(
    file: File,
    name: Annotated[str, typer.Option(help="Name of the token, as it is in logs.")],
    scope: Annotated[
        list[str],
        typer.Option(help="read, write, admin, or of one service as catalog:write; repeatable."),
    ],
    days: Annotated[
        int | None, typer.Option(min=1, help="Days until it expires; by default never.")
    ] = None,
    rate: Annotated[str | None, typer.Option(help="Calls per time, as 100/second.")] = None,
) -> None:
    """Add a token to a file, which is made if there is none, and print the token once.

    Running services read the file again within a second.
    """
    from datetime import datetime, timedelta, timezone

    from recsys_server.security.tokens import create_token

    now = datetime.now(timezone.utc).replace(microsecond=0)
    expires = None if days is None else now + timedelta(days=days)
    typer.echo(create_token(file, name, scopes=tuple(scope), expires=expires, rate=rate))


@app.command()
def revoke(file: File, name: Annotated[str, typer.Option(help="Name of the token.")]) -> None:
    """Remove a token from a file; running services refuse it within a second."""
    from recsys_server.security.tokens import revoke_token

    revoke_token(file, name)
    typer.echo(f"revoked {name}")


@app.command("list")
def list_(file: File) -> None:
    """List the tokens of a file, one per line: name, scopes, expiry and rate."""
    from datetime import datetime, timezone

    from recsys_server.security.tokens import read_tokens

    for token in read_tokens(file):
        expiry = "never expires" if token.expires is None else f"expires {token.expires:%Y-%m-%d}"
        if token.has_expired(datetime.now(timezone.utc)):
            expiry = f"expired {token.expires:%Y-%m-%d}"
        typer.echo(
            "  ".join([token.name, ",".join(token.scopes), expiry, token.rate or "no limit"])
        )
