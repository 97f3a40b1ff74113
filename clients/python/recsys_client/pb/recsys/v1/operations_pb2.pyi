from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WorkerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WORKER_STATE_UNSPECIFIED: _ClassVar[WorkerState]
    WORKER_STATE_STARTING: _ClassVar[WorkerState]
    WORKER_STATE_READY: _ClassVar[WorkerState]
    WORKER_STATE_ENDED: _ClassVar[WorkerState]

class AlertSeverity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALERT_SEVERITY_UNSPECIFIED: _ClassVar[AlertSeverity]
    ALERT_SEVERITY_WARNING: _ClassVar[AlertSeverity]
    ALERT_SEVERITY_CRITICAL: _ClassVar[AlertSeverity]

class SettingSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SETTING_SOURCE_UNSPECIFIED: _ClassVar[SettingSource]
    SETTING_SOURCE_DEFAULT: _ClassVar[SettingSource]
    SETTING_SOURCE_FILE: _ClassVar[SettingSource]
    SETTING_SOURCE_ENVIRONMENT: _ClassVar[SettingSource]
    SETTING_SOURCE_OPTION: _ClassVar[SettingSource]
WORKER_STATE_UNSPECIFIED: WorkerState
WORKER_STATE_STARTING: WorkerState
WORKER_STATE_READY: WorkerState
WORKER_STATE_ENDED: WorkerState
ALERT_SEVERITY_UNSPECIFIED: AlertSeverity
ALERT_SEVERITY_WARNING: AlertSeverity
ALERT_SEVERITY_CRITICAL: AlertSeverity
SETTING_SOURCE_UNSPECIFIED: SettingSource
SETTING_SOURCE_DEFAULT: SettingSource
SETTING_SOURCE_FILE: SettingSource
SETTING_SOURCE_ENVIRONMENT: SettingSource
SETTING_SOURCE_OPTION: SettingSource

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("version", "started_at", "uptime_seconds", "active", "canary", "workers", "workers_replaced", "store", "indexes", "audits", "items", "users", "interactions", "services", "alerts", "caller")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    UPTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    CANARY_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    WORKERS_REPLACED_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    INDEXES_FIELD_NUMBER: _ClassVar[int]
    AUDITS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    INTERACTIONS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    version: str
    started_at: int
    uptime_seconds: float
    active: ServedBundle
    canary: ServedBundle
    workers: _containers.RepeatedCompositeFieldContainer[WorkerStatus]
    workers_replaced: int
    store: StoreStatus
    indexes: _containers.RepeatedCompositeFieldContainer[IndexStatus]
    audits: _containers.RepeatedCompositeFieldContainer[AuditStatus]
    items: int
    users: int
    interactions: int
    services: _containers.RepeatedCompositeFieldContainer[ServiceHealth]
    alerts: _containers.RepeatedCompositeFieldContainer[Alert]
    caller: Token
    def __init__(self, version: _Optional[str] = ..., started_at: _Optional[int] = ..., uptime_seconds: _Optional[float] = ..., active: _Optional[_Union[ServedBundle, _Mapping[str, object]]] = ..., canary: _Optional[_Union[ServedBundle, _Mapping[str, object]]] = ..., workers: _Optional[_Iterable[_Union[WorkerStatus, _Mapping[str, object]]]] = ..., workers_replaced: _Optional[int] = ..., store: _Optional[_Union[StoreStatus, _Mapping[str, object]]] = ..., indexes: _Optional[_Iterable[_Union[IndexStatus, _Mapping[str, object]]]] = ..., audits: _Optional[_Iterable[_Union[AuditStatus, _Mapping[str, object]]]] = ..., items: _Optional[int] = ..., users: _Optional[int] = ..., interactions: _Optional[int] = ..., services: _Optional[_Iterable[_Union[ServiceHealth, _Mapping[str, object]]]] = ..., alerts: _Optional[_Iterable[_Union[Alert, _Mapping[str, object]]]] = ..., caller: _Optional[_Union[Token, _Mapping[str, object]]] = ...) -> None: ...

class ServedBundle(_message.Message):
    __slots__ = ("version", "created_at", "share", "workers")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    version: str
    created_at: int
    share: float
    workers: int
    def __init__(self, version: _Optional[str] = ..., created_at: _Optional[int] = ..., share: _Optional[float] = ..., workers: _Optional[int] = ...) -> None: ...

