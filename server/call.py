"""``python -m server.call``: asks a running service once and prints its answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from recsys.errors import RecsysError
from recsys.retrieval import TWO_TOWER, Candidate
from recsys.retrieval.fusion import fusion_from
from server.client import Answer, RecsysClient

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    address: Annotated[str, typer.Option(help="The service, as HOST:PORT.")],
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
        str, typer.Option(help="The space that is searched, or several: text+image.")
    ] = TWO_TOWER,
    fusion: Annotated[
        str | None, typer.Option(help="How several spaces become one: rrf (default) or sum.")
    ] = None,
    weight: Annotated[
        list[str] | None, typer.Option(help="What a space counts, as SPACE=NUMBER; repeatable.")
    ] = None,
    exclude: Annotated[
        str, typer.Option(help="Item ids that are not wanted, separated by commas.")
    ] = "",
    seen: Annotated[
        str, typer.Option(help="Items of the history: exclude or include.")
    ] = "exclude",
    unknown_history: Annotated[
        str, typer.Option(help="Unknown ids in the history: skip or raise.")
    ] = "skip",
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to wait for the answer.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask a service for candidates. Exit code 1 means that it refused or did not answer."""
    try:
        with RecsysClient(address, timeout=timeout) as client:
            answer = client.retrieve(
                user_id=user,
                history=None if history is None else _ids(history),
                terms=terms,
                item_id=item,
                image=None if image is None else image.read_bytes(),
                k=k,
                space=space,
                exclude=_ids(exclude),
                seen=seen,  # type: ignore[arg-type]  # the conversion refuses other values
                unknown_history=unknown_history,  # type: ignore[arg-type]
                fusion=fusion_from(fusion, weight or ()),
            )
    except RecsysError as error:
        typer.echo(f"error: {error.message} ({error.code})", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(describe(answer), ensure_ascii=False))
        return
    for candidate in answer.candidates:
        # A map of a message has no order of its own.
        parts = "".join(f"\t{name}={score:.4f}" for name, score in sorted(candidate.parts.items()))
        typer.echo(f"{candidate.rank}\t{candidate.score:.4f}\t{candidate.id}{parts}")
    for note in _notes(answer):
        typer.echo(f"note: {note}", err=True)


def describe(answer: Answer) -> dict[str, object]:
    """The answer as a JSON object."""
    return {
        "bundle_version": answer.bundle_version,
        "space": answer.space,
        "candidates": [_candidate(candidate) for candidate in answer.candidates],
        "unknown_history_ids": list(answer.unknown_history),
        "short_reason": answer.short,
        "unknown_exclude_ids": list(answer.unknown_exclude),
        "unread_terms": answer.unread_terms,
    }


def _candidate(candidate: Candidate) -> dict[str, object]:
    found = {"item_id": candidate.id, "score": candidate.score, "rank": candidate.rank}
    return {**found, "parts": dict(sorted(candidate.parts.items()))} if candidate.parts else found


def _ids(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _notes(answer: Answer) -> Iterator[str]:
    if answer.short:
        yield answer.short
    if answer.unknown_history:
        yield f"unknown ids in the history were skipped: {', '.join(answer.unknown_history)}"
    if answer.unknown_exclude:
        yield f"unknown ids to exclude had no effect: {', '.join(answer.unknown_exclude)}"
    if answer.unread_terms:
        yield f"the text encoder knows no word of {answer.unread_terms!r}"


if __name__ == "__main__":
    app(prog_name="python -m server.call")
