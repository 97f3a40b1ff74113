from google.rpc import status_pb2 as _status_pb2
from recsys_client.pb.recsys.v1 import description_pb2 as _description_pb2
from recsys_client.pb.recsys.v1 import filter_pb2 as _filter_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SeenPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEEN_POLICY_UNSPECIFIED: _ClassVar[SeenPolicy]
    SEEN_POLICY_EXCLUDE: _ClassVar[SeenPolicy]
    SEEN_POLICY_INCLUDE: _ClassVar[SeenPolicy]

class UnknownHistoryPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNKNOWN_HISTORY_POLICY_UNSPECIFIED: _ClassVar[UnknownHistoryPolicy]
    UNKNOWN_HISTORY_POLICY_SKIP: _ClassVar[UnknownHistoryPolicy]
    UNKNOWN_HISTORY_POLICY_RAISE: _ClassVar[UnknownHistoryPolicy]

class Fallback(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FALLBACK_UNSPECIFIED: _ClassVar[Fallback]
    FALLBACK_EMPTY_HISTORY: _ClassVar[Fallback]
    FALLBACK_POPULARITY: _ClassVar[Fallback]
SEEN_POLICY_UNSPECIFIED: SeenPolicy
SEEN_POLICY_EXCLUDE: SeenPolicy
SEEN_POLICY_INCLUDE: SeenPolicy
UNKNOWN_HISTORY_POLICY_UNSPECIFIED: UnknownHistoryPolicy
UNKNOWN_HISTORY_POLICY_SKIP: UnknownHistoryPolicy
UNKNOWN_HISTORY_POLICY_RAISE: UnknownHistoryPolicy
FALLBACK_UNSPECIFIED: Fallback
FALLBACK_EMPTY_HISTORY: Fallback
FALLBACK_POPULARITY: Fallback

class Query(_message.Message):
    __slots__ = ("user_id", "history", "terms", "item_id", "image", "context", "item_ids", "vector")
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    history: History
    terms: str
    item_id: str
    image: bytes
    context: _containers.ScalarMap[str, str]
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    vector: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, user_id: _Optional[str] = ..., history: _Optional[_Union[History, _Mapping[str, object]]] = ..., terms: _Optional[str] = ..., item_id: _Optional[str] = ..., image: _Optional[bytes] = ..., context: _Optional[_Mapping[str, str]] = ..., item_ids: _Optional[_Iterable[str]] = ..., vector: _Optional[_Iterable[float]] = ...) -> None: ...

class History(_message.Message):
    __slots__ = ("item_ids", "times")
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    times: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, item_ids: _Optional[_Iterable[str]] = ..., times: _Optional[_Iterable[int]] = ...) -> None: ...

class Fusion(_message.Message):
    __slots__ = ("reciprocal_rank", "weighted_sum")
    RECIPROCAL_RANK_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_SUM_FIELD_NUMBER: _ClassVar[int]
    reciprocal_rank: ReciprocalRank
    weighted_sum: WeightedSum
    def __init__(self, reciprocal_rank: _Optional[_Union[ReciprocalRank, _Mapping[str, object]]] = ..., weighted_sum: _Optional[_Union[WeightedSum, _Mapping[str, object]]] = ...) -> None: ...

class ReciprocalRank(_message.Message):
    __slots__ = ("constant", "depth", "weights")
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    CONSTANT_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    constant: int
    depth: int
    weights: _containers.ScalarMap[str, float]
    def __init__(self, constant: _Optional[int] = ..., depth: _Optional[int] = ..., weights: _Optional[_Mapping[str, float]] = ...) -> None: ...

class WeightedSum(_message.Message):
    __slots__ = ("weights",)
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    weights: _containers.ScalarMap[str, float]
    def __init__(self, weights: _Optional[_Mapping[str, float]] = ...) -> None: ...

