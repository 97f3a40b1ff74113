from recsys_client.pb.recsys.v1 import filter_pb2 as _filter_pb2
from recsys_client.pb.recsys.v1 import retrieval_pb2 as _retrieval_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FeedSlot(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEED_SLOT_UNSPECIFIED: _ClassVar[FeedSlot]
    FEED_SLOT_RANKED: _ClassVar[FeedSlot]
    FEED_SLOT_EXPLORED: _ClassVar[FeedSlot]
    FEED_SLOT_PINNED: _ClassVar[FeedSlot]
    FEED_SLOT_PROMOTED: _ClassVar[FeedSlot]

class StageRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_ROLE_UNSPECIFIED: _ClassVar[StageRole]
    STAGE_ROLE_SOURCE: _ClassVar[StageRole]
    STAGE_ROLE_MERGE: _ClassVar[StageRole]
    STAGE_ROLE_HYDRATOR: _ClassVar[StageRole]
    STAGE_ROLE_FILTER: _ClassVar[StageRole]
    STAGE_ROLE_SCORER: _ClassVar[StageRole]
    STAGE_ROLE_DIVERSITY: _ClassVar[StageRole]
    STAGE_ROLE_SLOTS: _ClassVar[StageRole]

class StageStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_STATUS_UNSPECIFIED: _ClassVar[StageStatus]
    STAGE_STATUS_OK: _ClassVar[StageStatus]
    STAGE_STATUS_OFF: _ClassVar[StageStatus]
    STAGE_STATUS_IDLE: _ClassVar[StageStatus]
    STAGE_STATUS_FAILED: _ClassVar[StageStatus]
    STAGE_STATUS_LATE: _ClassVar[StageStatus]
    STAGE_STATUS_BUSY: _ClassVar[StageStatus]
FEED_SLOT_UNSPECIFIED: FeedSlot
FEED_SLOT_RANKED: FeedSlot
FEED_SLOT_EXPLORED: FeedSlot
FEED_SLOT_PINNED: FeedSlot
FEED_SLOT_PROMOTED: FeedSlot
STAGE_ROLE_UNSPECIFIED: StageRole
STAGE_ROLE_SOURCE: StageRole
STAGE_ROLE_MERGE: StageRole
STAGE_ROLE_HYDRATOR: StageRole
STAGE_ROLE_FILTER: StageRole
STAGE_ROLE_SCORER: StageRole
STAGE_ROLE_DIVERSITY: StageRole
STAGE_ROLE_SLOTS: StageRole
STAGE_STATUS_UNSPECIFIED: StageStatus
STAGE_STATUS_OK: StageStatus
STAGE_STATUS_OFF: StageStatus
STAGE_STATUS_IDLE: StageStatus
STAGE_STATUS_FAILED: StageStatus
STAGE_STATUS_LATE: StageStatus
STAGE_STATUS_BUSY: StageStatus

class RankFeedRequest(_message.Message):
    __slots__ = ("query", "k", "pipeline", "exclude", "seen", "filter", "blocked", "followed", "candidates", "candidate_scores", "pinned", "promoted", "now", "seed", "titles", "explain", "explain_ids", "bundle")
    class BlockedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ColumnValues
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ColumnValues, _Mapping[str, object]]] = ...) -> None: ...
    class FollowedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ColumnValues
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ColumnValues, _Mapping[str, object]]] = ...) -> None: ...
    QUERY_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_FIELD_NUMBER: _ClassVar[int]
    SEEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    FOLLOWED_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_SCORES_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    PROMOTED_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_IDS_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    query: _retrieval_pb2.Query
    k: int
    pipeline: str
    exclude: _containers.RepeatedScalarFieldContainer[str]
    seen: _retrieval_pb2.SeenPolicy
    filter: _filter_pb2.Filter
    blocked: _containers.MessageMap[str, ColumnValues]
    followed: _containers.MessageMap[str, ColumnValues]
    candidates: _containers.RepeatedScalarFieldContainer[str]
    candidate_scores: _containers.RepeatedScalarFieldContainer[float]
    pinned: _containers.RepeatedScalarFieldContainer[str]
    promoted: _containers.RepeatedScalarFieldContainer[str]
    now: int
    seed: int
    titles: bool
    explain: bool
    explain_ids: _containers.RepeatedScalarFieldContainer[str]
    bundle: str
    def __init__(self, query: _Optional[_Union[_retrieval_pb2.Query, _Mapping[str, object]]] = ..., k: _Optional[int] = ..., pipeline: _Optional[str] = ..., exclude: _Optional[_Iterable[str]] = ..., seen: _Optional[_Union[_retrieval_pb2.SeenPolicy, str]] = ..., filter: _Optional[_Union[_filter_pb2.Filter, _Mapping[str, object]]] = ..., blocked: _Optional[_Mapping[str, ColumnValues]] = ..., followed: _Optional[_Mapping[str, ColumnValues]] = ..., candidates: _Optional[_Iterable[str]] = ..., candidate_scores: _Optional[_Iterable[float]] = ..., pinned: _Optional[_Iterable[str]] = ..., promoted: _Optional[_Iterable[str]] = ..., now: _Optional[int] = ..., seed: _Optional[int] = ..., titles: _Optional[bool] = ..., explain: _Optional[bool] = ..., explain_ids: _Optional[_Iterable[str]] = ..., bundle: _Optional[str] = ...) -> None: ...

