"""Filters: predicates over the attributes of the items that a search may return."""

from recsys_client.filters.comparisons import Contains, Eq, Exists, In, Range
from recsys_client.filters.json_form import filter_from_json, filter_to_json
from recsys_client.filters.text_form import parse_filter, to_text
from recsys_client.filters.tree import And, Filter, Not, Or
from recsys_client.filters.values import Value

__all__ = [
    "And",
    "Contains",
    "Eq",
    "Exists",
    "Filter",
    "In",
    "Not",
    "Or",
    "Range",
    "Value",
    "filter_from_json",
    "filter_to_json",
    "parse_filter",
    "to_text",
]
