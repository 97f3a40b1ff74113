"""The command ``recsys query``, answered by a bundle in this process or by a service."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import typer

from recsys.cli.output import AsJson, print_json, print_json_line, print_table
from recsys.cli.query import options
from recsys.cli.query.source import Source
from recsys.cli.runs import RUNS, RunsFolder
from recsys.screen import Screen
from recsys_client import Explanation, Query, Request, Response


def query(
    bundles: options.Bundles = None,
    config: options.ConfigFile = None,
    address: options.Address = None,
    runs: RunsFolder = RUNS,
    version: options.Version = "current",
    timeout: options.Timeout = 10.0,
    retries: options.Retries = 3,
    tls: options.Tls = None,
    token: options.Token = None,
    user: options.User = None,
    history: options.History = None,
    history_times: options.HistoryTimes = None,
    terms: options.Terms = None,
    item: options.Item = None,
    items: options.Items = None,
    vector: options.Vector = None,
    image: options.Picture = None,
    context: options.Context = None,
    k: options.NumberOfCandidates = 10,
    space: options.SpaceNames = "two_tower",
    exclude: options.Exclude = "",
    seen: options.SeenPolicy = "exclude",
    unknown_history: options.UnknownPolicy = "skip",
    fusion: options.FusionForm = None,
    weight: options.Weights = None,
    constant: options.Constant = None,
    depth: options.Depth = None,
    titles: options.Titles = True,
    filter_text: options.FilterText = None,
    at_most: options.AtMost = None,
    effort: options.Effort = 1.0,
    explain: options.Explain = False,
    requests: options.Requests = None,
    sheet: options.Sheet = None,
    as_json: AsJson = False,
) -> None:
    """Find candidates in a bundle (--bundles or --config) or with a service (--address).

    With --requests, the other options of a request are the defaults of the fields that a line
    leaves out. A line that cannot be answered gives an object with its number and "error", and the
    exit code is 1.
    """
    source = Source(bundles, config, address, runs, version, timeout, retries, tls, token)
    request = Request(
        replace(
            options.query_from(user, history, history_times, terms, context),
            item_id=item,
            image=None if image is None else image.read_bytes(),
            item_ids=None if items is None else options.ids_from(items),
            vector=None if vector is None else options.vector_from(vector),
        ),
        k=k,
        space=space,
        exclude=options.ids_from(exclude),
        seen=seen,  # type: ignore[arg-type]  # checked with the request
        unknown_history=unknown_history,  # type: ignore[arg-type]
        fusion=options.fusion_from(fusion, weight or (), constant=constant, depth=depth),
        titles=titles,
        filter=filter_text,
        crowding=options.crowding_from(at_most or ()),
        effort=effort,
        explain=explain,
    )
    if requests is not None:
        _answer_file(requests, request, source, sheet)
    else:
        _answer_one(request, source, sheet, as_json)


def _answer_one(request: Request, source: Source, sheet: Path | None, as_json: bool) -> None:
    if sheet is not None and (source.config is None or sheet.suffix.lower() != ".png"):
        raise typer.BadParameter(
            "--sheet takes a file that ends in .png, and --config, which names the pictures"
        )
    from recsys.retrieval import response_to_json

    with source.calls() as calls:
        response = calls.respond(request)
    if sheet is not None and source.job is not None:
        from recsys.cli.query.sheets import write_query_sheet

        write_query_sheet(sheet, request, response, source.bundle, source.job)
    if as_json:
        print_json(response_to_json(response))
        return
    _print_table(response)
    if response.explanation is not None:
        typer.echo()
        _print_explanation(response.explanation)
    for note in response.notes:
        typer.echo(f"note: {note}", err=True)


def _answer_file(path: Path, defaults: Request, source: Source, sheet: Path | None) -> None:
    """Print one line of JSON per request of the file; exit with 1 if one has no response."""
    if defaults.query != Query() or sheet is not None:
        raise typer.BadParameter(
            "--requests names the queries; leave out --sheet and the options of a query, such as "
            "--user"
        )
    from recsys.cli.query.lines import BATCH, answer_lines
    from recsys.retrieval import request_to_json

    interactive = str(path) == "-"
    count = failed = 0
    with ExitStack() as stack:
        lines = sys.stdin.buffer if interactive else stack.enter_context(path.open("rb"))
        # On a terminal the answers themselves show the progress.
        total = 0 if interactive or sys.stdout.isatty() else _count_lines(path)
        screen = stack.enter_context(Screen())
        calls = stack.enter_context(source.calls())
        # Each line of stdin is answered before the next one is read.
        for answer in answer_lines(
            calls, lines, request_to_json(defaults), batch=1 if interactive else BATCH
        ):
            count += 1
            failed += "error" in answer
            print_json_line(answer)
            if total > BATCH:
                screen("requests", count, total)
    if failed:
        typer.echo(f"error: {failed:,} of {count:,} requests have no response", err=True)
        raise typer.Exit(1)


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


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


def _print_explanation(explanation: Explanation) -> None:
    print_table(
        ["space", "plan", "eligible", "leaves", "depth", "read", "expected recall", "rounds"],
        [
            [
                each.space,
                each.plan,
                *(f"{number:,}" for number in (each.eligible, each.leaves, each.depth, each.read)),
                "" if each.expected_recall is None else f"{each.expected_recall:.3f}",
                str(each.rounds),
            ]
            for each in explanation.spaces
        ],
    )
    if explanation.filter is not None:
        typer.echo(f"filter: {explanation.filter}")
