"""The retriever: parses requests, encodes queries, searches spaces and answers in ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from recsys.catalogue import Catalogue
from recsys.errors import DataError, RecsysError
from recsys.ids import Rows, Vectors
from recsys.index.audit import RecallAudit
from recsys.interactions import Interactions
from recsys.retrieval.budget import UNLIMITED, AbandonedError, Budget
from recsys.retrieval.filters import FilterColumns
from recsys.retrieval.forks import check_process, record_process
from recsys.retrieval.fusion_search import FusionInput, SearchResult, search_spaces
from recsys.retrieval.parsing import ParsedRequest, RequestParser
from recsys.retrieval.popularity import ItemStatistics, Popular, Popularity
from recsys.retrieval.query_vectors import (
    ContentEncoder,
    EncodedContent,
    QueryEncoder,
    QueryVector,
    content_vectors,
    encode_content,
    tower_vectors,
)
from recsys.retrieval.reporting.describing import (
    describe_columns,
    describe_context,
    describe_spaces,
)
from recsys.retrieval.reporting.explaining import explain, why_short
from recsys.retrieval.sources import Histories, ItemColumns, Items
from recsys.retrieval.space import Space
from recsys_client.calls import RetrievalCalls
from recsys_client.fusion import ReciprocalRank
from recsys_client.records import Description
from recsys_client.request import IMAGE, MAX_K, TEXT, TWO_TOWER, Request
from recsys_client.response import CandidateColumns, Response, UnknownUser


@dataclass(frozen=True, eq=False)
class Retriever(RetrievalCalls):
    """Answers requests in this process; immutable and thread-safe.

    Attributes:
        catalogue: The items.
        log: Histories of users; their items are the catalogue's.
        towers: Encoder of queries for the space ``two_tower``, or None without that space.
        spaces: Spaces by name.
        text_encoder: Encoder of search terms, or None.
        image_encoder: Encoder of query pictures, or None.
        max_k: Largest k of a request.
        bundle_version: Version of the bundle, named in every response; "" outside a bundle.
        audit: Audit of the recall of a sample of the searches, or None; its owner closes it.
        item_columns: Columns for filters and crowding; None for those of the catalogue.
        history_vectors: Vectors of the items in histories, float32 ``[items, d]``, which the query
            tower reads; None for those of the training.
        watermark: Sequence number of the last recorded change that the parts include, named in
            every response; 0 where there are none.
        unknown_user: Answer to a query of a user that is not in the log: the error of an unknown
            id, the query tower's for an empty history, or the items with the most interactions.
            Search terms and pictures are answered with an empty history in both latter cases.
        popularity: Items by their number of interactions; None for those of the log.

    Raises:
        DataError: The parts do not fit each other.

    Example:
        >>> import numpy as np
        >>> from recsys.catalogue import catalogue_of_ids
        >>> from recsys.ids import IdMap
        >>> from recsys.index import ExactConfig
        >>> catalogue = catalogue_of_ids(["lamp", "desk lamp", "rug"])
        >>> log = Interactions.of(
        ...     IdMap.of("user", ["ann"]), catalogue.ids, user=[0], item=[0], time=[1]
        ... )
        >>> vectors = np.array([[1, 0], [0.9, 0.1], [0, 1]], np.float32)
        >>> class LastItem:  # in place of trained towers
        ...     terms_dimension, reads = 0, frozenset({"history"})
        ...     reads_times, context_columns = False, ()
        ...     def encode(self, batch, item_vectors=None):
        ...         return vectors[[history[-1] for history in batch.histories]]
        >>> spaces = {"two_tower": Space.two_tower(vectors, ExactConfig())}
        >>> retriever = Retriever(catalogue, log, LastItem(), spaces)
        >>> retriever.retrieve(user_id="ann", k=1).ids
        ['desk lamp']
    """

    catalogue: Items
    log: Histories
    towers: QueryEncoder | None
    spaces: Mapping[str, Space]
    text_encoder: ContentEncoder | None = None
    image_encoder: ContentEncoder | None = None
    max_k: int = MAX_K
    bundle_version: str = ""
    audit: RecallAudit | None = None
    item_columns: ItemColumns | None = None
    history_vectors: Vectors | None = None
    watermark: int = 0
    unknown_user: UnknownUser = "error"
    popularity: Popular | None = None

    def __post_init__(self) -> None:
        record_process()
        if isinstance(self.catalogue, Catalogue) and isinstance(self.log, Interactions):
            self._check_tables(self.catalogue, self.log)
        elif self.unknown_user == "popularity" and self.popularity is None:
            raise DataError("unknown_user = 'popularity' needs a popularity; none came")
        if self.towers is None and TWO_TOWER in self.spaces:
            raise DataError(f"the space '{TWO_TOWER}' needs towers; none came")
        read = 0 if self.towers is None else self.towers.terms_dimension
        _check_width(TEXT, self.text_encoder, "the query tower", read)
        for name, encoder in ((TEXT, self.text_encoder), (IMAGE, self.image_encoder)):
            if name in self.spaces:
                _check_width(name, encoder, f"the space '{name}'", self.spaces[name].dimension)

    def _check_tables(self, catalogue: Catalogue, log: Interactions) -> None:
        """Check the tables of a bundle; a writer checks those of a snapshot."""
        if not catalogue.ids.index.equals(log.items.index):
            raise DataError("the catalogue and the log must hold the same items in the same order")
        for name, space in self.spaces.items():
            if name != space.name or len(space) != len(catalogue):
                raise DataError(
                    f"space '{name}' is called '{space.name}' and holds {len(space)} items; "
                    f"expected its own name and {len(catalogue)} items"
                )
        # The look-up tables of ids are made on first use, which must not be by two threads.
        for ids in (log.users, log.items, catalogue.ids, *log.context.values()):
            ids.rows([""], unknown="skip")

    def answer(self, requests: Sequence[Request]) -> list[Response | RecsysError]:
        """For each request the response or the error; requests need nothing in common.

        An answer has the same bits alone as in any batch. Terms and pictures are encoded one by
        one; the queries of a space are encoded in one call, and searched in one call per k.

        Raises:
            ServiceError: This process was forked from one that had opened a retriever.
        """
        return [
            each
            if isinstance(each, RecsysError)
            else replace(each, candidates=tuple(each.candidates))
            for each in self.answer_in_columns(requests)
        ]

    def answer_in_columns(
        self, requests: Sequence[Request], budget: Budget = UNLIMITED
    ) -> list[Response | RecsysError]:
        """As :meth:`answer`, with candidates as :class:`CandidateColumns`, for a service.

        A request that the ``budget`` no longer wants before a stage (query vectors, each round of
        the search, response) is answered with an :class:`AbandonedError`.

        Raises:
            ServiceError: As for :meth:`answer`.
        """
        check_process()
        answers: dict[int, Response | RecsysError] = {}
        parsed: dict[int, ParsedRequest] = {}
        for position, request in enumerate(requests):
            try:
                parsed[position] = self._parser.parse(request)
            except RecsysError as error:
                answers[position] = error
        for position, each in list(parsed.items()):
            if each.fallback == "popularity":
                spaces = [self.spaces[name] for name in each.request.spaces]
                answers[position] = self._response(each, {}, self._popular.search(each, spaces))
                del parsed[position]
        vectors: dict[int, dict[str, QueryVector]] = {}
        for position, found in self._query_vectors(parsed, budget).items():
            if isinstance(found, RecsysError):
                answers[position] = found
            else:
                vectors[position] = found
        searched = list(vectors)
        inputs = [_search_input(parsed[position], vectors[position]) for position in searched]
        results = search_spaces(
            self.spaces, inputs, audit=self.audit, budget=budget.select(searched)
        )
        for position, result in zip(searched, results):
            if budget.is_wanted(position):
                answers[position] = self._response(parsed[position], vectors[position], result)
            else:
                answers[position] = _abandoned()
        return [answers[position] for position in range(len(requests))]

    def parse(self, request: Request) -> ParsedRequest:
        """A request with its ids resolved to rows, with the errors of ``retrieve``."""
        return self._parser.parse(request)

    def encode(self, parsed: ParsedRequest) -> dict[str, QueryVector]:
        """Vector of a parsed request in each of its spaces.

        Raises:
            InvalidRequestError: A space reads nothing of the query.
        """
        found = self._query_vectors({0: parsed}, UNLIMITED)[0]
        if isinstance(found, RecsysError):
            raise found
        return found

    def reads(self, space: str) -> frozenset[str]:
        """Optional parts of a query that a space reads, such as "terms"; none without it."""
        return self._parser.inputs.get(space, frozenset())

    @property
    def columns(self) -> ItemColumns:
        """Columns that filters and crowding read."""
        return self._parser.item_columns

    def describe(self) -> Description:
        """The spaces, the columns of filters and of the context, and the state that answers.

        Examples of columns are those of the bundle.
        """
        parser = self._parser
        return Description(
            self.bundle_version,
            self.watermark,
            len(self.catalogue),
            self.log.n_users,
            describe_spaces(self.spaces, parser.inputs),
            describe_columns(parser.item_columns),
            describe_context(self.log.context, parser.columns),
            self.unknown_user,
            {"k": self.max_k},
        )

    @cached_property
    def _parser(self) -> RequestParser:
        towers, columns, text = self.towers, tuple[str, ...](), self.text_encoder is not None
        reads = {TEXT: {"terms": text}, IMAGE: {"image": self.image_encoder is not None}}
        if towers is not None:
            columns = tuple(towers.context_columns)
            reads[TWO_TOWER] = {
                "terms": text and towers.terms_dimension > 0,
                "context": bool(columns),
                "history_times": towers.reads_times,
            }
        inputs = {
            name: frozenset(part for part, is_read in reads.get(name, {}).items() if is_read)
            for name in self.spaces
        }
        items = self.item_columns
        if items is None:
            assert isinstance(self.catalogue, Catalogue)
            items = FilterColumns.of(self.catalogue)
        return RequestParser(
            self.catalogue.ids, self.log, inputs, columns, items, self.max_k, self.unknown_user
        )

    @property
    def statistics(self) -> ItemStatistics:
        """How often and how recently items were interacted with: recorded or in the log."""
        return self._popular.statistics

    @cached_property
    def _popular(self) -> Popular:
        if self.popularity is not None:
            return self.popularity
        assert isinstance(self.log, Interactions)
        return Popularity(self.log)

    def _query_vectors(
        self, parsed: Mapping[int, ParsedRequest], budget: Budget
    ) -> dict[int, dict[str, QueryVector] | RecsysError]:
        """Per request its vector in each of its spaces, or the error of the first without one."""
        contents: dict[int, EncodedContent] = {}
        abandoned: dict[int, dict[str, QueryVector] | RecsysError] = {}
        for position, each in parsed.items():
            if budget.is_wanted(position):
                contents[position] = encode_content(each, self.text_encoder, self.image_encoder)
            else:
                abandoned[position] = _abandoned()
        parsed = {position: parsed[position] for position in contents}
        by_space: dict[str, list[int]] = defaultdict(list)
        for position, each in parsed.items():
            for name in each.request.spaces:
                by_space[name].append(position)
        found: dict[int, dict[str, QueryVector]] = {each: {} for each in parsed}
        faults: dict[int, dict[str, RecsysError]] = {each: {} for each in parsed}
        for name, positions in by_space.items():
            some = [parsed[position] for position in positions]
            theirs = [contents[position] for position in positions]
            if name == TWO_TOWER:
                assert self.towers is not None
                vectors = tower_vectors(
                    self.spaces[name], some, theirs, self.towers, self.history_vectors
                )
            else:
                vectors = content_vectors(self.spaces[name], some, theirs)
            for position, vector in zip(positions, vectors):
                if isinstance(vector, RecsysError):
                    faults[position][name] = vector
                else:
                    found[position][name] = vector
        return abandoned | {
            position: next(
                (
                    faults[position][name]
                    for name in each.request.spaces
                    if name in faults[position]
                ),
                found[position],
            )
            for position, each in parsed.items()
        }

    def _response(
        self, parsed: ParsedRequest, vectors: Mapping[str, QueryVector], result: SearchResult
    ) -> Response:
        request, found = parsed.request, len(result.rows)
        ids, scores = self.catalogue.ids.ids(result.rows), result.scores.tolist()
        parts = self._parts(result.rows, vectors)
        titles = self.catalogue.titles_at(result.rows) if request.titles else ()
        unread = [each.unread_terms for each in vectors.values() if each.unread_terms is not None]
        spaces = [self.spaces[name] for name in request.spaces]
        return Response(
            CandidateColumns(ids, scores, parts, titles),
            request.space,
            parsed.unknown_history,
            None if found == request.k else why_short(spaces, parsed, found, len(self.catalogue)),
            parsed.unknown_exclude,
            unread[0] if unread else None,
            self.bundle_version,
            explain(parsed, self.spaces, result.work) if request.explain else None,
            self.watermark,
            parsed.fallback,
        )

    def _parts(self, rows: Rows, vectors: Mapping[str, QueryVector]) -> list[dict[str, float]]:
        """Per row its score in each of several spaces in which it has a vector; else empty."""
        if len(vectors) < 2:
            return []
        parts: list[dict[str, float]] = [{} for _ in rows]
        for name in sorted(vectors):
            space = self.spaces[name]
            scores = space.scores(rows, vectors[name].vector).tolist()
            for part, row, score in zip(parts, rows, scores):
                if space.mask[row]:
                    part[name] = score
        return parts


def _search_input(parsed: ParsedRequest, vectors: Mapping[str, QueryVector]) -> FusionInput:
    return FusionInput(
        {name: each.vector for name, each in vectors.items()},
        parsed.hidden,
        parsed.request.k,
        parsed.request.fusion or ReciprocalRank(),
        parsed.allowed,
        parsed.crowding,
        parsed.request.effort,
    )


def _abandoned() -> AbandonedError:
    return AbandonedError("the request was given up before it was answered")


def _check_width(kind: str, encoder: ContentEncoder | None, reader: str, dimension: int) -> None:
    if encoder is not None and dimension not in (0, encoder.dimension):
        raise DataError(
            f"the {kind} encoder gives {encoder.dimension} dimensions, {reader} {dimension}"
        )
