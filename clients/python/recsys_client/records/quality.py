"""How well a bundle answers: its report, a comparison with another, the search log, item maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SearchOrigin = Literal["recorded", "training"]
SearchOrder = Literal["uses", "latest"]
MapMethod = Literal["pca", "umap"]


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
        name: Name, such as ``recall@10``.
        value: Value.
        interval: Bounds of its 95% interval, or None where they are not known.

    Example:
        >>> Figure("recall@10", 0.31, (0.29, 0.33)).value
        0.31
    """

    name: str
    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class ScorerReport:
    """The figures of one scorer.

    Attributes:
        name: Name of the scorer.
        baseline: Whether it is a baseline rather than the model.
        figures: Figures by their names.

    Example:
        >>> ScorerReport("popularity", True, {"hr@10": Figure("hr@10", 0.1)}).value("hr@10")
        0.1
    """

    name: str
    baseline: bool
    figures: Mapping[str, Figure]

    def value(self, name: str) -> float | None:
        """Value of a figure, or None where it was not measured."""
        found = self.figures.get(name)
        return None if found is None else found.value


@dataclass(frozen=True)
class Segment:
    """A part of the held-out items or users.

    Attributes:
        name: Name, such as ``cold`` or ``new_users``.
        queries: Number of queries with such items.
        recalls: Recall at the report's k by scorer; the name of a figure is that of the scorer.

    Example:
        >>> Segment("cold", 12, {"two_tower": Figure("two_tower", 0.2)}).queries
        12
    """

    name: str
    queries: int
    recalls: Mapping[str, Figure]


@dataclass(frozen=True)
class ExpectedItem:
    """A held-out item of a failed query.

    Attributes:
        item_id: Id.
        rank: Rank among all candidates, from 1; 0 where it is no candidate.
        segments: Segments of the item.
    """

    item_id: str
    rank: int
    segments: tuple[str, ...] = ()


@dataclass(frozen=True)
class FailedQuery:
    """A query without a held-out item among the first k.

    Attributes:
        user_id: User of the query.
        history_ids: Latest items of the history, oldest first.
        history_length: Length of the whole history.
        terms: Search terms that led to the held-out items, or "".
        expected: Held-out items, the best rank first.
        answered_ids: First items of the answer.
        segments: Segments of the user.

    Example:
        >>> FailedQuery("ann", ("rug",), 1, "", (ExpectedItem("lamp", 57),), ("mug",)).user_id
        'ann'
    """

    user_id: str
    history_ids: tuple[str, ...]
    history_length: int
    terms: str
    expected: tuple[ExpectedItem, ...]
    answered_ids: tuple[str, ...]
    segments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The evaluation of a bundle on queries whose next items were held out.

    Attributes:
        version: Version of the bundle.
        name: Name of the run that made it.
        seeds: Seeds on which the figures depend.
        protocol: Name of the protocol that split the data.
        k: The k of the main figures and of the segments.
        scorers: Scorers: the model first, then the model with other queries, then baselines.
        segments: Parts of the held-out items and users.
        figures: Figures of the indexes, the ranker and the best possible ranking, by full names.
        epochs: Figures per epoch of the training, by number.
        queries: Number of evaluated queries.
        failed_queries: Number of queries without a held-out item among the first k.
        failures: Failed queries, the worst of a sample first.

    Example:
        >>> Report("v1", "demo", (1,), "global-time", 10, (ScorerReport("two_tower", False, {}),))
        ... # doctest: +ELLIPSIS
        Report(version='v1', name='demo', ...)
    """

    version: str
    name: str
    seeds: tuple[int, ...]
    protocol: str
    k: int
    scorers: tuple[ScorerReport, ...]
    segments: tuple[Segment, ...] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)
    epochs: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    queries: int = 0
    failed_queries: int = 0
    failures: tuple[FailedQuery, ...] = ()

    @property
    def model(self) -> ScorerReport:
        """The scorer that the report is about."""
        return self.scorers[0]


@dataclass(frozen=True)
class FigureComparison:
    """A figure of two bundles.

    Attributes:
        name: Name.
        a: Value of the first bundle.
        b: Value of the second bundle.
        difference: The second minus the first.
        interval: Bounds of the 95% interval of the difference, or None where it is not known.

    Example:
        >>> FigureComparison("recall@10", 0.3, 0.4, 0.1, (0.05, 0.15)).is_clear
        True
    """

    name: str
    a: float
    b: float
    difference: float
    interval: tuple[float, float] | None = None

    @property
    def is_clear(self) -> bool:
        """Whether the interval of the difference does not include 0."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