class WorkerStatus(_message.Message):
    __slots__ = ("number", "process_id", "state", "started_at", "memory_bytes", "cpu_seconds", "calls", "calls_in_flight", "bundle_version", "watermark", "lag_changes", "lag_seconds", "silent_seconds")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PROCESS_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    CPU_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    CALLS_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    LAG_CHANGES_FIELD_NUMBER: _ClassVar[int]
    LAG_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SILENT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    number: int
    process_id: int
    state: WorkerState
    started_at: int
    memory_bytes: int
    cpu_seconds: float
    calls: int
    calls_in_flight: int
    bundle_version: str
    watermark: int
    lag_changes: int
    lag_seconds: float
    silent_seconds: float
    def __init__(self, number: _Optional[int] = ..., process_id: _Optional[int] = ..., state: _Optional[_Union[WorkerState, str]] = ..., started_at: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., cpu_seconds: _Optional[float] = ..., calls: _Optional[int] = ..., calls_in_flight: _Optional[int] = ..., bundle_version: _Optional[str] = ..., watermark: _Optional[int] = ..., lag_changes: _Optional[int] = ..., lag_seconds: _Optional[float] = ..., silent_seconds: _Optional[float] = ...) -> None: ...

class StoreStatus(_message.Message):
    __slots__ = ("backend", "bytes", "watermark", "readable", "changes_waiting", "changes_refused")
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    READABLE_FIELD_NUMBER: _ClassVar[int]
    CHANGES_WAITING_FIELD_NUMBER: _ClassVar[int]
    CHANGES_REFUSED_FIELD_NUMBER: _ClassVar[int]
    backend: str
    bytes: int
    watermark: int
    readable: bool
    changes_waiting: int
    changes_refused: int
    def __init__(self, backend: _Optional[str] = ..., bytes: _Optional[int] = ..., watermark: _Optional[int] = ..., readable: _Optional[bool] = ..., changes_waiting: _Optional[int] = ..., changes_refused: _Optional[int] = ...) -> None: ...

class IndexStatus(_message.Message):
    __slots__ = ("bundle", "space", "items", "delta_items", "hidden_items", "built_at", "recall_target")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    DELTA_ITEMS_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_ITEMS_FIELD_NUMBER: _ClassVar[int]
    BUILT_AT_FIELD_NUMBER: _ClassVar[int]
    RECALL_TARGET_FIELD_NUMBER: _ClassVar[int]
    bundle: str
    space: str
    items: int
    delta_items: int
    hidden_items: int
    built_at: int
    recall_target: float
    def __init__(self, bundle: _Optional[str] = ..., space: _Optional[str] = ..., items: _Optional[int] = ..., delta_items: _Optional[int] = ..., hidden_items: _Optional[int] = ..., built_at: _Optional[int] = ..., recall_target: _Optional[float] = ...) -> None: ...

class AuditStatus(_message.Message):
    __slots__ = ("bundle", "space", "kind", "recall", "recall_low", "recall_target", "samples", "drifting")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    RECALL_LOW_FIELD_NUMBER: _ClassVar[int]
    RECALL_TARGET_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    DRIFTING_FIELD_NUMBER: _ClassVar[int]
    bundle: str
    space: str
    kind: str
    recall: float
    recall_low: float
    recall_target: float
    samples: int
    drifting: bool
    def __init__(self, bundle: _Optional[str] = ..., space: _Optional[str] = ..., kind: _Optional[str] = ..., recall: _Optional[float] = ..., recall_low: _Optional[float] = ..., recall_target: _Optional[float] = ..., samples: _Optional[int] = ..., drifting: _Optional[bool] = ...) -> None: ...

class ServiceHealth(_message.Message):
    __slots__ = ("name", "workers_serving", "fault")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WORKERS_SERVING_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    name: str
    workers_serving: int
    fault: str
    def __init__(self, name: _Optional[str] = ..., workers_serving: _Optional[int] = ..., fault: _Optional[str] = ...) -> None: ...

class Alert(_message.Message):
    __slots__ = ("code", "severity", "summary", "action", "since")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    code: str
    severity: AlertSeverity
    summary: str
    action: str
    since: int
    def __init__(self, code: _Optional[str] = ..., severity: _Optional[_Union[AlertSeverity, str]] = ..., summary: _Optional[str] = ..., action: _Optional[str] = ..., since: _Optional[int] = ...) -> None: ...

class GetTimeSeriesRequest(_message.Message):
    __slots__ = ("minutes",)
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    minutes: int
    def __init__(self, minutes: _Optional[int] = ...) -> None: ...

class GetTimeSeriesResponse(_message.Message):
    __slots__ = ("minutes",)
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    minutes: _containers.RepeatedCompositeFieldContainer[MinuteFigures]
    def __init__(self, minutes: _Optional[_Iterable[_Union[MinuteFigures, _Mapping[str, object]]]] = ...) -> None: ...

