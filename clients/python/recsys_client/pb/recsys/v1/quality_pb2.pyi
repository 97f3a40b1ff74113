from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SearchOrigin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEARCH_ORIGIN_UNSPECIFIED: _ClassVar[SearchOrigin]
    SEARCH_ORIGIN_RECORDED: _ClassVar[SearchOrigin]
    SEARCH_ORIGIN_TRAINING: _ClassVar[SearchOrigin]

class SearchOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEARCH_ORDER_UNSPECIFIED: _ClassVar[SearchOrder]
    SEARCH_ORDER_USES: _ClassVar[SearchOrder]
    SEARCH_ORDER_LATEST: _ClassVar[SearchOrder]

class MapMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MAP_METHOD_UNSPECIFIED: _ClassVar[MapMethod]
    MAP_METHOD_PCA: _ClassVar[MapMethod]
    MAP_METHOD_UMAP: _ClassVar[MapMethod]
SEARCH_ORIGIN_UNSPECIFIED: SearchOrigin
SEARCH_ORIGIN_RECORDED: SearchOrigin
SEARCH_ORIGIN_TRAINING: SearchOrigin
SEARCH_ORDER_UNSPECIFIED: SearchOrder
SEARCH_ORDER_USES: SearchOrder
SEARCH_ORDER_LATEST: SearchOrder
MAP_METHOD_UNSPECIFIED: MapMethod
MAP_METHOD_PCA: MapMethod
MAP_METHOD_UMAP: MapMethod

class GetReportRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class GetReportResponse(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: Report
    def __init__(self, report: _Optional[_Union[Report, _Mapping[str, object]]] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("version", "name", "seeds", "protocol", "k", "scorers", "segments", "figures", "epochs", "queries", "failed_queries", "failures")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SEEDS_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    SCORERS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    FAILED_QUERIES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    version: str
    name: str
    seeds: _containers.RepeatedScalarFieldContainer[int]
    protocol: str
    k: int
    scorers: _containers.RepeatedCompositeFieldContainer[ScorerReport]
    segments: _containers.RepeatedCompositeFieldContainer[Segment]
    figures: _containers.RepeatedCompositeFieldContainer[Figure]
    epochs: _containers.RepeatedCompositeFieldContainer[Epoch]
    queries: int
    failed_queries: int
    failures: _containers.RepeatedCompositeFieldContainer[FailedQuery]
    def __init__(self, version: _Optional[str] = ..., name: _Optional[str] = ..., seeds: _Optional[_Iterable[int]] = ..., protocol: _Optional[str] = ..., k: _Optional[int] = ..., scorers: _Optional[_Iterable[_Union[ScorerReport, _Mapping[str, object]]]] = ..., segments: _Optional[_Iterable[_Union[Segment, _Mapping[str, object]]]] = ..., figures: _Optional[_Iterable[_Union[Figure, _Mapping[str, object]]]] = ..., epochs: _Optional[_Iterable[_Union[Epoch, _Mapping[str, object]]]] = ..., queries: _Optional[int] = ..., failed_queries: _Optional[int] = ..., failures: _Optional[_Iterable[_Union[FailedQuery, _Mapping[str, object]]]] = ...) -> None: ...

class ScorerReport(_message.Message):
    __slots__ = ("name", "baseline", "figures")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    name: str
    baseline: bool
    figures: _containers.RepeatedCompositeFieldContainer[Figure]
    def __init__(self, name: _Optional[str] = ..., baseline: _Optional[bool] = ..., figures: _Optional[_Iterable[_Union[Figure, _Mapping[str, object]]]] = ...) -> None: ...

class Figure(_message.Message):
    __slots__ = ("name", "value", "low", "high")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    low: float
    high: float
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class Segment(_message.Message):
    __slots__ = ("name", "queries", "recalls")
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    RECALLS_FIELD_NUMBER: _ClassVar[int]
    name: str
    queries: int
    recalls: _containers.RepeatedCompositeFieldContainer[Figure]
    def __init__(self, name: _Optional[str] = ..., queries: _Optional[int] = ..., recalls: _Optional[_Iterable[_Union[Figure, _Mapping[str, object]]]] = ...) -> None: ...

class Epoch(_message.Message):
    __slots__ = ("number", "figures")
    class FiguresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    number: int
    figures: _containers.ScalarMap[str, float]
    def __init__(self, number: _Optional[int] = ..., figures: _Optional[_Mapping[str, float]] = ...) -> None: ...

class FailedQuery(_message.Message):
    __slots__ = ("user_id", "history_ids", "history_length", "terms", "expected", "answered_ids", "segments")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    HISTORY_IDS_FIELD_NUMBER: _ClassVar[int]
    HISTORY_LENGTH_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_IDS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    history_ids: _containers.RepeatedScalarFieldContainer[str]
    history_length: int
    terms: str
    expected: _containers.RepeatedCompositeFieldContainer[ExpectedItem]
    answered_ids: _containers.RepeatedScalarFieldContainer[str]
    segments: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, user_id: _Optional[str] = ..., history_ids: _Optional[_Iterable[str]] = ..., history_length: _Optional[int] = ..., terms: _Optional[str] = ..., expected: _Optional[_Iterable[_Union[ExpectedItem, _Mapping[str, object]]]] = ..., answered_ids: _Optional[_Iterable[str]] = ..., segments: _Optional[_Iterable[str]] = ...) -> None: ...

class ExpectedItem(_message.Message):
    __slots__ = ("item_id", "rank", "segments")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    rank: int
    segments: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, item_id: _Optional[str] = ..., rank: _Optional[int] = ..., segments: _Optional[_Iterable[str]] = ...) -> None: ...