class ColumnValues(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...

class FeedItem(_message.Message):
    __slots__ = ("item_id", "position", "score", "sources", "slot", "propensity", "title")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    position: int
    score: float
    sources: _containers.RepeatedScalarFieldContainer[str]
    slot: FeedSlot
    propensity: float
    title: str
    def __init__(self, item_id: _Optional[str] = ..., position: _Optional[int] = ..., score: _Optional[float] = ..., sources: _Optional[_Iterable[str]] = ..., slot: _Optional[_Union[FeedSlot, str]] = ..., propensity: _Optional[float] = ..., title: _Optional[str] = ...) -> None: ...

class StageReport(_message.Message):
    __slots__ = ("stage", "role", "status", "given", "returned", "seconds", "message")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    RETURNED_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    stage: str
    role: StageRole
    status: StageStatus
    given: int
    returned: int
    seconds: float
    message: str
    def __init__(self, stage: _Optional[str] = ..., role: _Optional[_Union[StageRole, str]] = ..., status: _Optional[_Union[StageStatus, str]] = ..., given: _Optional[int] = ..., returned: _Optional[int] = ..., seconds: _Optional[float] = ..., message: _Optional[str] = ...) -> None: ...

class RankFeedResponse(_message.Message):
    __slots__ = ("items", "pipeline", "pipeline_version", "stages", "short_reason", "unknown_history_ids", "unknown_exclude_ids", "unknown_candidate_ids", "known_user", "bundle_version", "watermark", "request_id", "explanation")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_VERSION_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    SHORT_REASON_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_HISTORY_IDS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_EXCLUDE_IDS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_CANDIDATE_IDS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_USER_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[FeedItem]
    pipeline: str
    pipeline_version: str
    stages: _containers.RepeatedCompositeFieldContainer[StageReport]
    short_reason: str
    unknown_history_ids: _containers.RepeatedScalarFieldContainer[str]
    unknown_exclude_ids: _containers.RepeatedScalarFieldContainer[str]
    unknown_candidate_ids: _containers.RepeatedScalarFieldContainer[str]
    known_user: bool
    bundle_version: str
    watermark: int
    request_id: str
    explanation: FeedExplanation
    def __init__(self, items: _Optional[_Iterable[_Union[FeedItem, _Mapping[str, object]]]] = ..., pipeline: _Optional[str] = ..., pipeline_version: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[StageReport, _Mapping[str, object]]]] = ..., short_reason: _Optional[str] = ..., unknown_history_ids: _Optional[_Iterable[str]] = ..., unknown_exclude_ids: _Optional[_Iterable[str]] = ..., unknown_candidate_ids: _Optional[_Iterable[str]] = ..., known_user: _Optional[bool] = ..., bundle_version: _Optional[str] = ..., watermark: _Optional[int] = ..., request_id: _Optional[str] = ..., explanation: _Optional[_Union[FeedExplanation, _Mapping[str, object]]] = ...) -> None: ...

class FeedExplanation(_message.Message):
    __slots__ = ("items", "absent", "removed", "unknown_values")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    ABSENT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_VALUES_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[FeedItemExplanation]
    absent: _containers.RepeatedCompositeFieldContainer[AbsentItem]
    removed: _containers.RepeatedCompositeFieldContainer[RemovedItems]
    unknown_values: _containers.RepeatedCompositeFieldContainer[UnknownValue]
    def __init__(self, items: _Optional[_Iterable[_Union[FeedItemExplanation, _Mapping[str, object]]]] = ..., absent: _Optional[_Iterable[_Union[AbsentItem, _Mapping[str, object]]]] = ..., removed: _Optional[_Iterable[_Union[RemovedItems, _Mapping[str, object]]]] = ..., unknown_values: _Optional[_Iterable[_Union[UnknownValue, _Mapping[str, object]]]] = ...) -> None: ...

