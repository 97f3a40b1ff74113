"""Choice of the partitions of a ScaNN index, and of the settings of its searches."""

from recsys.index.building.sample import Queries

__all__ = ["Queries"]
