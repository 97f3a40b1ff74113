"""The options of ``recsys query``, and the texts that some of them take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from recsys.errors import InvalidRequestError
from recsys_client import Fusion, Query, ReciprocalRank, WeightedSum

Bundles = Annotated[Path | None, typer.Option(help="Folder of published bundles.")]
ConfigFile = Annotated[Path | None, typer.Option(help="TOML file of a run that published.")]
Address = Annotated[str | None, typer.Option(help="Running service, as HOST:PORT.")]
Version = Annotated[str, typer.Option(help="Version of the bundle.")]
Timeout = Annotated[
    float, typer.Option(min=0, help="Seconds to wait for each answer of the service.")
]
Retries = Annotated[
    int,
    typer.Option(min=0, max=4, help="Number of times that a call is repeated if nothing answers."),
]
Tls = Annotated[
    Path | None,
    typer.Option(
        help="PEM file of authorities for the service's certificate; encrypts the calls.",
        exists=True,
        dir_okay=False,
    ),
]
Token = Annotated[
    str | None, typer.Option(envvar="RECSYS_TOKEN", help="Token of the caller.", show_envvar=True)
]
User = Annotated[str | None, typer.Option(help="User id.")]
History = Annotated[str | None, typer.Option(help="Item ids, oldest first, separated by commas.")]
HistoryTimes = Annotated[
    str | None,
    typer.Option(help="Times of the history in seconds since 1970, separated by commas."),
]
Terms = Annotated[str | None, typer.Option(help="Search terms.")]
Item = Annotated[str | None, typer.Option(help="Item id.")]
Items = Annotated[
    str | None, typer.Option(help="Item ids, separated by commas, to find items near all of them.")
]
Vector = Annotated[
    str | None, typer.Option(help="Vector of the space, as numbers separated by commas.")
]
Picture = Annotated[
    Path | None, typer.Option(help="File of a picture.", exists=True, dir_okay=False)
]
Context = Annotated[
    list[str] | None, typer.Option(help="Context column, as COLUMN=VALUE; repeatable.")
]
NumberOfCandidates = Annotated[int, typer.Option("--k", help="Number of candidates.")]
SpaceNames = Annotated[
    str, typer.Option(help="two_tower, text or image; or several, such as text+image.")
]
Exclude = Annotated[
    str, typer.Option(help="Item ids that must not be candidates, separated by commas.")
]
SeenPolicy = Annotated[str, typer.Option(help="Items of the history: exclude or include.")]
UnknownPolicy = Annotated[str, typer.Option(help="Unknown ids in the history: skip or raise.")]
FusionForm = Annotated[
    str | None, typer.Option(help="Fusion of several spaces: rrf (default) or sum.")
]
Weights = Annotated[
    list[str] | None, typer.Option(help="Weight of a space, as SPACE=NUMBER; repeatable.")
]
Constant = Annotated[
    int | None, typer.Option(help="Constant that rrf adds to each rank; 60 by default.")
]
Depth = Annotated[
    int | None,
    typer.Option(help="Number of items that rrf reads from each space; 1,000 by default."),
]
Titles = Annotated[bool, typer.Option("--titles/--no-titles", help="Titles of the candidates.")]
FilterText = Annotated[
    str | None,
    typer.Option(
        "--filter", help="Predicate over columns, such as 'brand = \"acme\" and price < 20'."
    ),
]
AtMost = Annotated[
    list[str] | None,
    typer.Option(
        help="Largest number of candidates per value of a column, as COLUMN=M; repeatable."
    ),
]
Effort = Annotated[
    float,
    typer.Option(help="Cost of the search relative to the tuned one, from 0.1 to 10."),
]
Explain = Annotated[
    bool, typer.Option("--explain/--no-explain", help="Also print how each space was searched.")
]
Requests = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.jsonl",
        help="File of requests, one JSON object per line, or - for stdin; prints one JSON object"
        " per request.",
    ),
]
Sheet = Annotated[
    Path | None, typer.Option(help="Also draw query and candidates into this PNG; needs --config.")
]


def query_from(
    user: str | None,
    history: str | None,
    history_times: str | None,
    terms: str | None,
    context: Sequence[str] | None,
) -> Query:
    """The part of a query that retrieval and feeds share."""
    return Query(
        user_id=user,
        history=None if history is None else ids_from(history),
        history_times=None if history_times is None else times_from(history_times),
        terms=terms,
        context=context_from(context or []),
    )


def ids_from(text: str) -> list[str]:
    """Ids separated by commas."""
    return [part for part in text.split(",") if part]


def times_from(text: str) -> list[int]:
    """Whole seconds separated by commas."""
    try:
        return [int(part) for part in ids_from(text)]
    except ValueError:
        raise typer.BadParameter(f"--history-times takes whole seconds; got {text!r:.80}") from None


def vector_from(text: str) -> list[float]:
    """Numbers separated by commas."""
    try:
        return [float(part) for part in ids_from(text)]
    except ValueError:
        raise typer.BadParameter(f"--vector takes numbers; got {text!r:.80}") from None


def context_from(texts: Sequence[str]) -> dict[str, str]:
    """Context columns given as COLUMN=VALUE."""
    pairs = dict(text.partition("=")[::2] for text in texts)
    if len(pairs) < len(texts) or not all(name and value for name, value in pairs.items()):
        raise typer.BadParameter(f"--context takes COLUMN=VALUE, once per column; got {texts}")
    return pairs


def crowding_from(texts: Sequence[str]) -> dict[str, int]:
    """Limits given as COLUMN=M.

    Raises:
        InvalidRequestError: A limit has another form, or a column is there twice.

    Example:
        >>> crowding_from(["brand=2"])
        {'brand': 2}
    """
    limits: dict[str, int] = {}
    for text in texts:
        column, _, most = text.rpartition("=")
        if not column or not most.isdecimal() or column in limits:
            raise InvalidRequestError(
                "--at-most takes COLUMN=M, such as brand=2, a whole number of candidates per "
                f"value, once per column; got {text!r:.80}",
                field="crowding",
            )
        limits[column] = int(most)
    return limits


def fusion_from(
    form: str | None,
    weights: Sequence[str],
    *,
    constant: int | None = None,
    depth: int | None = None,
) -> Fusion | None:
    """The fusion by its form, "rrf" or "sum", its weights as ``SPACE=NUMBER`` and rrf's numbers.

    Raises:
        InvalidRequestError: The form, a weight or a number is not valid.

    Example:
        >>> fusion_from("sum", ["text=2"])
        WeightedSum(weights={'text': 2.0})
    """
    read: dict[str, float] = {}
    for text in weights:
        name, _, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not name or math.isnan(value) or name in read:
            raise InvalidRequestError(
                f"a weight must be SPACE=NUMBER, such as text=2, once per space; got {text!r:.80}",
                field="fusion.weights",
            )
        read[name] = value
    named = {"constant": constant, "depth": depth}
    numbers = {name: value for name, value in named.items() if value is not None}
    if form is None:
        return ReciprocalRank(weights=read, **numbers) if read or numbers else None
    if form == "rrf":
        return ReciprocalRank(weights=read, **numbers)
    if form != "sum":
        raise InvalidRequestError(
            f"fusion must be 'rrf' (reciprocal ranks) or 'sum' (weighted scores); got {form!r:.80}",
            field="fusion",
        )
    if numbers:
        name = next(iter(numbers))
        raise InvalidRequestError(
            f"--{name} is for the fusion 'rrf'; leave it out for 'sum'", field=f"fusion.{name}"
        )
    return WeightedSum(read)