class MinuteFigures(_message.Message):
    __slots__ = ("begins_at", "seconds", "calls", "errors", "refused", "latency_p50_seconds", "latency_p99_seconds", "interactions", "methods")
    class ErrorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    BEGINS_AT_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P50_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P99_SECONDS_FIELD_NUMBER: _ClassVar[int]
    INTERACTIONS_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    begins_at: int
    seconds: float
    calls: int
    errors: _containers.ScalarMap[str, int]
    refused: int
    latency_p50_seconds: float
    latency_p99_seconds: float
    interactions: int
    methods: _containers.RepeatedCompositeFieldContainer[MethodFigures]
    def __init__(self, begins_at: _Optional[int] = ..., seconds: _Optional[float] = ..., calls: _Optional[int] = ..., errors: _Optional[_Mapping[str, int]] = ..., refused: _Optional[int] = ..., latency_p50_seconds: _Optional[float] = ..., latency_p99_seconds: _Optional[float] = ..., interactions: _Optional[int] = ..., methods: _Optional[_Iterable[_Union[MethodFigures, _Mapping[str, object]]]] = ...) -> None: ...

class MethodFigures(_message.Message):
    __slots__ = ("method", "calls", "errors", "latency_p50_seconds", "latency_p99_seconds")
    class ErrorsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    METHOD_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P50_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P99_SECONDS_FIELD_NUMBER: _ClassVar[int]
    method: str
    calls: int
    errors: _containers.ScalarMap[str, int]
    latency_p50_seconds: float
    latency_p99_seconds: float
    def __init__(self, method: _Optional[str] = ..., calls: _Optional[int] = ..., errors: _Optional[_Mapping[str, int]] = ..., latency_p50_seconds: _Optional[float] = ..., latency_p99_seconds: _Optional[float] = ...) -> None: ...

class ListSlowRequestsRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListSlowRequestsResponse(_message.Message):
    __slots__ = ("threshold_seconds", "requests")
    THRESHOLD_SECONDS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    threshold_seconds: float
    requests: _containers.RepeatedCompositeFieldContainer[SlowRequest]
    def __init__(self, threshold_seconds: _Optional[float] = ..., requests: _Optional[_Iterable[_Union[SlowRequest, _Mapping[str, object]]]] = ...) -> None: ...

class SlowRequest(_message.Message):
    __slots__ = ("ended_at", "method", "status", "seconds", "caller", "request_id", "worker")
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    ended_at: int
    method: str
    status: str
    seconds: float
    caller: str
    request_id: str
    worker: int
    def __init__(self, ended_at: _Optional[int] = ..., method: _Optional[str] = ..., status: _Optional[str] = ..., seconds: _Optional[float] = ..., caller: _Optional[str] = ..., request_id: _Optional[str] = ..., worker: _Optional[int] = ...) -> None: ...

class GetConfigurationRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetConfigurationResponse(_message.Message):
    __slots__ = ("settings",)
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    settings: _containers.RepeatedCompositeFieldContainer[Setting]
    def __init__(self, settings: _Optional[_Iterable[_Union[Setting, _Mapping[str, object]]]] = ...) -> None: ...

class Setting(_message.Message):
    __slots__ = ("name", "value", "source", "variable")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VARIABLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    source: SettingSource
    variable: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., source: _Optional[_Union[SettingSource, str]] = ..., variable: _Optional[str] = ...) -> None: ...

class ListTokensRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTokensResponse(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedCompositeFieldContainer[Token]
    def __init__(self, tokens: _Optional[_Iterable[_Union[Token, _Mapping[str, object]]]] = ...) -> None: ...

class Token(_message.Message):
    __slots__ = ("name", "scopes", "created_at", "expires_at", "rate", "expired", "current")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    created_at: int
    expires_at: int
    rate: str
    expired: bool
    current: bool
    def __init__(self, name: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., created_at: _Optional[int] = ..., expires_at: _Optional[int] = ..., rate: _Optional[str] = ..., expired: _Optional[bool] = ..., current: _Optional[bool] = ...) -> None: ...

class CreateTokenRequest(_message.Message):
    __slots__ = ("name", "scopes", "expires_at", "rate")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    expires_at: int
    rate: str
    def __init__(self, name: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., expires_at: _Optional[int] = ..., rate: _Optional[str] = ...) -> None: ...

class CreateTokenResponse(_message.Message):
    __slots__ = ("token", "secret")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    token: Token
    secret: str
    def __init__(self, token: _Optional[_Union[Token, _Mapping[str, object]]] = ..., secret: _Optional[str] = ...) -> None: ...

class RevokeTokenRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RevokeTokenResponse(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: Token
    def __init__(self, token: _Optional[_Union[Token, _Mapping[str, object]]] = ...) -> None: ...