class UnknownValue(_message.Message):
    __slots__ = ("field", "column", "value")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    field: str
    column: str
    value: str
    def __init__(self, field: _Optional[str] = ..., column: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class RemovedItems(_message.Message):
    __slots__ = ("stage", "reason", "count", "item_ids")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    stage: str
    reason: str
    count: int
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, stage: _Optional[str] = ..., reason: _Optional[str] = ..., count: _Optional[int] = ..., item_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SimilarItem(_message.Message):
    __slots__ = ("item_id", "space", "similarity")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    space: str
    similarity: float
    def __init__(self, item_id: _Optional[str] = ..., space: _Optional[str] = ..., similarity: _Optional[float] = ...) -> None: ...

class FeedItemExplanation(_message.Message):
    __slots__ = ("item_id", "sources", "stages", "contributions", "similar")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    SIMILAR_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    sources: _containers.RepeatedCompositeFieldContainer[SourceRank]
    stages: _containers.RepeatedCompositeFieldContainer[StageRank]
    contributions: _containers.RepeatedCompositeFieldContainer[FeatureContribution]
    similar: _containers.RepeatedCompositeFieldContainer[SimilarItem]
    def __init__(self, item_id: _Optional[str] = ..., sources: _Optional[_Iterable[_Union[SourceRank, _Mapping[str, object]]]] = ..., stages: _Optional[_Iterable[_Union[StageRank, _Mapping[str, object]]]] = ..., contributions: _Optional[_Iterable[_Union[FeatureContribution, _Mapping[str, object]]]] = ..., similar: _Optional[_Iterable[_Union[SimilarItem, _Mapping[str, object]]]] = ...) -> None: ...

class SourceRank(_message.Message):
    __slots__ = ("source", "rank", "score")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    source: str
    rank: int
    score: float
    def __init__(self, source: _Optional[str] = ..., rank: _Optional[int] = ..., score: _Optional[float] = ...) -> None: ...

class StageRank(_message.Message):
    __slots__ = ("stage", "rank", "score")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    stage: str
    rank: int
    score: float
    def __init__(self, stage: _Optional[str] = ..., rank: _Optional[int] = ..., score: _Optional[float] = ...) -> None: ...

class FeatureContribution(_message.Message):
    __slots__ = ("feature", "value", "contribution")
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    feature: str
    value: float
    contribution: float
    def __init__(self, feature: _Optional[str] = ..., value: _Optional[float] = ..., contribution: _Optional[float] = ...) -> None: ...

class AbsentItem(_message.Message):
    __slots__ = ("item_id", "stage", "reason", "sources", "similar")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    SIMILAR_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    stage: str
    reason: str
    sources: _containers.RepeatedCompositeFieldContainer[SourceRank]
    similar: _containers.RepeatedCompositeFieldContainer[SimilarItem]
    def __init__(self, item_id: _Optional[str] = ..., stage: _Optional[str] = ..., reason: _Optional[str] = ..., sources: _Optional[_Iterable[_Union[SourceRank, _Mapping[str, object]]]] = ..., similar: _Optional[_Iterable[_Union[SimilarItem, _Mapping[str, object]]]] = ...) -> None: ...

class ListPipelinesRequest(_message.Message):
    __slots__ = ("bundle",)
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    bundle: str
    def __init__(self, bundle: _Optional[str] = ...) -> None: ...

class ListPipelinesResponse(_message.Message):
    __slots__ = ("pipelines", "bundle_version")
    PIPELINES_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    pipelines: _containers.RepeatedCompositeFieldContainer[PipelineDescription]
    bundle_version: str
    def __init__(self, pipelines: _Optional[_Iterable[_Union[PipelineDescription, _Mapping[str, object]]]] = ..., bundle_version: _Optional[str] = ...) -> None: ...

class PipelineDescription(_message.Message):
    __slots__ = ("name", "version", "share", "budget_seconds", "stages")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    BUDGET_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    share: float
    budget_seconds: float
    stages: _containers.RepeatedCompositeFieldContainer[StageDescription]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., share: _Optional[float] = ..., budget_seconds: _Optional[float] = ..., stages: _Optional[_Iterable[_Union[StageDescription, _Mapping[str, object]]]] = ...) -> None: ...

class StageDescription(_message.Message):
    __slots__ = ("stage", "kind", "role", "enabled", "budget_seconds", "settings")
    class SettingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    STAGE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    BUDGET_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    stage: str
    kind: str
    role: StageRole
    enabled: bool
    budget_seconds: float
    settings: _containers.ScalarMap[str, str]
    def __init__(self, stage: _Optional[str] = ..., kind: _Optional[str] = ..., role: _Optional[_Union[StageRole, str]] = ..., enabled: _Optional[bool] = ..., budget_seconds: _Optional[float] = ..., settings: _Optional[_Mapping[str, str]] = ...) -> None: ...
