"""Reference queries: requests whose answers are stored in the bundle and compared when it opens.

Checksums show that the files are unchanged; reference queries show that this machine, with these
libraries, computes the same from them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from recsys.config import Config
from recsys.errors import BundleError, RecsysError
from recsys.ingestion import IngestedData
from recsys.interactions import Interactions
from recsys.retrieval import (
    IMAGE,
    TEXT,
    TWO_TOWER,
    Request,
    RequestField,
    Response,
    Retriever,
    request_to_json,
)

K = 10
TOLERANCE = 1e-3
"""Largest difference of scores between machines, whose matrix products round differently."""


class ReferenceQuery(Config):
    """A request with its answer.

    Attributes:
        request: The request, in the JSON of ``recsys.retrieval.request_to_json``.
        ids: Ids of the candidates, best first.
        scores: Scores of the candidates.

    Example:
        >>> request = {"item_id": "lamp", "k": 1}
        >>> ReferenceQuery(request=request, ids=("rug",), scores=(0.5,)).request.k
        1
    """

    request: RequestField
    ids: tuple[str, ...]
    scores: tuple[float, ...]


def make_reference_queries(
    retriever: Retriever, ingested: IngestedData, requests: Sequence[Request] | None
) -> tuple[ReferenceQuery, ...]:
    """Answer requests and store the answers; None chooses a few that use every part."""
    chosen = list(_choose(retriever, ingested)) if requests is None else list(requests)
    made = []
    for request, answer in zip(chosen, retriever.answer(chosen)):
        if isinstance(answer, RecsysError):
            if requests is None:  # Such as a chosen phrase without a known word.
                continue
            raise answer
        scores = tuple(candidate.score for candidate in answer.candidates)
        made.append(ReferenceQuery(request=request, ids=tuple(answer.ids), scores=scores))
    return tuple(made)


def check_reference_queries(
    retriever: Retriever, queries: Sequence[ReferenceQuery], where: str
) -> None:
    """Answer the requests again; an answer that differs by more than rounding is an error."""
    answers = retriever.answer([each.request for each in queries])
    for number, (query, answer) in enumerate(zip(queries, answers)):
        if isinstance(answer, RecsysError):
            fault = f"can no longer be answered: {answer.message}"
        elif not _same(query, answer):
            fault = f"must answer {list(query.ids)} and answers {answer.ids}"
        else:
            continue
        raise BundleError(
            f"{where}: reference query {number} {request_to_json(query.request)!s:.200} {fault}; "
            "the files are unchanged, so this version of recsys, a library or the machine computes "
            "something else: 'recsys publish CONFIG --again' publishes here"
        )


def _same(query: ReferenceQuery, answer: Response) -> bool:
    """Equal scores by rank and by item; an item on one side only must be a near tie at the end."""
    got = {candidate.id: candidate.score for candidate in answer.candidates}
    expected = dict(zip(query.ids, query.scores))
    if len(got) != len(expected):
        return False
    if not expected:
        return True
    slack = TOLERANCE * max(1.0, max(map(abs, expected.values())))
    by_rank = np.abs(np.array(list(got.values())) - np.array(list(expected.values())))
    last = query.scores[-1]
    by_item = [abs(got.get(item, last) - expected.get(item, last)) for item in {*got, *expected}]
    return bool(by_rank.max() <= slack and max(by_item) <= slack)


def _choose(retriever: Retriever, ingested: IngestedData) -> Iterator[Request]:
    log = ingested.interactions
    popular = np.argsort(-log.item_counts, kind="stable").astype(np.int32)
    if TWO_TOWER in retriever.spaces:
        yield from _choose_for_towers(retriever, log, log.items.ids(popular[:3]))
    for name, space in sorted(retriever.spaces.items()):
        present = popular[space.mask[popular]][:3]
        yield Request.of(item_id=log.items.id(int(present[0])), k=K, space=name)
        if name != TWO_TOWER:
            yield Request.of(history=log.items.ids(present), k=K, space=name)
    if retriever.text_encoder is not None:
        titles = ingested.catalogue.titles()
        phrases = [*log.phrases[1:3], *(titles[row] for row in popular[:2])]
        for terms in filter(str.strip, phrases):
            for name in (TWO_TOWER, TEXT):
                if name in retriever.spaces:
                    yield Request.of(terms=terms, k=K, space=name)
    if retriever.image_encoder is not None and IMAGE in retriever.spaces:
        yield Request.of(image=_picture(), k=K, space=IMAGE)


def _choose_for_towers(
    retriever: Retriever, log: Interactions, popular: list[str]
) -> Iterator[Request]:
    towers = retriever.towers
    assert towers is not None
    active = np.flatnonzero(np.diff(log.offsets))
    for row in active[np.linspace(0, len(active) - 1, min(3, len(active))).astype(int)]:
        yield Request.of(user_id=log.users.id(int(row)), k=K)
    yield Request.of(history=popular, k=K)
    if towers.context_columns:
        for value in (0, -1):
            context = {name: str(log.context[name].index[value]) for name in towers.context_columns}
            yield Request.of(history=popular, context=context, k=K)
    if towers.reads_times:
        times = [day * 86_400 for day in range(len(popular))]
        yield Request.of(history=popular, history_times=times, k=K)


def _picture() -> bytes:
    """A small picture of every colour; the bundle has no picture of its own."""
    across, down = np.meshgrid(np.arange(0, 256, 16), np.arange(0, 256, 16))
    pixels = np.stack([across, down, 255 - across], axis=-1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
