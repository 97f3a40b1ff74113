from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Interaction(_message.Message):
    __slots__ = ("user_id", "item_id", "time", "event", "weight", "context", "terms", "impression_id")
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    IMPRESSION_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    item_id: str
    time: int
    event: str
    weight: float
    context: _containers.ScalarMap[str, str]
    terms: str
    impression_id: str
    def __init__(self, user_id: _Optional[str] = ..., item_id: _Optional[str] = ..., time: _Optional[int] = ..., event: _Optional[str] = ..., weight: _Optional[float] = ..., context: _Optional[_Mapping[str, str]] = ..., terms: _Optional[str] = ..., impression_id: _Optional[str] = ...) -> None: ...

class RecordInteractionsRequest(_message.Message):
    __slots__ = ("interactions", "idempotency_key")
    INTERACTIONS_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    interactions: _containers.RepeatedCompositeFieldContainer[Interaction]
    idempotency_key: str
    def __init__(self, interactions: _Optional[_Iterable[_Union[Interaction, _Mapping[str, object]]]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class RecordInteractionsResponse(_message.Message):
    __slots__ = ("watermark", "repeated_write", "bundle_version", "unknown_item_ids")
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    REPEATED_WRITE_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    watermark: int
    repeated_write: bool
    bundle_version: str
    unknown_item_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, watermark: _Optional[int] = ..., repeated_write: _Optional[bool] = ..., bundle_version: _Optional[str] = ..., unknown_item_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class StreamInteractionsRequest(_message.Message):
    __slots__ = ("interactions", "idempotency_key")
    INTERACTIONS_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    interactions: _containers.RepeatedCompositeFieldContainer[Interaction]
    idempotency_key: str
    def __init__(self, interactions: _Optional[_Iterable[_Union[Interaction, _Mapping[str, object]]]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class StreamInteractionsResponse(_message.Message):
    __slots__ = ("watermark", "recorded", "repeated_writes", "bundle_version")
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    REPEATED_WRITES_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    watermark: int
    recorded: int
    repeated_writes: int
    bundle_version: str
    def __init__(self, watermark: _Optional[int] = ..., recorded: _Optional[int] = ..., repeated_writes: _Optional[int] = ..., bundle_version: _Optional[str] = ...) -> None: ...

class GetHistoryRequest(_message.Message):
    __slots__ = ("user_id", "limit")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    limit: int
    def __init__(self, user_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class GetHistoryResponse(_message.Message):
    __slots__ = ("interactions", "watermark", "bundle_version")
    INTERACTIONS_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    interactions: _containers.RepeatedCompositeFieldContainer[Interaction]
    watermark: int
    bundle_version: str
    def __init__(self, interactions: _Optional[_Iterable[_Union[Interaction, _Mapping[str, object]]]] = ..., watermark: _Optional[int] = ..., bundle_version: _Optional[str] = ...) -> None: ...

class GetItemActivityRequest(_message.Message):
    __slots__ = ("item_id", "days")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    days: int
    def __init__(self, item_id: _Optional[str] = ..., days: _Optional[int] = ...) -> None: ...

class GetItemActivityResponse(_message.Message):
    __slots__ = ("interactions", "users", "days", "watermark", "bundle_version")
    INTERACTIONS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    interactions: int
    users: int
    days: _containers.RepeatedCompositeFieldContainer[DayActivity]
    watermark: int
    bundle_version: str
    def __init__(self, interactions: _Optional[int] = ..., users: _Optional[int] = ..., days: _Optional[_Iterable[_Union[DayActivity, _Mapping[str, object]]]] = ..., watermark: _Optional[int] = ..., bundle_version: _Optional[str] = ...) -> None: ...

class DayActivity(_message.Message):
    __slots__ = ("begins_at", "interactions")
    BEGINS_AT_FIELD_NUMBER: _ClassVar[int]
    INTERACTIONS_FIELD_NUMBER: _ClassVar[int]
    begins_at: int
    interactions: int
    def __init__(self, begins_at: _Optional[int] = ..., interactions: _Optional[int] = ...) -> None: ...

class ListItemUsersRequest(_message.Message):
    __slots__ = ("item_id", "limit")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    limit: int
    def __init__(self, item_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListItemUsersResponse(_message.Message):
    __slots__ = ("users", "watermark", "bundle_version")
    USERS_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[UserActivity]
    watermark: int
    bundle_version: str
    def __init__(self, users: _Optional[_Iterable[_Union[UserActivity, _Mapping[str, object]]]] = ..., watermark: _Optional[int] = ..., bundle_version: _Optional[str] = ...) -> None: ...

class ListRecentUsersRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListRecentUsersResponse(_message.Message):
    __slots__ = ("users", "watermark", "bundle_version")
    USERS_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[UserActivity]
    watermark: int
    bundle_version: str
    def __init__(self, users: _Optional[_Iterable[_Union[UserActivity, _Mapping[str, object]]]] = ..., watermark: _Optional[int] = ..., bundle_version: _Optional[str] = ...) -> None: ...

class UserActivity(_message.Message):
    __slots__ = ("user_id", "interactions", "last_at")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    INTERACTIONS_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    interactions: int
    last_at: int
    def __init__(self, user_id: _Optional[str] = ..., interactions: _Optional[int] = ..., last_at: _Optional[int] = ...) -> None: ...

class DeleteUserRequest(_message.Message):
    __slots__ = ("user_id", "idempotency_key")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    idempotency_key: str
    def __init__(self, user_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class DeleteUserResponse(_message.Message):
    __slots__ = ("watermark", "repeated_write", "bundle_version")
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    REPEATED_WRITE_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    watermark: int
    repeated_write: bool
    bundle_version: str
    def __init__(self, watermark: _Optional[int] = ..., repeated_write: _Optional[bool] = ..., bundle_version: _Optional[str] = ...) -> None: ...
