"""Probes: queries whose answers are kept in the bundle and asked again whenever it is opened.

Checksums show that the files are those that were written; probes show that they still mean the
same on this machine, with these libraries.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from recsys.config import Config
from recsys.errors import BundleError, InvalidRequestError, RecsysError
from recsys.retrieval import IMAGE, TEXT, TWO_TOWER, Query, Request, Retrieved, Retriever

K = 10
TOLERANCE = 1e-3
"""Scores may differ so much between machines: their matrix products round differently."""


class Probe(Config):
    """A query and its answer.

    Attributes:
        user_id: As in a query.
        history: As in a query.
        terms: As in a query.
        item_id: As in a query.
        image: As in a query, in base64.
        space: The space asked.
        k: Candidates asked for.
        ids: Those that came, best first.
        scores: Theirs.

    Example:
        >>> Probe(item_id="lamp", space="text", k=1, ids=("rug",), scores=(0.5,)).request().k
        1
    """

    user_id: str | None = None
    history: tuple[str, ...] | None = None
    terms: str | None = None
    item_id: str | None = None
    image: str | None = None
    space: str
    k: int
    ids: tuple[str, ...]
    scores: tuple[float, ...]

    def request(self) -> Request:
        """What is asked."""
        image = None if self.image is None else base64.b64decode(self.image)
        query = Query(self.user_id, self.history, self.terms, self.item_id, image)
        return Request(query, self.k, self.space)


def ask_probes(retriever: Retriever, requests: Sequence[Request] | None) -> tuple[Probe, ...]:
    """Ask and keep the answers; without requests a few that use every part are chosen.

    Raises:
        InvalidRequestError: One of the requests given has options that a probe does not hold.
        RecsysError: One of the requests given cannot be answered.
    """
    chosen = list(_choose(retriever)) if requests is None else list(requests)
    probes = []
    for request, answer in zip(chosen, retriever.answer(chosen)):
        if isinstance(answer, RecsysError):
            if requests is None:  # Chosen blindly: such as a phrase of unknown words.
                continue
            raise answer
        probes.append(_probe(request, answer))
        if probes[-1].request() != request:
            raise InvalidRequestError(
                "a probe holds a query, a space and k; leave out exclude, seen, unknown_history "
                f"and fusion of probe {len(probes) - 1}",
                field="probes",
            )
    return tuple(probes)


def check_probes(retriever: Retriever, probes: Sequence[Probe], where: str) -> None:
    """Ask again and compare.

    Raises:
        BundleError: An answer is another one, by more than rounding.
    """
    answers = retriever.answer([probe.request() for probe in probes])
    for number, (probe, answer) in enumerate(zip(probes, answers)):
        if isinstance(answer, RecsysError):
            fault = f"cannot be answered any more: {answer.message}"
        elif not _same(probe, answer):
            fault = f"must answer {list(probe.ids)} and answers {answer.ids}"
        else:
            continue
        raise BundleError(
            f"{where}: probe {number} (space '{probe.space}') {fault}; its files are as they were "
            "written, so a library or the machine computes otherwise: publish again here"
        )


def _probe(request: Request, answer: Retrieved) -> Probe:
    query = request.query
    return Probe(
        user_id=query.user_id,
        history=None if query.history is None else tuple(query.history),
        terms=query.terms,
        item_id=query.item_id,
        image=None if query.image is None else base64.b64encode(query.image).decode("ascii"),
        space=request.space,
        k=request.k,
        ids=tuple(answer.ids),
        scores=tuple(candidate.score for candidate in answer.candidates),
    )


def _same(probe: Probe, answer: Retrieved) -> bool:
    """Equal scores by place and by item; an item on one side only must be a near tie at the end."""
    got = {candidate.id: candidate.score for candidate in answer.candidates}
    expected = dict(zip(probe.ids, probe.scores))
    if len(got) != len(expected):
        return False
    if not expected:
        return True
    slack = TOLERANCE * max(1.0, max(map(abs, expected.values())))
    by_place = np.abs(np.array(list(got.values())) - np.array(list(expected.values())))
    last = probe.scores[-1]
    by_item = [abs(got.get(item, last) - expected.get(item, last)) for item in {*got, *expected}]
    return bool(by_place.max() <= slack and max(by_item) <= slack)


def _choose(retriever: Retriever) -> Iterator[Request]:
    log = retriever.log
    popular = np.argsort(-log.item_counts, kind="stable").astype(np.int32)
    if TWO_TOWER in retriever.spaces:
        busy = np.flatnonzero(np.diff(log.offsets))
        for row in busy[np.linspace(0, len(busy) - 1, min(3, len(busy))).astype(int)]:
            yield Request(Query(user_id=log.users.id(int(row))), K)
        yield Request(Query(history=log.items.ids(popular[:3])), K)
    for name, space in sorted(retriever.spaces.items()):
        there = popular[space.mask[popular]][:3]
        yield Request(Query(item_id=log.items.id(int(there[0]))), K, name)
        if name != TWO_TOWER:
            yield Request(Query(history=log.items.ids(there)), K, name)
    if retriever.text_encoder is not None:
        phrases = [*log.phrases[1:3], *_words(retriever, popular[:2].tolist())]
        for terms in filter(str.strip, phrases):
            for name in (TWO_TOWER, TEXT):
                if name in retriever.spaces:
                    yield Request(Query(terms=terms), K, name)
    if retriever.image_encoder is not None and IMAGE in retriever.spaces:
        yield Request(Query(image=_picture()), K, IMAGE)


def _picture() -> bytes:
    """A small picture of every colour; the bundle has no picture of its own."""
    across, down = np.meshgrid(np.arange(0, 256, 16), np.arange(0, 256, 16))
    pixels = np.stack([across, down, 255 - across], axis=-1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _words(retriever: Retriever, rows: Sequence[int]) -> list[str]:
    titles = retriever.catalogue.titles()
    return [titles[row] for row in rows]