class CompareReportsRequest(_message.Message):
    __slots__ = ("version_a", "version_b")
    VERSION_A_FIELD_NUMBER: _ClassVar[int]
    VERSION_B_FIELD_NUMBER: _ClassVar[int]
    version_a: str
    version_b: str
    def __init__(self, version_a: _Optional[str] = ..., version_b: _Optional[str] = ...) -> None: ...

class CompareReportsResponse(_message.Message):
    __slots__ = ("version_a", "version_b", "figures", "queries", "unpaired_reason", "settings")
    VERSION_A_FIELD_NUMBER: _ClassVar[int]
    VERSION_B_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    UNPAIRED_REASON_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    version_a: str
    version_b: str
    figures: _containers.RepeatedCompositeFieldContainer[FigureComparison]
    queries: int
    unpaired_reason: str
    settings: _containers.RepeatedCompositeFieldContainer[SettingComparison]
    def __init__(self, version_a: _Optional[str] = ..., version_b: _Optional[str] = ..., figures: _Optional[_Iterable[_Union[FigureComparison, _Mapping[str, object]]]] = ..., queries: _Optional[int] = ..., unpaired_reason: _Optional[str] = ..., settings: _Optional[_Iterable[_Union[SettingComparison, _Mapping[str, object]]]] = ...) -> None: ...

class FigureComparison(_message.Message):
    __slots__ = ("name", "a", "b", "difference", "low", "high")
    NAME_FIELD_NUMBER: _ClassVar[int]
    A_FIELD_NUMBER: _ClassVar[int]
    B_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    name: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    def __init__(self, name: _Optional[str] = ..., a: _Optional[float] = ..., b: _Optional[float] = ..., difference: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class SettingComparison(_message.Message):
    __slots__ = ("key", "a", "b")
    KEY_FIELD_NUMBER: _ClassVar[int]
    A_FIELD_NUMBER: _ClassVar[int]
    B_FIELD_NUMBER: _ClassVar[int]
    key: str
    a: str
    b: str
    def __init__(self, key: _Optional[str] = ..., a: _Optional[str] = ..., b: _Optional[str] = ...) -> None: ...

class ListSearchesRequest(_message.Message):
    __slots__ = ("origin", "contains", "order", "page_size", "page_token")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    CONTAINS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    origin: SearchOrigin
    contains: str
    order: SearchOrder
    page_size: int
    page_token: str
    def __init__(self, origin: _Optional[_Union[SearchOrigin, str]] = ..., contains: _Optional[str] = ..., order: _Optional[_Union[SearchOrder, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSearchesResponse(_message.Message):
    __slots__ = ("searches", "next_page_token", "terms", "uses", "first_time", "last_time", "previous_page_token")
    SEARCHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    searches: _containers.RepeatedCompositeFieldContainer[Search]
    next_page_token: str
    terms: int
    uses: int
    first_time: int
    last_time: int
    previous_page_token: str
    def __init__(self, searches: _Optional[_Iterable[_Union[Search, _Mapping[str, object]]]] = ..., next_page_token: _Optional[str] = ..., terms: _Optional[int] = ..., uses: _Optional[int] = ..., first_time: _Optional[int] = ..., last_time: _Optional[int] = ..., previous_page_token: _Optional[str] = ...) -> None: ...

class Search(_message.Message):
    __slots__ = ("terms", "uses", "items", "last_time", "series")
    TERMS_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    terms: str
    uses: int
    items: int
    last_time: int
    series: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, terms: _Optional[str] = ..., uses: _Optional[int] = ..., items: _Optional[int] = ..., last_time: _Optional[int] = ..., series: _Optional[_Iterable[int]] = ...) -> None: ...

class GetItemMapRequest(_message.Message):
    __slots__ = ("space", "method", "column", "max_points")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    space: str
    method: MapMethod
    column: str
    max_points: int
    def __init__(self, space: _Optional[str] = ..., method: _Optional[_Union[MapMethod, str]] = ..., column: _Optional[str] = ..., max_points: _Optional[int] = ...) -> None: ...

class GetItemMapResponse(_message.Message):
    __slots__ = ("bundle_version", "pending", "item_ids", "x", "y", "titles", "labels", "point_labels", "items", "explained_variance", "methods", "points")
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    POINT_LABELS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_VARIANCE_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    bundle_version: str
    pending: bool
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    x: _containers.RepeatedScalarFieldContainer[float]
    y: _containers.RepeatedScalarFieldContainer[float]
    titles: _containers.RepeatedScalarFieldContainer[str]
    labels: _containers.RepeatedScalarFieldContainer[str]
    point_labels: _containers.RepeatedScalarFieldContainer[int]
    items: int
    explained_variance: float
    methods: _containers.RepeatedScalarFieldContainer[MapMethod]
    points: int
    def __init__(self, bundle_version: _Optional[str] = ..., pending: _Optional[bool] = ..., item_ids: _Optional[_Iterable[str]] = ..., x: _Optional[_Iterable[float]] = ..., y: _Optional[_Iterable[float]] = ..., titles: _Optional[_Iterable[str]] = ..., labels: _Optional[_Iterable[str]] = ..., point_labels: _Optional[_Iterable[int]] = ..., items: _Optional[int] = ..., explained_variance: _Optional[float] = ..., methods: _Optional[_Iterable[_Union[MapMethod, str]]] = ..., points: _Optional[int] = ...) -> None: ...
