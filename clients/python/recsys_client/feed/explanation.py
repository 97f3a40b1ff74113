"""Why an item is in a feed, and why another one is not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceRank:
    """The place of an item in the list of one source.

    Attributes:
        source: Name of the source.
        rank: Rank in its list, from 1.
        score: Score that the source gave; comparable within the source only.

    Example:
        >>> SourceRank("popular", 3, 120.0).rank
        3
    """

    source: str
    rank: int
    score: float


@dataclass(frozen=True)
class StageRank:
    """The place of an item after one stage of the pipeline.

    Attributes:
        stage: Name of the stage.
        rank: Rank after the stage, from 1.
        score: Score after the stage.

    Example:
        >>> StageRank("ranker", 1, 0.7).stage
        'ranker'
    """

    stage: str
    rank: int
    score: float


@dataclass(frozen=True)
class FeatureContribution:
    """The effect of one feature on a score.

    Attributes:
        feature: Name of the feature.
        value: Value of the feature; None where the item has none.
        contribution: Amount by which the feature raised or lowered the score.

    Example:
        >>> FeatureContribution("log_popularity", 4.2, 0.31).feature
        'log_popularity'
    """

    feature: str
    value: float | None
    contribution: float


@dataclass(frozen=True)
class SimilarItem:
    """An item of the history that is similar to another item.

    Attributes:
        id: Id of the item of the history.
        space: Space in which they were compared.
        similarity: Cosine of the angle between their vectors, from -1 to 1.

    Example:
        >>> SimilarItem("lamp", "image", 0.9).space
        'image'
    """

    id: str
    space: str
    similarity: float


@dataclass(frozen=True)
class RemovedItems:
    """Items that one stage removed for one reason.

    Attributes:
        stage: Name of the stage; "merge" removed those beyond the largest number of candidates.
        reason: Reason in words.
        count: Number of items.
        ids: Ids of some of them, those with the best ranks before the stage.

    Example:
        >>> RemovedItems("seen", "it is in the user's history", 12, ("lamp",)).count
        12
    """

    stage: str
    reason: str
    count: int
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnknownValue:
    """A value of the request that no item has.

    Attributes:
        field: Field of the request, "blocked" or "followed".
        column: Name of the column.
        value: The value.

    Example:
        >>> UnknownValue("blocked", "brand", "acmee").value
        'acmee'
    """

    field: str
    column: str
    value: str


@dataclass(frozen=True)
class FeedItemExplanation:
    """The way of one item through the pipeline.

    Attributes:
        id: Item id.
        sources: Sources that returned the item, in the order of the pipeline.
        stages: Rank and score after each stage that ordered the items.
        contributions: Features that moved the score most, the largest effect first.
        similar: Most similar items of the history in each space, the most similar first.

    Example:
        >>> FeedItemExplanation("lamp", (SourceRank("popular", 1, 9.0),)).sources[0].source
        'popular'
    """

    id: str
    sources: tuple[SourceRank, ...]
    stages: tuple[StageRank, ...] = ()
    contributions: tuple[FeatureContribution, ...] = ()
    similar: tuple[SimilarItem, ...] = ()


@dataclass(frozen=True)
class AbsentItem:
    """The place where an item was lost on its way to the feed.

    Attributes:
        id: Item id.
        stage: Stage that removed it; "sources" where none returned it, "merge" where it was beyond
            the largest number of candidates, "feed" where it was beyond the last position, and
            "catalogue" where the id is unknown.
        reason: Reason in words.
        sources: Sources that returned the item.
        similar: Most similar items of the history in each space, the most similar first.

    Example:
        >>> AbsentItem("rug", "seen", "it is in the user's history").stage
        'seen'
    """

    id: str
    stage: str
    reason: str
    sources: tuple[SourceRank, ...] = ()
    similar: tuple[SimilarItem, ...] = ()


@dataclass(frozen=True)
class FeedExplanation:
    """How a feed came to be.

    Attributes:
        items: Each item of the feed, in its order.
        absent: Items of ``explain_ids`` that are not in the feed.
        removed: Items that each stage removed, by the reason, in the order of the pipeline.
        unknown_values: Values of ``blocked`` and ``followed`` that no item has; they had no effect.

    Example:
        >>> FeedExplanation((), (AbsentItem("rug", "seen", "seen before"),)).absent[0].id
        'rug'
    """

    items: tuple[FeedItemExplanation, ...]
    absent: tuple[AbsentItem, ...] = ()
    removed: tuple[RemovedItems, ...] = ()
    unknown_values: tuple[UnknownValue, ...] = ()
