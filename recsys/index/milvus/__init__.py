"""An index in Milvus: in a server, or in Milvus Lite, which needs none.

pymilvus (extra ``milvus``) is imported when such an index is built or loaded.
"""

from recsys.index.milvus.building import build_milvus, load_milvus
from recsys.index.milvus.index import MilvusIndex

__all__ = ["MilvusIndex", "build_milvus", "load_milvus"]
