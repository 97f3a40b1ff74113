"""``recsys query``: candidates for one query, from a bundle in this process or from a service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.cli.output import print_json, print_table

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
    image: Annotated[
        Path | None, typer.Option(help="A picture's file.", exists=True, dir_okay=False)
    ] = None,
    k: Annotated[int, typer.Option("--k", help="How many candidates are wanted.")] = 10,
    space: Annotated[
        str, typer.Option(help="two_tower, text or image; or several, such as text+image.")
    ] = "two_tower",
    fusion: Annotated[
        str | None, typer.Option(help="How several spaces become one: rrf (default) or sum.")
    ] = None,
    weight: Annotated[
        list[str] | None, typer.Option(help="What a space counts, as SPACE=NUMBER; repeatable.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Also draw query and candidates into this PNG; needs --config."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Ask for candidates: name a bundle (--bundles or --config) or a service (--address)."""
    if sum(place is not None for place in (bundles, config, address)) != 1:
        raise typer.BadParameter("name one of --bundles, --config and --address")
    if sheet is not None and (config is None or sheet.suffix.lower() != ".png"):
        raise typer.BadParameter(
            "--sheet takes a file that ends in .png, and --config, which names the pictures"
        )
    asked = Asked(user, history, terms, item, image, k, space, fusion, tuple(weight or ()))
    titles: dict[str, str] = {}
    if address is not None:
        from recsys.cli.trial import call_service

        answer = call_service(address, asked.options())
    else:
        from recsys.bundle import open_bundle
        from recsys.pipeline import open_job

        job = None if config is None else open_job(config, runs=runs)
        bundle = open_bundle(bundles if job is None else job.bundles, version)  # type: ignore[arg-type]
        answer = _in_process(bundle, asked)
        shown = [candidate["item_id"] for candidate in answer["candidates"]]
        titles = dict(zip(shown, _titles(bundle, shown)))
        if sheet is not None and job is not None:
            from recsys.cli.query_sheets import write_query_sheet

            write_query_sheet(sheet, asked, answer, bundle, job)
    if as_json:
        print_json(answer)
    else:
        _show(answer, titles)


@dataclass(frozen=True)
class Asked:
    """What the command line asks; each attribute is the option of that name."""

    user: str | None
    history: str | None
    terms: str | None
    item: str | None
    image: Path | None
    k: int
    space: str
    fusion: str | None
    weight: tuple[str, ...]

    def item_ids(self) -> list[str] | None:
        """The history's ids."""
        return None if self.history is None else [id for id in self.history.split(",") if id]

    def options(self) -> list[str]:
        """The same for the client program of the service."""
        given = {name: value for name, value in vars(self).items() if name != "weight"}
        options = [f"--{name}={value}" for name, value in given.items() if value is not None]
        return options + [f"--weight={text}" for text in self.weight]


def _show(answer: dict[str, Any], titles: dict[str, str]) -> None:
    candidates = answer["candidates"]
    parts = sorted({name for each in candidates for name in each.get("parts", {})})
    print_table(
        ["rank", "item", "score", *parts, "title"],
        [
            [
                str(each["rank"]),
                each["item_id"],
                f"{each['score']:.4f}",
                *(_number(each["parts"].get(name)) for name in parts),
                titles.get(each["item_id"], ""),
            ]
            for each in candidates
        ],
    )
    if answer["short_reason"]:
        typer.echo(f"note: {answer['short_reason']}", err=True)
    if answer["unknown_history_ids"]:
        typer.echo(f"note: not in the catalogue: {answer['unknown_history_ids']}", err=True)


def _number(score: float | None) -> str:
    return "" if score is None else f"{score:.4f}"


def _in_process(bundle: Bundle, asked: Asked) -> dict[str, Any]:
    from recsys.retrieval import Query
    from recsys.retrieval.fusion import fusion_from

    found = bundle.retriever.retrieve(
        Query(
            user_id=asked.user,
            history=asked.item_ids(),
            terms=asked.terms,
            item_id=asked.item,
            image=None if asked.image is None else asked.image.read_bytes(),
        ),
        k=asked.k,
        space=asked.space,
        fusion=fusion_from(asked.fusion, asked.weight),
    )
    return {
        "bundle_version": bundle.version,
        "space": found.space,
        "candidates": [
            {
                "item_id": each.id,
                "score": float(each.score),
                "rank": each.rank,
                **({"parts": dict(each.parts)} if each.parts else {}),
            }
            for each in found.candidates
        ],
        "unknown_history_ids": list(found.unknown_history),
        "short_reason": found.short,
    }


def _titles(bundle: Bundle, ids: list[str]) -> list[str]:
    titles = bundle.catalogue.titles()
    return [titles[row] for row in bundle.catalogue.ids.rows(ids)]
