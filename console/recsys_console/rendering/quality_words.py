"""Names of scorers, segments and figures as people read them."""

from __future__ import annotations

_SEGMENTS = {
    "head": "Head: most popular items",
    "middle": "Middle",
    "tail": "Tail: least popular items",
    "cold": "Cold: new items",
    "warm": "Warm: items of the training",
    "new_users": "New users",
    "light_users": "Light users",
    "heavy_users": "Heavy users",
}
_SHORT = {"new_users": "new user", "light_users": "light user", "heavy_users": "heavy user"}
_SCORERS = {
    "two_tower": "Two towers",
    "two_tower_with_terms": "Two towers, with search terms",
    "random": "Random",
    "popularity": "Popularity",
    "item_knn": "Item kNN",
}


def segment_name(name: str) -> str:
    """A segment.

    Example:
        >>> segment_name("cold"), segment_name("event_buy")
        ('Cold: new items', 'Event: buy')
    """
    if name.startswith("event_"):
        return f"Event: {name.removeprefix('event_')}"
    return _SEGMENTS.get(name, name)


def segment_badge(name: str) -> str:
    """A segment in a badge.

    Example:
        >>> segment_badge("heavy_users"), segment_badge("cold")
        ('heavy user', 'cold')
    """
    return _SHORT.get(name, name)


def scorer_name(name: str) -> str:
    """A scorer.

    Example:
        >>> scorer_name("two_tower"), scorer_name("own")
        ('Two towers', 'own')
    """
    return _SCORERS.get(name, name)


def figure_name(name: str) -> str:
    """A figure without its k.

    Example:
        >>> figure_name("recall_of_cold@10"), figure_name("ndcg@10"), figure_name("hr@5")
        ('Recall, cold: new items', 'NDCG', 'Hit rate')
    """
    metric = name.rpartition("@")[0] or name
    names = {"hr": "Hit rate", "ndcg": "NDCG", "mrr": "MRR", "map": "MAP", "recall": "Recall"}
    names |= {"coverage": "Coverage", "cold_recall": "Recall among the cold items"}
    first, of, segment = metric.partition("_of_")
    if not of:
        return names.get(metric, metric)
    shown = segment_name(segment)
    return f"{names.get(first, first)}, {shown[:1].lower()}{shown[1:]}"
