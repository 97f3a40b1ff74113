"""The retriever: reads queries, places them in a space, searches it, answers in ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recsys.catalogue import Catalogue
from recsys.encoders import Encoded
from recsys.errors import DataError, NotFoundError, RecsysError
from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions
from recsys.retrieval.placing import Place, place_by_content, place_by_towers
from recsys.retrieval.query import Candidate, Query, Request, Retrieved, Seen, UnknownHistory
from recsys.retrieval.reading import Asked, read
from recsys.retrieval.space import TEXT, TWO_TOWER, Space
from recsys.towers import QueryBatch

MAX_K = 10_000


class QueryEncoder(Protocol):
    """What the retriever needs of ``recsys.towers.Towers``."""

    @property
    def terms_dimension(self) -> int:
        """Width of the encoded terms that it reads; 0 where it reads none."""

    def encode(self, batch: QueryBatch) -> Vectors:
        """One vector a query, float32 ``[b, d]``."""


class TermsEncoder(Protocol):
    """What the retriever needs of a text encoder."""

    @property
    def dimension(self) -> int:
        """Length of each vector."""

    def encode(self, contents: Sequence[str]) -> Encoded:
        """One vector a text, and which of them hold anything."""


@dataclass(frozen=True, eq=False)
class Retriever:
    """Answers queries; immutable, may be called from many threads.

    Attributes:
        catalogue: Every item.
        log: Who met what; a user's history comes from it. Its items are the catalogue's.
        towers: Encodes queries for the space ``two_tower``.
        spaces: By name.
        text_encoder: Encodes search terms, or None where there is none.
        max_k: A larger k is refused.

    Raises:
        DataError: The parts do not fit each other.

    Example:
        >>> from recsys.catalogue import catalogue_of_ids
        >>> from recsys.ids import IdMap
        >>> from recsys.index import ExactConfig
        >>> catalogue = catalogue_of_ids(["lamp", "desk lamp", "rug"])
        >>> log = Interactions.of(
        ...     IdMap.of("user", ["ann"]), catalogue.ids, user=[0], item=[0], time=[1]
        ... )
        >>> vectors = np.array([[1, 0], [0.9, 0.1], [0, 1]], np.float32)
        >>> class LastItem:  # where trained towers would be
        ...     terms_dimension = 0
        ...     def encode(self, batch):
        ...         return vectors[[history[-1] for history in batch.histories]]
        >>> spaces = {"two_tower": Space.two_tower(vectors, ExactConfig())}
        >>> retriever = Retriever(catalogue, log, LastItem(), spaces)
        >>> retriever.retrieve(Query(user_id="ann"), k=1).ids
        ['desk lamp']
    """

    catalogue: Catalogue
    log: Interactions
    towers: QueryEncoder
    spaces: Mapping[str, Space]
    text_encoder: TermsEncoder | None = None
    max_k: int = MAX_K

    def __post_init__(self) -> None:
        if not self.catalogue.ids.index.equals(self.log.items.index):
            raise DataError("the catalogue and the log must hold the same items in the same order")
        for name, space in self.spaces.items():
            if name != space.name or len(space) != len(self.catalogue):
                raise DataError(
                    f"space '{name}' is called '{space.name}' and holds {len(space)} items; "
                    f"expected its own name and {len(self.catalogue)} items"
                )
        if self.text_encoder is not None:
            width = self.text_encoder.dimension
            wanted = {"the query tower": self.towers.terms_dimension}
            if TEXT in self.spaces:
                wanted["the space 'text'"] = self.spaces[TEXT].index.dimension
            for who, dimension in wanted.items():
                if dimension not in (0, width):
                    raise DataError(f"the text encoder gives {width} dimensions, {who} {dimension}")
        # The look-up tables of ids are made on first use, which must not be by two threads.
        for ids in (self.log.users, self.log.items):
            ids.rows([""], unknown="skip")

    def retrieve(
        self,
        query: Query,
        *,
        k: int,
        space: str = TWO_TOWER,
        exclude: Sequence[str] = (),
        seen: Seen = "exclude",
        unknown_history: UnknownHistory = "skip",
    ) -> Retrieved:
        """Candidates for one query; see :class:`recsys.retrieval.Request` for the arguments.

        In ``two_tower`` every kind of query is answered by the query tower, but an item, which is
        its own vector. In the others terms count before a history, whose items' vectors are
        averaged; a user or a history beside terms then only says what was seen.

        Raises:
            InvalidRequestError: A value is out of range, two contradict, or the space cannot
                answer such a query; ``field`` names the value.
            UnknownIdError: The user or the item is not known.
            NotFoundError: There is no such space.
        """
        request = Request(query, k, space, exclude, seen, unknown_history)
        answer = self.answer([request])[0]
        if isinstance(answer, RecsysError):
            raise answer
        return answer

    def retrieve_batch(
        self,
        queries: Sequence[Query],
        *,
        k: int,
        space: str = TWO_TOWER,
        exclude: Sequence[str] = (),
        seen: Seen = "exclude",
        unknown_history: UnknownHistory = "skip",
    ) -> list[Retrieved | RecsysError]:
        """Per query the answer, or the error, that :meth:`retrieve` would give it."""
        return self.answer(
            [Request(query, k, space, exclude, seen, unknown_history) for query in queries]
        )

    def answer(self, requests: Sequence[Request]) -> list[Retrieved | RecsysError]:
        """Per request the answer or the error; requests need nothing in common.

        The queries of a space are encoded in one call, and searched in one call per k.
        """
        answers: dict[int, Retrieved | RecsysError] = {}
        by_space: dict[str, dict[int, Asked]] = defaultdict(dict)
        for position, request in enumerate(requests):
            try:
                request.check(self.max_k)
                if request.space not in self.spaces:
                    known = ", ".join(sorted(self.spaces))
                    raise NotFoundError(
                        f"no space {request.space!r:.80}; there are: {known}", field="space"
                    )
                by_space[request.space][position] = read(request, self.log)
            except RecsysError as error:
                answers[position] = error
        for name, asked in by_space.items():
            answers |= self._search(self.spaces[name], asked)
        return [answers[position] for position in range(len(requests))]

    def _search(
        self, space: Space, asked: Mapping[int, Asked]
    ) -> dict[int, Retrieved | RecsysError]:
        answers: dict[int, Retrieved | RecsysError] = {}
        by_k: dict[int, dict[int, Place]] = defaultdict(dict)
        for position, place in zip(asked, self._place(space, list(asked.values()))):
            if isinstance(place, RecsysError):
                answers[position] = place
            else:
                by_k[asked[position].request.k][position] = place
        allowed = None if space.available.all() else space.available
        for k, places in by_k.items():
            hits = space.index.search(
                np.stack([place.vector for place in places.values()]),
                min(k, len(space)),
                exclude=[asked[position].hidden for position in places],
                allowed=allowed,
            )
            for line, (position, place) in enumerate(places.items()):
                answers[position] = self._retrieved(space, asked[position], place, *hits.of(line))
        return answers

    def _place(self, space: Space, asked: list[Asked]) -> list[Place | RecsysError]:
        terms = self._encode_terms(space, asked)
        if space.name == TWO_TOWER:
            reads = self.towers.terms_dimension > 0 and self.text_encoder is not None
            return place_by_towers(space, asked, terms, self.towers.encode, reads_terms=reads)
        reads = space.name == TEXT and self.text_encoder is not None
        return place_by_content(space, asked, terms, reads_terms=reads)

    def _encode_terms(self, space: Space, asked: list[Asked]) -> Encoded | None:
        texts = [each.request.query.terms or "" for each in asked]
        if self.text_encoder is None or space.name not in (TWO_TOWER, TEXT) or not any(texts):
            return None
        return self.text_encoder.encode(texts)

    def _retrieved(
        self, space: Space, asked: Asked, place: Place, rows: Rows, scores: Vectors
    ) -> Retrieved:
        request = asked.request
        named = zip(self.catalogue.ids.ids(rows), scores.tolist())
        return Retrieved(
            tuple(Candidate(item, score, rank) for rank, (item, score) in enumerate(named, 1)),
            space.name,
            asked.unknown_history,
            None if len(rows) == request.k else _why_short(space, asked, len(rows)),
            asked.unknown_exclude,
            place.unread_terms,
        )


def _why_short(space: Space, asked: Asked, found: int) -> str:
    absent = int(np.count_nonzero(~space.available))
    hidden = int(np.count_nonzero(space.available[asked.hidden]))
    reasons = []
    if absent:
        reasons.append(f"{absent:,} have no vector in space '{space.name}'")
    if hidden:
        reasons.append(f"{hidden:,} are excluded or were seen")
    why = f"; {' and '.join(reasons)}" if reasons else ""
    return (
        f"{found:,} of the {len(space):,} items are eligible, {asked.request.k:,} were wanted{why}"
    )
