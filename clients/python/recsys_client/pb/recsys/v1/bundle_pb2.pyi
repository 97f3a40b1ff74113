from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Bundle(_message.Message):
    __slots__ = ("version", "created_at", "watermark", "active", "canary_share", "fault", "has_report")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    CANARY_SHARE_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    HAS_REPORT_FIELD_NUMBER: _ClassVar[int]
    version: str
    created_at: int
    watermark: int
    active: bool
    canary_share: float
    fault: str
    has_report: bool
    def __init__(self, version: _Optional[str] = ..., created_at: _Optional[int] = ..., watermark: _Optional[int] = ..., active: _Optional[bool] = ..., canary_share: _Optional[float] = ..., fault: _Optional[str] = ..., has_report: _Optional[bool] = ...) -> None: ...

class ListBundlesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListBundlesResponse(_message.Message):
    __slots__ = ("bundles",)
    BUNDLES_FIELD_NUMBER: _ClassVar[int]
    bundles: _containers.RepeatedCompositeFieldContainer[Bundle]
    def __init__(self, bundles: _Optional[_Iterable[_Union[Bundle, _Mapping[str, object]]]] = ...) -> None: ...

class GetActiveBundleRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetActiveBundleResponse(_message.Message):
    __slots__ = ("bundle", "canary")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    CANARY_FIELD_NUMBER: _ClassVar[int]
    bundle: Bundle
    canary: Bundle
    def __init__(self, bundle: _Optional[_Union[Bundle, _Mapping[str, object]]] = ..., canary: _Optional[_Union[Bundle, _Mapping[str, object]]] = ...) -> None: ...

class ActivateBundleRequest(_message.Message):
    __slots__ = ("version", "idempotency_key")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    version: str
    idempotency_key: str
    def __init__(self, version: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ActivateBundleResponse(_message.Message):
    __slots__ = ("bundle", "previous_version")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_VERSION_FIELD_NUMBER: _ClassVar[int]
    bundle: Bundle
    previous_version: str
    def __init__(self, bundle: _Optional[_Union[Bundle, _Mapping[str, object]]] = ..., previous_version: _Optional[str] = ...) -> None: ...

class RollbackBundleRequest(_message.Message):
    __slots__ = ("idempotency_key",)
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: str
    def __init__(self, idempotency_key: _Optional[str] = ...) -> None: ...

class RollbackBundleResponse(_message.Message):
    __slots__ = ("bundle", "previous_version")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_VERSION_FIELD_NUMBER: _ClassVar[int]
    bundle: Bundle
    previous_version: str
    def __init__(self, bundle: _Optional[_Union[Bundle, _Mapping[str, object]]] = ..., previous_version: _Optional[str] = ...) -> None: ...

class SetCanaryRequest(_message.Message):
    __slots__ = ("version", "share", "idempotency_key")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    version: str
    share: float
    idempotency_key: str
    def __init__(self, version: _Optional[str] = ..., share: _Optional[float] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class SetCanaryResponse(_message.Message):
    __slots__ = ("bundle", "canary")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    CANARY_FIELD_NUMBER: _ClassVar[int]
    bundle: Bundle
    canary: Bundle
    def __init__(self, bundle: _Optional[_Union[Bundle, _Mapping[str, object]]] = ..., canary: _Optional[_Union[Bundle, _Mapping[str, object]]] = ...) -> None: ...
