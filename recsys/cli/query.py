"""``recsys query``: candidates for one query, from a bundle in this process or from a service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.cli.output import print_json, print_table
from recsys.errors import InvalidRequestError

if TYPE_CHECKING:
    from recsys.bundle import Bundle

RUNS = Path("runs")


def query(
    bundles: Annotated[Path | None, typer.Option(help="A folder of published bundles.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="The TOML file of a run that published.")
    ] = None,
    address: Annotated[str | None, typer.Option(help="A running service, as HOST:PORT.")] = None,
    runs: Annotated[Path, typer.Option(help="The folder that runs are kept in.")] = RUNS,
    version: Annotated[str, typer.Option(help="The bundle to ask.")] = "current",
    user: Annotated[str | None, typer.Option(help="A user's id.")] = None,
    history: Annotated[
        str | None, typer.Option(help="Item ids, oldest first, separated by commas.")
    ] = None,
    terms: Annotated[str | None, typer.Option(help="Search terms.")] = None,
    item: Annotated[str | None, typer.Option(help="An item's id.")] = None,
    k: Annotated[int, typer.Option("--k", help="How many candidates are wanted.")] = 10,
    space: Annotated[str, typer.Option(help="two_tower, text or image.")] = "two_tower",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Ask for candidates: name a bundle (--bundles or --config) or a service (--address)."""
    if sum(place is not None for place in (bundles, config, address)) != 1:
        raise typer.BadParameter("name one of --bundles, --config and --address")
    items = None if history is None else tuple(part for part in history.split(",") if part)
    asked = {"user": user, "history": items, "terms": terms, "item": item, "space": space, "k": k}
    if address is not None:
        answer = _over_the_wire(address, asked)
        titles: dict[str, str] = {}
    else:
        from recsys.bundle import open_bundle

        bundle = open_bundle(_root(bundles, config, runs), version)
        answer = _in_process(bundle, asked)
        shown = [candidate["item_id"] for candidate in answer["candidates"]]
        titles = dict(zip(shown, _titles(bundle, shown)))
    if as_json:
        print_json(answer)
        return
    print_table(
        ["rank", "item", "score", "title"],
        [
            [str(c["rank"]), c["item_id"], f"{c['score']:.4f}", titles.get(c["item_id"], "")]
            for c in answer["candidates"]
        ],
    )
    if answer["short_reason"]:
        typer.echo(f"note: {answer['short_reason']}", err=True)
    if answer["unknown_history_ids"]:
        typer.echo(f"note: not in the catalogue: {answer['unknown_history_ids']}", err=True)


def _root(bundles: Path | None, config: Path | None, runs: Path) -> Path:
    if bundles is not None:
        return bundles
    if config is None:
        raise InvalidRequestError("name a folder of bundles or a configuration")
    from recsys.pipeline import open_job

    return open_job(config, runs=runs).bundles


def _in_process(bundle: Bundle, asked: dict[str, Any]) -> dict[str, Any]:
    from recsys.retrieval import Query

    found = bundle.retriever.retrieve(
        Query(
            user_id=asked["user"],
            history=asked["history"],
            terms=asked["terms"],
            item_id=asked["item"],
        ),
        k=asked["k"],
        space=asked["space"],
    )
    return {
        "bundle_version": bundle.version,
        "space": found.space,
        "candidates": [
            {"item_id": each.id, "score": float(each.score), "rank": each.rank}
            for each in found.candidates
        ],
        "unknown_history_ids": list(found.unknown_history),
        "short_reason": found.short,
    }


def _titles(bundle: Bundle, ids: list[str]) -> list[str]:
    titles = bundle.catalogue.titles()
    return [titles[row] for row in bundle.catalogue.ids.rows(ids)]


def _over_the_wire(address: str, asked: dict[str, Any]) -> dict[str, Any]:
    from recsys.cli.trial import ask
    from recsys.config import parse_config
    from recsys.pipeline import CallConfig

    return ask(address, parse_config(asked, CallConfig))
