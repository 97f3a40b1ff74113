"""The command ``recsys feed``: the ordered, varied list that a person sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from recsys.cli.output import AsJson, print_json, print_table
from recsys.cli.query import options
from recsys.cli.query.source import Source
from recsys.cli.runs import RUNS, RunsFolder
from recsys.errors import InvalidRequestError
from recsys_client.feed import FeedRequest, FeedResponse

PipelineName = Annotated[
    str, typer.Option(help="Name of the pipeline; by default that of the user's share.")
]
Size = Annotated[int, typer.Option("--k", help="Number of items.")]
Values = Annotated[
    list[str] | None,
    typer.Option(help="Value of a column whose items the user wants, COLUMN=VALUE; repeatable."),
]
BlockedValues = Annotated[
    list[str] | None,
    typer.Option(help="Value of a column whose items are left out, COLUMN=VALUE; repeatable."),
]
Given = Annotated[
    str, typer.Option(help="Item ids of another system that are ranked, separated by commas.")
]
PinnedIds = Annotated[
    str, typer.Option(help="Item ids for the pinned positions, separated by commas.")
]
PromotedIds = Annotated[
    str, typer.Option(help="Item ids for the promoted positions, separated by commas.")
]
Now = Annotated[
    int | None, typer.Option(help="Time of the request in seconds since 1970; the clock if absent.")
]
Seed = Annotated[int | None, typer.Option(help="Seed of explored positions.")]
ExplainFeed = Annotated[
    bool,
    typer.Option("--explain/--no-explain", help="Also print the stages, and the way of each item."),
]
ExplainIds = Annotated[
    str, typer.Option(help="Item ids whose absence is explained, separated by commas.")
]


def feed(
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
    context: options.Context = None,
    k: Size = 20,
    pipeline: PipelineName = "",
    exclude: options.Exclude = "",
    seen: options.SeenPolicy = "exclude",
    filter_text: options.FilterText = None,
    follow: Values = None,
    block: BlockedValues = None,
    candidates: Given = "",
    pin: PinnedIds = "",
    promote: PromotedIds = "",
    now: Now = None,
    seed: Seed = None,
    titles: options.Titles = True,
    explain: ExplainFeed = False,
    explain_ids: ExplainIds = "",
    as_json: AsJson = False,
) -> None:
    """Rank the feed of a user, a history, search terms or an unknown visitor.

    The pipeline is that of the bundle (--bundles or --config) or of the service (--address). A
    bundle without pipelines has the default one.
    """
    source = Source(bundles, config, address, runs, version, timeout, retries, tls, token)
    request = FeedRequest(
        options.query_from(user, history, history_times, terms, context),
        k=k,
        pipeline=pipeline,
        exclude=options.ids_from(exclude),
        seen=seen,  # type: ignore[arg-type]  # checked with the request
        filter=filter_text,
        blocked=values_from(block or (), option="--block"),
        followed=values_from(follow or (), option="--follow"),
        candidates=options.ids_from(candidates),
        pinned=options.ids_from(pin),
        promoted=options.ids_from(promote),
        now=now,
        seed=seed,
        titles=titles,
        explain=explain,
        explain_ids=options.ids_from(explain_ids),
    )
    request.check()
    response = _rank(request, source)
    if as_json:
        print_json(asdict(response))
        return
    _print_items(response)
    if response.explanation is not None:
        _print_explanation(response)
    for note in response.notes:
        typer.echo(f"note: {note}", err=True)


def _rank(request: FeedRequest, source: Source) -> FeedResponse:
    if source.address is None:
        feeds = source.bundle.feed
        feeds.warm_up()
        return feeds.rank(request)
    from recsys_client import RecsysClient

    with source.calls() as client:
        assert isinstance(client, RecsysClient)
        return client.rank_feed(request)


def values_from(texts: Sequence[str], *, option: str) -> dict[str, list[str]]:
    """Values given as COLUMN=VALUE, by column.

    Raises:
        InvalidRequestError: A text has another form.

    Example:
        >>> values_from(["brand=acme", "brand=bolt"], option="--follow")
        {'brand': ['acme', 'bolt']}
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        column, _, value = text.partition("=")
        if not column or not value:
            raise InvalidRequestError(
                f"{option} takes COLUMN=VALUE, such as brand=acme; got {text!r:.80}",
                field=option.removeprefix("--"),
            )
        found.setdefault(column, []).append(value)
    return found


def _print_items(response: FeedResponse) -> None:
    explored = any(item.propensity < 1 for item in response.items)
    print_table(
        [
            *("position", "item", "score", "slot"),
            *(["propensity"] if explored else []),
            *("sources", "title"),
        ],
        [
            [
                *(str(item.position), item.id, f"{item.score:.4f}", item.slot),
                *([f"{item.propensity:.4f}"] if explored else []),
                *(", ".join(item.sources), item.title or ""),
            ]
            for item in response.items
        ],
    )


def _print_explanation(response: FeedResponse) -> None:
    explanation = response.explanation
    assert explanation is not None
    print_table(
        ["stage", "role", "status", "before", "after", "ms", "message"],
        [
            [
                *(each.stage, each.role, each.status, f"{each.given:,}", f"{each.returned:,}"),
                *(f"{each.seconds * 1000:.2f}", each.message),
            ]
            for each in response.stages
        ],
        title=f"pipeline {response.pipeline}, version {response.pipeline_version}",
    )
    print_table(
        [
            *("item", "ranks of the sources", "ranks after the stages"),
            *("contributions to the score", "most similar in the history"),
        ],
        [
            [
                item.id,
                ", ".join(f"{each.source} {each.rank}" for each in item.sources),
                ", ".join(f"{each.stage} {each.rank}" for each in item.stages),
                ", ".join(
                    f"{each.feature} {each.contribution:+.3f}" for each in item.contributions
                ),
                ", ".join(f"{each.id} ({each.space})" for each in item.similar[:1]),
            ]
            for item in explanation.items
        ],
    )
    if explanation.absent:
        print_table(
            ["item", "lost at", "reason"],
            [[each.id, each.stage, each.reason] for each in explanation.absent],
        )
