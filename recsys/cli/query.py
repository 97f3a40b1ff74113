"""``recsys query``: candidates for one query, from a bundle in this process or from a service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsys.cli.output import AsJson, print_json, print_table

if TYPE_CHECKING:
    from recsys.retrieval import Request, Response

RUNS = Path("runs")
_History = Annotated[str | None, typer.Option(help="Item ids, oldest first, separated by commas.")]
_HistoryTimes = Annotated[
    str | None,
    typer.Option(help="Times of the history in seconds since 1970, separated by commas."),
]
_Picture = Annotated[
    Path | None, typer.Option(help="A picture's file.", exists=True, dir_okay=False)
]
_Context = Annotated[
    list[str] | None, typer.Option(help="A context column, as COLUMN=VALUE; repeatable.")
]
_SpaceNames = Annotated[
    str, typer.Option(help="two_tower, text or image; or several, such as text+image.")
]
_Exclude = Annotated[
    str, typer.Option(help="Item ids that must not be candidates, separated by commas.")
]
_SeenPolicy = Annotated[str, typer.Option(help="Items of the history: exclude or include.")]
_UnknownPolicy = Annotated[str, typer.Option(help="Unknown ids in the history: skip or raise.")]
_FusionForm = Annotated[
    str | None, typer.Option(help="Fusion of several spaces: rrf (default) or sum.")
]
_Weights = Annotated[
    list[str] | None, typer.Option(help="The weight of a space, as SPACE=NUMBER; repeatable.")
]
_Titles = Annotated[bool, typer.Option("--titles/--no-titles", help="Titles of the candidates.")]
_Sheet = Annotated[
    Path | None, typer.Option(help="Also draw query and candidates into this PNG; needs --config.")
]


def query(
    bundles: Annotated[Path | None, typer.Option(help="A folder of published bundles.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="The TOML file of a run that published.")
    ] = None,
    address: Annotated[str | None, typer.Option(help="A running service, as HOST:PORT.")] = None,
    runs: Annotated[Path, typer.Option(help="The folder of runs.")] = RUNS,
    version: Annotated[str, typer.Option(help="The version of the bundle.")] = "current",
    timeout: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for the service's answer.")
    ] = 10.0,
    user: Annotated[str | None, typer.Option(help="A user's id.")] = None,
    history: _History = None,
    history_times: _HistoryTimes = None,
    terms: Annotated[str | None, typer.Option(help="Search terms.")] = None,
    item: Annotated[str | None, typer.Option(help="An item's id.")] = None,
    image: _Picture = None,
    context: _Context = None,
    k: Annotated[int, typer.Option("--k", help="The number of candidates.")] = 10,
    space: _SpaceNames = "two_tower",
    exclude: _Exclude = "",
    seen: _SeenPolicy = "exclude",
    unknown_history: _UnknownPolicy = "skip",
    fusion: _FusionForm = None,
    weight: _Weights = None,
    titles: _Titles = True,
    sheet: _Sheet = None,
    as_json: AsJson = False,
) -> None:
    """Find candidates in a bundle (--bundles or --config) or with a service (--address)."""
    if sum(source is not None for source in (bundles, config, address)) != 1:
        raise typer.BadParameter("name one of --bundles, --config and --address")
    if sheet is not None and (config is None or sheet.suffix.lower() != ".png"):
        raise typer.BadParameter(
            "--sheet takes a file that ends in .png, and --config, which names the pictures"
        )
    from recsys.retrieval import Request, response_to_json
    from recsys.retrieval.fusion import fusion_from

    request = Request.of(
        user_id=user,
        history=None if history is None else _ids(history),
        history_times=None if history_times is None else _times(history_times),
        terms=terms,
        item_id=item,
        image=None if image is None else image.read_bytes(),
        context=_context(context or []),
        k=k,
        space=space,
        exclude=_ids(exclude),
        seen=seen,  # type: ignore[arg-type]  # the retriever refuses other values
        unknown_history=unknown_history,  # type: ignore[arg-type]
        fusion=fusion_from(fusion, weight or ()),
        titles=titles,
    )
    if address is not None:
        from recsys_client import RecsysClient

        with RecsysClient(address, timeout=timeout) as client:
            response = client.respond(request)
    else:
        response = _answer_by_bundle(bundles, config, runs, version, request, sheet)
    if as_json:
        print_json(response_to_json(response))
        return
    _print_table(response)
    for note in _notes(response):
        typer.echo(f"note: {note}", err=True)


def _answer_by_bundle(
    bundles: Path | None,
    config: Path | None,
    runs: Path,
    version: str,
    request: Request,
    sheet: Path | None,
) -> Response:
    from recsys.bundle import open_bundle
    from recsys.pipeline import open_job

    job = None if config is None else open_job(config, runs=runs)
    bundle = open_bundle(bundles if job is None else job.bundles, version)  # type: ignore[arg-type]
    response = bundle.retriever.respond(request)
    if sheet is not None and job is not None:
        from recsys.cli.query_sheets import write_query_sheet

        write_query_sheet(sheet, request, response, bundle, job)
    return response


def _ids(text: str) -> list[str]:
    """Ids separated by commas."""
    return [part for part in text.split(",") if part]


def _times(text: str) -> list[int]:
    """Whole seconds separated by commas."""
    try:
        return [int(part) for part in _ids(text)]
    except ValueError:
        raise typer.BadParameter(f"--history-times takes whole seconds; got {text!r:.80}") from None


def _context(texts: list[str]) -> dict[str, str]:
    """Context columns given as COLUMN=VALUE."""
    pairs = dict(text.partition("=")[::2] for text in texts)
    if len(pairs) < len(texts) or not all(name and value for name, value in pairs.items()):
        raise typer.BadParameter(f"--context takes COLUMN=VALUE, once per column; got {texts}")
    return pairs


def _print_table(response: Response) -> None:
    parts = sorted({name for each in response.candidates for name in each.parts})
    print_table(
        ["rank", "item", "score", *parts, "title"],
        [
            [
                str(each.rank),
                each.id,
                f"{each.score:.4f}",
                *(f"{each.parts[name]:.4f}" if name in each.parts else "" for name in parts),
                each.title or "",
            ]
            for each in response.candidates
        ],
    )


def _notes(response: Response) -> Iterator[str]:
    if response.short:
        yield response.short
    if response.unknown_history:
        yield f"unknown ids in the history were skipped: {', '.join(response.unknown_history)}"
    if response.unknown_exclude:
        yield f"unknown ids to exclude had no effect: {', '.join(response.unknown_exclude)}"
    if response.unread_terms:
        yield f"the text encoder knows no word of {response.unread_terms!r}"
