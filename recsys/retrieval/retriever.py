"""The retriever: reads queries, places them in a space, searches it, answers in ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from recsys.catalogue import Catalogue
from recsys.errors import DataError, NotFoundError, RecsysError
from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions
from recsys.retrieval.contents import Contents, PictureEncoder, Readers, TermsEncoder
from recsys.retrieval.fusing import Sought, fuse
from recsys.retrieval.fusion import Fusion, ReciprocalRank
from recsys.retrieval.placing import Place, place_by_content, place_by_towers
from recsys.retrieval.query import Candidate, Query, Request, Retrieved, Seen, UnknownHistory
from recsys.retrieval.reading import Asked, read
from recsys.retrieval.space import IMAGE, TEXT, TWO_TOWER, Space
from recsys.towers import QueryBatch

MAX_K = 10_000


class QueryEncoder(Protocol):
    """What the retriever needs of ``recsys.towers.Towers``."""

    @property
    def terms_dimension(self) -> int:
        """Width of the encoded terms that it reads; 0 where it reads none."""

    @property
    def reads(self) -> frozenset[str]:
        """Which of "history", "user" and "terms" make a difference to a vector."""

    def encode(self, batch: QueryBatch) -> Vectors:
        """One vector a query, float32 ``[b, d]``."""


@dataclass(frozen=True, eq=False)
class Retriever:
    """Answers queries; immutable, may be called from many threads.

    Attributes:
        catalogue: Every item.
        log: Who met what; a user's history comes from it. Its items are the catalogue's.
        towers: Encodes queries for the space ``two_tower``, or None where there is no such space.
        spaces: By name.
        text_encoder: Encodes search terms, or None where there is none.
        image_encoder: Encodes query pictures, or None where there is none.
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
        ...     terms_dimension, reads = 0, frozenset({"history"})
        ...     def encode(self, batch):
        ...         return vectors[[history[-1] for history in batch.histories]]
        >>> spaces = {"two_tower": Space.two_tower(vectors, ExactConfig())}
        >>> retriever = Retriever(catalogue, log, LastItem(), spaces)
        >>> retriever.retrieve(Query(user_id="ann"), k=1).ids
        ['desk lamp']
    """

    catalogue: Catalogue
    log: Interactions
    towers: QueryEncoder | None
    spaces: Mapping[str, Space]
    text_encoder: TermsEncoder | None = None
    image_encoder: PictureEncoder | None = None
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
        if self.towers is None and TWO_TOWER in self.spaces:
            raise DataError(f"the space '{TWO_TOWER}' needs towers; none came")
        text = {"the query tower": self._terms_dimension, **self._dimensions(TEXT)}
        _check_width("text", self.text_encoder, text)
        _check_width("image", self.image_encoder, self._dimensions(IMAGE))
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
        fusion: Fusion | None = None,
    ) -> Retrieved:
        """Candidates for one query; see :class:`recsys.retrieval.Request` for the arguments.

        In ``two_tower`` every kind of query is answered by the query tower, but an item, which is
        its own vector, and a picture, which it does not read. In the others terms (in ``text``)
        and a picture (in ``image``) count before a history, whose items' vectors are averaged; a
        user or a history beside them then only says what was seen. Of several spaces, joined as in
        ``space="text+image"``, each reads what it can of the query, and ``fusion`` makes one
        answer of theirs.

        Raises:
            InvalidRequestError: A value is out of range, two contradict, a picture cannot be read,
                or a space cannot answer such a query; ``field`` names the value.
            UnknownIdError: The user or the item is not known.
            NotFoundError: There is no such space.
        """
        request = Request(query, k, space, exclude, seen, unknown_history, fusion)
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
        fusion: Fusion | None = None,
    ) -> list[Retrieved | RecsysError]:
        """Per query the answer, or the error, that :meth:`retrieve` would give it."""
        return self.answer(
            [Request(query, k, space, exclude, seen, unknown_history, fusion) for query in queries]
        )

    def answer(self, requests: Sequence[Request]) -> list[Retrieved | RecsysError]:
        """Per request the answer or the error; requests need nothing in common.

        All terms are encoded in one call and all pictures in another; the queries of a space are
        placed in one call, and searched in one call per k.
        """
        answers: dict[int, Retrieved | RecsysError] = {}
        asked: dict[int, Asked] = {}
        for position, request in enumerate(requests):
            try:
                request.check(self.max_k)
                self._check_spaces(request)
                self._readers.check(request)
                asked[position] = read(request, self.log)
            except RecsysError as error:
                answers[position] = error
        places = self._place_all(asked)
        single: dict[tuple[str, int], dict[int, Place]] = defaultdict(dict)
        several: dict[int, Mapping[str, Place]] = {}
        for position, placed in places.items():
            request = requests[position]
            if isinstance(placed, RecsysError):
                answers[position] = placed
            elif len(placed) == 1:
                single[request.space, request.k][position] = placed[request.space]
            else:
                several[position] = placed
        for (name, k), found in single.items():
            answers |= self._search(self.spaces[name], k, asked, found)
        answers |= self._search_several(asked, several)
        return [answers[position] for position in range(len(requests))]

    @cached_property
    def _readers(self) -> Readers:
        reads = self._terms_dimension > 0
        return Readers.of(self.spaces, self.text_encoder, self.image_encoder, towers_read=reads)

    @property
    def _terms_dimension(self) -> int:
        return 0 if self.towers is None else self.towers.terms_dimension

    def _dimensions(self, name: str) -> dict[str, int]:
        there = name in self.spaces
        return {f"the space '{name}'": self.spaces[name].index.dimension} if there else {}

    def _check_spaces(self, request: Request) -> None:
        for name in request.spaces:
            if name not in self.spaces:
                known = ", ".join(sorted(self.spaces))
                raise NotFoundError(f"no space {name!r:.80}; there are: {known}", field="space")

    def _place_all(
        self, asked: Mapping[int, Asked]
    ) -> dict[int, Mapping[str, Place] | RecsysError]:
        """Per request its place in each of its spaces, or the error of the first without one."""
        contents = Contents.of(list(asked.values()), self.text_encoder, self.image_encoder)
        lines = {position: line for line, position in enumerate(asked)}
        by_space: dict[str, list[int]] = defaultdict(list)
        for position, each in asked.items():
            for name in each.request.spaces:
                by_space[name].append(position)
        placed: dict[int, dict[str, Place | RecsysError]] = {position: {} for position in asked}
        for name, positions in by_space.items():
            narrowed = [self._narrowed(asked[position], name) for position in positions]
            chosen = contents.at([lines[position] for position in positions])
            for position, place in zip(positions, self._place(name, narrowed, chosen)):
                placed[position][name] = place
        return {position: _whole(asked[position], each) for position, each in placed.items()}

    def _narrowed(self, asked: Asked, space: str) -> Asked:
        query = self._readers.narrowed(asked.request.query, space)
        if query is asked.request.query:
            return asked
        return replace(asked, request=replace(asked.request, query=query))

    def _place(
        self, name: str, asked: list[Asked], contents: Contents
    ) -> list[Place | RecsysError]:
        if name == TWO_TOWER:
            assert self.towers is not None
            towers, space = self.towers, self.spaces[name]
            return place_by_towers(space, asked, contents, towers.encode, reads=towers.reads)
        return place_by_content(self.spaces[name], asked, contents)

    def _search(
        self, space: Space, k: int, asked: Mapping[int, Asked], places: Mapping[int, Place]
    ) -> dict[int, Retrieved | RecsysError]:
        hits = space.search(
            np.stack([place.vector for place in places.values()]),
            k,
            exclude=[asked[position].hidden for position in places],
        )
        answers: dict[int, Retrieved | RecsysError] = {}
        for line, (position, place) in enumerate(places.items()):
            rows, scores = hits.at(line)
            named = zip(self.catalogue.ids.ids(rows), scores.tolist())
            candidates = tuple(Candidate(*pair, rank) for rank, pair in enumerate(named, 1))
            answers[position] = self._retrieved(asked[position], [place], candidates)
        return answers

    def _search_several(
        self, asked: Mapping[int, Asked], places: Mapping[int, Mapping[str, Place]]
    ) -> dict[int, Retrieved | RecsysError]:
        sought = []
        for position, placed in places.items():
            request = asked[position].request
            vectors = {name: placed[name].vector for name in sorted(placed)}
            fusion = request.fusion or ReciprocalRank()
            sought.append(Sought(vectors, asked[position].hidden, request.k, fusion))
        answers: dict[int, Retrieved | RecsysError] = {}
        for position, each, ranked in zip(places, sought, fuse(self.spaces, sought)):
            parts = self._parts(ranked.rows, each.vectors)
            named = zip(self.catalogue.ids.ids(ranked.rows), ranked.scores.tolist())
            candidates = tuple(
                Candidate(*pair, rank, part)
                for rank, (pair, part) in enumerate(zip(named, parts), 1)
            )
            answers[position] = self._retrieved(
                asked[position], list(places[position].values()), candidates
            )
        return answers

    def _parts(self, rows: Rows, vectors: Mapping[str, Vectors]) -> list[dict[str, float]]:
        """Per row its score in each space in which it has a vector."""
        parts: list[dict[str, float]] = [{} for _ in rows]
        for name, vector in vectors.items():
            space = self.spaces[name]
            for part, row, score in zip(parts, rows, space.scores(rows, vector).tolist()):
                if space.mask[row]:
                    part[name] = score
        return parts

    def _retrieved(
        self, asked: Asked, places: Sequence[Place], candidates: tuple[Candidate, ...]
    ) -> Retrieved:
        request, found = asked.request, len(candidates)
        spaces = [self.spaces[name] for name in request.spaces]
        unread = [place.unread_terms for place in places if place.unread_terms is not None]
        return Retrieved(
            candidates,
            request.space,
            asked.unknown_history,
            None if found == request.k else _why_short(spaces, asked, found),
            asked.unknown_exclude,
            unread[0] if unread else None,
        )


def _whole(
    asked: Asked, placed: Mapping[str, Place | RecsysError]
) -> Mapping[str, Place] | RecsysError:
    whole: dict[str, Place] = {}
    for name in asked.request.spaces:
        place = placed[name]
        if isinstance(place, RecsysError):
            return place
        whole[name] = place
    return whole


def _check_width(
    kind: str, encoder: TermsEncoder | PictureEncoder | None, wanted: Mapping[str, int]
) -> None:
    for who, dimension in wanted.items():
        if encoder is not None and dimension not in (0, encoder.dimension):
            raise DataError(
                f"the {kind} encoder gives {encoder.dimension} dimensions, {who} {dimension}"
            )


def _why_short(spaces: Sequence[Space], asked: Asked, found: int) -> str:
    available = np.logical_or.reduce([space.mask for space in spaces])
    absent = int(np.count_nonzero(~available))
    hidden = int(np.count_nonzero(available[asked.hidden]))
    reasons = []
    if absent:
        names = " or ".join(f"'{space.name}'" for space in spaces)
        reasons.append(f"{absent:,} have no vector in space {names}")
    if hidden:
        reasons.append(f"{hidden:,} are excluded or were seen")
    why = f"; {' and '.join(reasons)}" if reasons else ""
    return (
        f"{found:,} of the {len(available):,} items are eligible, {asked.request.k:,} were "
        f"wanted{why}"
    )
