"""The command ``recsys describe``: what a bundle or a service can answer."""

from __future__ import annotations

from dataclasses import asdict

import typer

from recsys.cli.output import AsJson, print_json, print_table
from recsys.cli.query import options
from recsys.cli.query.source import Source
from recsys.cli.runs import RUNS, RunsFolder
from recsys_client import Description


def describe(
    bundles: options.Bundles = None,
    config: options.ConfigFile = None,
    address: options.Address = None,
    runs: RunsFolder = RUNS,
    version: options.Version = "current",
    timeout: options.Timeout = 10.0,
    retries: options.Retries = 3,
    tls: options.Tls = None,
    token: options.Token = None,
    as_json: AsJson = False,
) -> None:
    """Show the spaces, columns and limits of a bundle (--bundles or --config) or a service."""
    with Source(
        bundles, config, address, runs, version, timeout, retries, tls, token
    ).calls() as calls:
        description = calls.describe()
    if as_json:
        print_json(asdict(description))
    else:
        _print(description)


def _print(description: Description) -> None:
    typer.echo(
        f"bundle {description.bundle_version}, watermark {description.watermark:,}: "
        f"{description.items:,} items, {description.users:,} users"
    )
    typer.echo()
    print_table(
        ["space", "dimensions", "items", "reads"],
        [
            [each.name, f"{each.dimensions:,}", f"{each.items:,}", ", ".join(each.reads)]
            for each in description.spaces
        ],
    )
    columns = [
        [each.name, each.type, f"{each.items:,}", ", ".join(each.examples)]
        for each in description.columns
    ]
    context = [[each.name, "context", "", ", ".join(each.examples)] for each in description.context]
    if columns or context:
        typer.echo()
        print_table(["column", "type", "items", "examples"], columns + context)
    if description.fixed_catalogue_reason:
        typer.echo()
        typer.echo(f"new items cannot be added: {description.fixed_catalogue_reason}")
