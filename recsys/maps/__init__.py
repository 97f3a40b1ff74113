"""Maps: a sample of the items of a space as points of a plane."""

from recsys.maps.item_map import ItemMap, sample_rows
from recsys.maps.labels import point_labels
from recsys.maps.projection import METHODS, Method, available_methods, project

__all__ = [
    "METHODS",
    "ItemMap",
    "Method",
    "available_methods",
    "point_labels",
    "project",
    "sample_rows",
]