class RetrieveRequest(_message.Message):
    __slots__ = ("query", "k", "space", "exclude", "seen", "unknown_history", "fusion", "titles", "filter", "crowding", "effort", "explain", "bundle")
    class CrowdingEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    QUERY_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_FIELD_NUMBER: _ClassVar[int]
    SEEN_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_HISTORY_FIELD_NUMBER: _ClassVar[int]
    FUSION_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    CROWDING_FIELD_NUMBER: _ClassVar[int]
    EFFORT_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    query: Query
    k: int
    space: str
    exclude: _containers.RepeatedScalarFieldContainer[str]
    seen: SeenPolicy
    unknown_history: UnknownHistoryPolicy
    fusion: Fusion
    titles: bool
    filter: _filter_pb2.Filter
    crowding: _containers.ScalarMap[str, int]
    effort: float
    explain: bool
    bundle: str
    def __init__(self, query: _Optional[_Union[Query, _Mapping[str, object]]] = ..., k: _Optional[int] = ..., space: _Optional[str] = ..., exclude: _Optional[_Iterable[str]] = ..., seen: _Optional[_Union[SeenPolicy, str]] = ..., unknown_history: _Optional[_Union[UnknownHistoryPolicy, str]] = ..., fusion: _Optional[_Union[Fusion, _Mapping[str, object]]] = ..., titles: _Optional[bool] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping[str, object]]] = ..., crowding: _Optional[_Mapping[str, int]] = ..., effort: _Optional[float] = ..., explain: _Optional[bool] = ..., bundle: _Optional[str] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("item_id", "score", "rank", "parts", "title")
    class PartsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    score: float
    rank: int
    parts: _containers.ScalarMap[str, float]
    title: str
    def __init__(self, item_id: _Optional[str] = ..., score: _Optional[float] = ..., rank: _Optional[int] = ..., parts: _Optional[_Mapping[str, float]] = ..., title: _Optional[str] = ...) -> None: ...

class RetrieveResponse(_message.Message):
    __slots__ = ("candidates", "bundle_version", "space", "unknown_history_ids", "short_reason", "unknown_exclude_ids", "unread_terms", "explanation", "watermark", "fallback")
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_HISTORY_IDS_FIELD_NUMBER: _ClassVar[int]
    SHORT_REASON_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_EXCLUDE_IDS_FIELD_NUMBER: _ClassVar[int]
    UNREAD_TERMS_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    bundle_version: str
    space: str
    unknown_history_ids: _containers.RepeatedScalarFieldContainer[str]
    short_reason: str
    unknown_exclude_ids: _containers.RepeatedScalarFieldContainer[str]
    unread_terms: str
    explanation: Explanation
    watermark: int
    fallback: Fallback
    def __init__(self, candidates: _Optional[_Iterable[_Union[Candidate, _Mapping[str, object]]]] = ..., bundle_version: _Optional[str] = ..., space: _Optional[str] = ..., unknown_history_ids: _Optional[_Iterable[str]] = ..., short_reason: _Optional[str] = ..., unknown_exclude_ids: _Optional[_Iterable[str]] = ..., unread_terms: _Optional[str] = ..., explanation: _Optional[_Union[Explanation, _Mapping[str, object]]] = ..., watermark: _Optional[int] = ..., fallback: _Optional[_Union[Fallback, str]] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("spaces", "filter")
    SPACES_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    spaces: _containers.RepeatedCompositeFieldContainer[SpaceExplanation]
    filter: str
    def __init__(self, spaces: _Optional[_Iterable[_Union[SpaceExplanation, _Mapping[str, object]]]] = ..., filter: _Optional[str] = ...) -> None: ...

class SpaceExplanation(_message.Message):
    __slots__ = ("space", "eligible", "plan", "leaves", "depth", "read", "expected_recall", "rounds")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    ELIGIBLE_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    LEAVES_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_RECALL_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    space: str
    eligible: int
    plan: str
    leaves: int
    depth: int
    read: int
    expected_recall: float
    rounds: int
    def __init__(self, space: _Optional[str] = ..., eligible: _Optional[int] = ..., plan: _Optional[str] = ..., leaves: _Optional[int] = ..., depth: _Optional[int] = ..., read: _Optional[int] = ..., expected_recall: _Optional[float] = ..., rounds: _Optional[int] = ...) -> None: ...

class BatchRetrieveRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[RetrieveRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[RetrieveRequest, _Mapping[str, object]]]] = ...) -> None: ...

class RetrieveResult(_message.Message):
    __slots__ = ("response", "error")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    response: RetrieveResponse
    error: _status_pb2.Status
    def __init__(self, response: _Optional[_Union[RetrieveResponse, _Mapping[str, object]]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping[str, object]]] = ...) -> None: ...

class BatchRetrieveResponse(_message.Message):
    __slots__ = ("results", "bundle_version", "watermark")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[RetrieveResult]
    bundle_version: str
    watermark: int
    def __init__(self, results: _Optional[_Iterable[_Union[RetrieveResult, _Mapping[str, object]]]] = ..., bundle_version: _Optional[str] = ..., watermark: _Optional[int] = ...) -> None: ...
