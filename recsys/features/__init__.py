"""Feature blocks: named matrices of item features, and the cache of encoded contents."""

from __future__ import annotations

from recsys.features.attributes import (
    AttributeConfig,
    AttributeSchema,
    attribute_block,
    category_values,
)
from recsys.features.block import FeatureBlock
from recsys.features.cache import CachedEncoding, FeatureCache
from recsys.features.item_encoding import ItemEncoder, text_parts
from recsys.features.pictures import CataloguePictures
from recsys.features.pooling import mean_of_items
from recsys.features.spectral import (
    normalised_interactions,
    plain_interactions,
    spectral_vectors,
)
from recsys.features.users import USER_VECTORS, user_block

__all__ = [
    "USER_VECTORS",
    "AttributeConfig",
    "AttributeSchema",
    "CachedEncoding",
    "CataloguePictures",
    "FeatureBlock",
    "FeatureCache",
    "ItemEncoder",
    "attribute_block",
    "category_values",
    "mean_of_items",
    "normalised_interactions",
    "plain_interactions",
    "spectral_vectors",
    "text_parts",
    "user_block",
]
