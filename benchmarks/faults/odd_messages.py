"""Requests that are made to harm: bytes of no message, odd values, very long lists."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from recsys_client.pb.recsys.v1 import (
    bundle_pb2,
    catalog_pb2,
    feed_pb2,
    interaction_pb2,
    operations_pb2,
    quality_pb2,
    retrieval_pb2,
)

METHODS: list[MethodDescriptor] = [
    method
    for file in (
        *(retrieval_pb2, feed_pb2, interaction_pb2, catalog_pb2, bundle_pb2),
        *(operations_pb2, quality_pb2),
    )
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
"""Every method of every service."""
_TEXTS = (
    *("", " ", "\0", "é", "\u202egnp", "..", "../../etc/passwd", "/dev/zero", "C:\\NUL", "%s%n"),
    *("x" * 600, "\U0001f600" * 200, "a\u0301" * 300, "two_tower", "text", "image", "text+image"),
    *("two_tower+text+image+text", "MTp2OQ==", "current", "-1", "nan", "'; DROP TABLE events; --"),
)
_NUMBERS = (0, 1, -1, 7, 100, 1_000, 2**31 - 1, -(2**31))
_LONG = (*_NUMBERS, 2**63 - 1, -(2**63), 2**53 + 1)
_FLOATS = (0.0, -0.0, 1.5, -1.0, float("nan"), float("inf"), float("-inf"), 1e-45, 3e38)


@dataclass(frozen=True)
class OddMessages:
    """Odd requests, drawn at random.

    Args:
        rng: Source of randomness.
        templates: Requests that a service answers; others are made of them by a few odd changes.
        texts: Further texts, such as ids that the service knows.
        files: Further contents of fields of bytes, such as pictures.
        long_bytes: Number of bytes of very long lists and texts, about.
    """

    rng: random.Random
    templates: Sequence[Message] = ()
    texts: Sequence[str] = ()
    files: Sequence[bytes] = ()
    long_bytes: int = 1_000_000

    def requests(self, method: MethodDescriptor) -> list[bytes]:
        """One request of a method, or several of a method with a stream of them."""
        count = self.rng.randrange(5) if method.client_streaming else 1
        return [self._request(method.input_type) for _ in range(count)]

    def message(self, kind: Descriptor) -> Message:
        """A message with random fields, whose values are odd."""
        message = GetMessageClass(kind)()
        share = self.rng.choice((0.2, 0.5))
        self._fill(message, share, depth=0)
        return message

    def _request(self, kind: Descriptor) -> bytes:
        makers: list[tuple[int, Callable[[Descriptor], bytes]]] = [
            (10, self._noise),
            (10, self._damaged),
            (5, self._long),
            (30, lambda each: self.message(each).SerializeToString()),
            (45, lambda each: self._changed(each).SerializeToString()),
        ]
        weights, choices = zip(*makers)
        chosen: Callable[[Descriptor], bytes] = self.rng.choices(choices, weights)[0]
        return chosen(kind)

    def _noise(self, kind: Descriptor) -> bytes:
        return self.rng.randbytes(self.rng.choice((0, 1, 10, 1_000, 100_000)))

    def _damaged(self, kind: Descriptor) -> bytes:
        raw = bytearray(self._template(kind).SerializeToString())
        for _ in range(self.rng.randrange(1, 4)):
            if raw:
                raw[self.rng.randrange(len(raw))] = self.rng.randrange(256)
        return bytes(raw[: self.rng.randrange(len(raw) + 1)] if self.rng.random() < 0.5 else raw)

    def _long(self, kind: Descriptor) -> bytes:
        """A request with a very long list, map or text."""
        message: Any = self._template(kind)
        fields = [field for field in kind.fields if field.is_repeated] or list(kind.fields)
        if not fields:
            return bytes(self.long_bytes)
        field = self.rng.choice(fields)
        if not field.is_repeated:
            if field.type == FieldDescriptor.TYPE_STRING:
                setattr(message, field.name, "x" * self.long_bytes)
            return bytes(message.SerializeToString())
        if _is_map(field):
            other: Any = GetMessageClass(kind)()
            for number in range(self.long_bytes // 50):
                self._set_entry(getattr(other, field.name), field, f"{number:030d}", depth=6)
            message.MergeFrom(other)
            return bytes(message.SerializeToString())
        one: Any = GetMessageClass(kind)()
        getattr(one, field.name).append(self._value(field, depth=6))
        entry: bytes = one.SerializeToString()
        return message.SerializeToString() + entry * (self.long_bytes // max(2, len(entry)))

    def _changed(self, kind: Descriptor) -> Message:
        message = self._template(kind)
        for _ in range(self.rng.randrange(1, 4)):
            self._change(message)
        return message

    def _template(self, kind: Descriptor) -> Message:
        fitting = [each for each in self.templates if kind == each.DESCRIPTOR]
        if not fitting:
            return self.message(kind)
        message = GetMessageClass(kind)()
        message.CopyFrom(self.rng.choice(fitting))
        return message

    def _change(self, message: Any) -> None:
        """Set, add to or clear one field, or one inside."""
        if not message.DESCRIPTOR.fields:
            return
        field = self.rng.choice(message.DESCRIPTOR.fields)
        if self.rng.random() < 0.1:
            message.ClearField(field.name)
        elif _is_map(field):
            text = self.rng.choice((*_TEXTS, *self.texts))
            self._set_entry(getattr(message, field.name), field, text, depth=3)
        elif field.is_repeated:
            values = getattr(message, field.name)
            if field.message_type is not None and len(values) and self.rng.random() < 0.7:
                self._change(self.rng.choice(values))
            else:
                values.append(self._value(field, depth=3))
        elif field.message_type is not None:
            self._change(getattr(message, field.name))
        else:
            setattr(message, field.name, self._value(field, depth=3))

    def _fill(self, message: Any, share: float, depth: int) -> None:
        for field in message.DESCRIPTOR.fields:
            if self.rng.random() > share or depth > 6:
                continue
            if _is_map(field):
                for _ in range(2):
                    text = self.rng.choice((*_TEXTS, *self.texts))
                    self._set_entry(getattr(message, field.name), field, text, depth)
            elif field.is_repeated:
                count = 2 if field.message_type is not None else self.rng.choice((1, 2, 50))
                values = [self._value(field, depth) for _ in range(count)]
                getattr(message, field.name).extend(values)
            elif field.message_type is not None:
                getattr(message, field.name).CopyFrom(self._value(field, depth))
            else:
                setattr(message, field.name, self._value(field, depth))

    def _set_entry(self, target: Any, field: FieldDescriptor, key: str, depth: int) -> None:
        value = field.message_type.fields_by_name["value"]
        if value.message_type is not None:
            target[key].CopyFrom(self._value(value, depth))
        else:
            target[key] = self._value(value, depth)

    def _value(self, field: FieldDescriptor, depth: int) -> Any:
        if field.message_type is not None:
            made = GetMessageClass(field.message_type)()
            self._fill(made, 0.5, depth + 1)
            return made
        kinds: dict[int, Sequence[Any]] = {
            FieldDescriptor.TYPE_STRING: (*_TEXTS, *self.texts),
            FieldDescriptor.TYPE_BYTES: (b"", b"3", bytes(100), *self.files),
            FieldDescriptor.TYPE_BOOL: (True, False),
            FieldDescriptor.TYPE_INT32: _NUMBERS,
            FieldDescriptor.TYPE_INT64: _LONG,
            FieldDescriptor.TYPE_UINT32: (0, 1, 7, 1_000, 2**32 - 1),
            FieldDescriptor.TYPE_ENUM: (0, 1, 2, 99),
            FieldDescriptor.TYPE_DOUBLE: (*_FLOATS, 1e300),
            FieldDescriptor.TYPE_FLOAT: _FLOATS,
        }
        return self.rng.choice(kinds[field.type])


def _is_map(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return kind is not None and bool(kind.GetOptions().map_entry)
