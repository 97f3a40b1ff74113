from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UnknownUserPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNKNOWN_USER_POLICY_UNSPECIFIED: _ClassVar[UnknownUserPolicy]
    UNKNOWN_USER_POLICY_ERROR: _ClassVar[UnknownUserPolicy]
    UNKNOWN_USER_POLICY_EMPTY_HISTORY: _ClassVar[UnknownUserPolicy]
    UNKNOWN_USER_POLICY_POPULARITY: _ClassVar[UnknownUserPolicy]

class ColumnType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COLUMN_TYPE_UNSPECIFIED: _ClassVar[ColumnType]
    COLUMN_TYPE_TEXT: _ClassVar[ColumnType]
    COLUMN_TYPE_TEXTS: _ClassVar[ColumnType]
    COLUMN_TYPE_NUMBER: _ClassVar[ColumnType]
    COLUMN_TYPE_BOOLEAN: _ClassVar[ColumnType]
    COLUMN_TYPE_TIME: _ClassVar[ColumnType]
UNKNOWN_USER_POLICY_UNSPECIFIED: UnknownUserPolicy
UNKNOWN_USER_POLICY_ERROR: UnknownUserPolicy
UNKNOWN_USER_POLICY_EMPTY_HISTORY: UnknownUserPolicy
UNKNOWN_USER_POLICY_POPULARITY: UnknownUserPolicy
COLUMN_TYPE_UNSPECIFIED: ColumnType
COLUMN_TYPE_TEXT: ColumnType
COLUMN_TYPE_TEXTS: ColumnType
COLUMN_TYPE_NUMBER: ColumnType
COLUMN_TYPE_BOOLEAN: ColumnType
COLUMN_TYPE_TIME: ColumnType

class DescribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("bundle_version", "watermark", "spaces", "columns", "context", "limits", "items", "users", "unknown_user", "services", "fixed_catalogue_reason")
    class LimitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    BUNDLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_USER_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    FIXED_CATALOGUE_REASON_FIELD_NUMBER: _ClassVar[int]
    bundle_version: str
    watermark: int
    spaces: _containers.RepeatedCompositeFieldContainer[SpaceDescription]
    columns: _containers.RepeatedCompositeFieldContainer[ColumnDescription]
    context: _containers.RepeatedCompositeFieldContainer[ContextDescription]
    limits: _containers.ScalarMap[str, int]
    items: int
    users: int
    unknown_user: UnknownUserPolicy
    services: _containers.RepeatedScalarFieldContainer[str]
    fixed_catalogue_reason: str
    def __init__(self, bundle_version: _Optional[str] = ..., watermark: _Optional[int] = ..., spaces: _Optional[_Iterable[_Union[SpaceDescription, _Mapping[str, object]]]] = ..., columns: _Optional[_Iterable[_Union[ColumnDescription, _Mapping[str, object]]]] = ..., context: _Optional[_Iterable[_Union[ContextDescription, _Mapping[str, object]]]] = ..., limits: _Optional[_Mapping[str, int]] = ..., items: _Optional[int] = ..., users: _Optional[int] = ..., unknown_user: _Optional[_Union[UnknownUserPolicy, str]] = ..., services: _Optional[_Iterable[str]] = ..., fixed_catalogue_reason: _Optional[str] = ...) -> None: ...

class SpaceDescription(_message.Message):
    __slots__ = ("name", "dimensions", "items", "reads")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    READS_FIELD_NUMBER: _ClassVar[int]
    name: str
    dimensions: int
    items: int
    reads: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., dimensions: _Optional[int] = ..., items: _Optional[int] = ..., reads: _Optional[_Iterable[str]] = ...) -> None: ...

class ColumnDescription(_message.Message):
    __slots__ = ("name", "type", "items", "examples")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: ColumnType
    items: int
    examples: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[ColumnType, str]] = ..., items: _Optional[int] = ..., examples: _Optional[_Iterable[str]] = ...) -> None: ...

class ContextDescription(_message.Message):
    __slots__ = ("name", "values", "examples")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: int
    examples: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., values: _Optional[int] = ..., examples: _Optional[_Iterable[str]] = ...) -> None: ...