@dataclass(frozen=True)
class ReportComparison:
    """Two reports side by side.

    Attributes:
        version_a: Version of the first bundle.
        version_b: Version of the second bundle.
        figures: Figures of the models that both have, ordered by k.
        queries: Number of queries that both answered; 0 where they cannot be paired.
        unpaired_reason: Reason why the differences have no interval, or "".
        settings: Both values, as text, of each setting that differs, by key.

    Example:
        >>> ReportComparison("v1", "v2", (), settings={"seed": ("1", "2")}).settings["seed"]
        ('1', '2')
    """

    version_a: str
    version_b: str
    figures: tuple[FigureComparison, ...]
    queries: int = 0
    unpaired_reason: str = ""
    settings: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Search:
    """Search terms and what followed them.

    Attributes:
        terms: Search terms.
        uses: Number of interactions that followed a search for them.
        items: Number of different items of these interactions.
        last_time: Time of the last of them in seconds since 1970; 0 where the log has no times.
        series: Number of uses in 24 equal parts of the time of the log; empty without times.

    Example:
        >>> Search("red lamp", 3, 2).uses
        3
    """

    terms: str
    uses: int
    items: int
    last_time: int = 0
    series: tuple[int, ...] = ()


@dataclass(frozen=True)
class SearchPage:
    """A page of the search log.

    Attributes:
        searches: Searches.
        next_page_token: Token of the next page; "" on the last one.
        terms: Number of different search terms that match the request.
        uses: Number of interactions with them.
        first_time: Time of the first of these in seconds since 1970; 0 where it is not known.
        last_time: Time of the last of them, as ``first_time``.
        previous_page_token: Token of the page before; "" on the first one.

    Example:
        >>> SearchPage((Search("red lamp", 3, 2),), terms=1, uses=3).next_page_token
        ''
    """

    searches: tuple[Search, ...]
    next_page_token: str = ""
    terms: int = 0
    uses: int = 0
    first_time: int = 0
    last_time: int = 0
    previous_page_token: str = ""


@dataclass(frozen=True)
class ItemMap:
    """A sample of the items of a space as points of a plane.

    Attributes:
        bundle_version: Version of the bundle.
        pending: Whether it is still being computed and has no points yet; call again later.
        item_ids: Ids of the items of the points.
        x: First coordinate of each point, from -1 to 1.
        y: Second coordinate of each point, from -1 to 1.
        titles: Title of each item; "" where it has none.
        labels: Labels of the points, the most frequent first.
        point_labels: Position in ``labels`` of the label of each point; empty without a column.
        items: Number of items that have a vector in the space.
        explained_variance: Share of the variance that the plane of PCA has; 0 for UMAP.
        methods: Methods that the service can use.
        points: Number of points of the map, also of those that ``max_points`` left out.

    Example:
        >>> ItemMap("v1", item_ids=("lamp",), x=(0.5,), y=(-1.0,)).pending
        False
    """

    bundle_version: str
    pending: bool = False
    item_ids: tuple[str, ...] = ()
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()
    titles: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    point_labels: tuple[int, ...] = ()
    items: int = 0
    explained_variance: float = 0.0
    methods: tuple[MapMethod, ...] = ()
    points: int = 0
