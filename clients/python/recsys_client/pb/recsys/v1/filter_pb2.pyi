from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Filter(_message.Message):
    __slots__ = ("eq", "in_set", "range", "exists", "contains", "all_of", "any_of", "negation")
    EQ_FIELD_NUMBER: _ClassVar[int]
    IN_SET_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    CONTAINS_FIELD_NUMBER: _ClassVar[int]
    ALL_OF_FIELD_NUMBER: _ClassVar[int]
    ANY_OF_FIELD_NUMBER: _ClassVar[int]
    NEGATION_FIELD_NUMBER: _ClassVar[int]
    eq: Comparison
    in_set: ValueSet
    range: ValueRange
    exists: ColumnName
    contains: Comparison
    all_of: FilterList
    any_of: FilterList
    negation: Filter
    def __init__(self, eq: _Optional[_Union[Comparison, _Mapping[str, object]]] = ..., in_set: _Optional[_Union[ValueSet, _Mapping[str, object]]] = ..., range: _Optional[_Union[ValueRange, _Mapping[str, object]]] = ..., exists: _Optional[_Union[ColumnName, _Mapping[str, object]]] = ..., contains: _Optional[_Union[Comparison, _Mapping[str, object]]] = ..., all_of: _Optional[_Union[FilterList, _Mapping[str, object]]] = ..., any_of: _Optional[_Union[FilterList, _Mapping[str, object]]] = ..., negation: _Optional[_Union[Filter, _Mapping[str, object]]] = ...) -> None: ...

class ColumnName(_message.Message):
    __slots__ = ("column",)
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    column: str
    def __init__(self, column: _Optional[str] = ...) -> None: ...

class Comparison(_message.Message):
    __slots__ = ("column", "value")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    column: str
    value: FilterValue
    def __init__(self, column: _Optional[str] = ..., value: _Optional[_Union[FilterValue, _Mapping[str, object]]] = ...) -> None: ...

class ValueSet(_message.Message):
    __slots__ = ("column", "values")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    column: str
    values: _containers.RepeatedCompositeFieldContainer[FilterValue]
    def __init__(self, column: _Optional[str] = ..., values: _Optional[_Iterable[_Union[FilterValue, _Mapping[str, object]]]] = ...) -> None: ...

class ValueRange(_message.Message):
    __slots__ = ("column", "gt", "ge", "lt", "le")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    GT_FIELD_NUMBER: _ClassVar[int]
    GE_FIELD_NUMBER: _ClassVar[int]
    LT_FIELD_NUMBER: _ClassVar[int]
    LE_FIELD_NUMBER: _ClassVar[int]
    column: str
    gt: FilterValue
    ge: FilterValue
    lt: FilterValue
    le: FilterValue
    def __init__(self, column: _Optional[str] = ..., gt: _Optional[_Union[FilterValue, _Mapping[str, object]]] = ..., ge: _Optional[_Union[FilterValue, _Mapping[str, object]]] = ..., lt: _Optional[_Union[FilterValue, _Mapping[str, object]]] = ..., le: _Optional[_Union[FilterValue, _Mapping[str, object]]] = ...) -> None: ...

class FilterList(_message.Message):
    __slots__ = ("filters",)
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    filters: _containers.RepeatedCompositeFieldContainer[Filter]
    def __init__(self, filters: _Optional[_Iterable[_Union[Filter, _Mapping[str, object]]]] = ...) -> None: ...

class FilterValue(_message.Message):
    __slots__ = ("text", "number", "flag")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    text: str
    number: float
    flag: bool
    def __init__(self, text: _Optional[str] = ..., number: _Optional[float] = ..., flag: _Optional[bool] = ...) -> None: ...
