"""Rules for protos, read off compiled descriptors: style as in buf's STANDARD and COMMENTS
categories, and which changes break those who already use a contract.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

PASCAL = re.compile(r"([A-Z][a-z0-9]*)+")
LOWER_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
UPPER_SNAKE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
VERSIONED = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\.v[1-9]\d*((alpha|beta)[1-9]\d*)?")


def style_faults(descriptors: FileDescriptorSet) -> list[str]:
    """What is against the style, one line a fault."""
    return [
        f"{file.name}: {fault}"
        for file in descriptors.file
        for check in (_file, _names, _comments, _unused_imports)
        for fault in check(file)
    ] + list(_calls(descriptors))


def breaking_changes(old: FileDescriptorSet, new: FileDescriptorSet) -> list[str]:
    """What callers of ``old`` would miss in ``new``, one line a change."""
    now = dict(_elements(new))
    return [
        f"{name}: {f'was {was}, is now {now[name]}' if name in now else 'is gone'}"
        for name, was in _elements(old)
        if now.get(name) != was
    ]


def _elements(descriptors: FileDescriptorSet) -> Iterator[tuple[str, str]]:
    """Every element that a caller may rely on: its name, and the form it must keep."""
    for file in descriptors.file:
        yield file.name, f"package {file.package}"
        for message_name, message in _messages(file.message_type, file.package):
            yield message_name, "message"
            for field in message.field:
                yield f"{message_name} field {field.number}", _form(message, field)
        for enum_name, enum in _enums(file):
            yield enum_name, "enum"
            for value in enum.value:
                yield f"{enum_name} value {value.number}", value.name
        for service in file.service:
            yield f"{file.package}.{service.name}", "service"
            for method in service.method:
                yield (
                    f"{file.package}.{service.name}.{method.name}",
                    f"{method.input_type} -> {method.output_type},"
                    f" streams {method.client_streaming} {method.server_streaming}",
                )


def _form(message: DescriptorProto, field: FieldDescriptorProto) -> str:
    kind = FieldDescriptorProto.Type.Name(field.type)
    label = FieldDescriptorProto.Label.Name(field.label)
    choice = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
    return " ".join(filter(None, (field.name, label, kind, field.type_name, choice)))


def _messages(
    messages: Iterable[DescriptorProto], prefix: str
) -> Iterator[tuple[str, DescriptorProto]]:
    for message in messages:
        name = f"{prefix}.{message.name}"
        yield name, message
        yield from _messages(message.nested_type, name)


def _enums(file: FileDescriptorProto) -> Iterator[tuple[str, EnumDescriptorProto]]:
    for enum in file.enum_type:
        yield f"{file.package}.{enum.name}", enum
    for name, message in _messages(file.message_type, file.package):
        for enum in message.enum_type:
            yield f"{name}.{enum.name}", enum


def _file(file: FileDescriptorProto) -> Iterator[str]:
    if file.syntax != "proto3":
        yield "must say syntax proto3"
    if not VERSIONED.fullmatch(file.package):
        yield f"package '{file.package}' must be lower_snake.case and end in a version"
    folder, _, name = file.name.rpartition("/")
    if folder != file.package.replace(".", "/"):
        yield f"package '{file.package}' must lie in the folder of the same name"
    if not LOWER_SNAKE.fullmatch(name.removesuffix(".proto")):
        yield "the file name must be lower_snake_case"
    if file.public_dependency or file.weak_dependency:
        yield "imports must be neither public nor weak"


def _names(file: FileDescriptorProto) -> Iterator[str]:
    for _, message in _messages(file.message_type, file.package):
        yield from _misnamed("message", [message.name], PASCAL)
        yield from _misnamed("field", [field.name for field in message.field], LOWER_SNAKE)
        choices = [one.name for one in message.oneof_decl if not one.name.startswith("_")]
        yield from _misnamed("oneof", choices, LOWER_SNAKE)
    for _, enum in _enums(file):
        yield from _misnamed("enum", [enum.name], PASCAL)
        yield from _enum_values(enum)
    for service in file.service:
        yield from _misnamed("service", [service.name], PASCAL)
        if not service.name.endswith("Service"):
            yield f"service '{service.name}' must end in Service"
        yield from _misnamed("method", [method.name for method in service.method], PASCAL)


def _enum_values(enum: EnumDescriptorProto) -> Iterator[str]:
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper() + "_"
    if enum.options.allow_alias:
        yield f"enum '{enum.name}' must not allow aliases"
    for value in enum.value:
        yield from _misnamed("enum value", [value.name], UPPER_SNAKE)
        if not value.name.startswith(prefix):
            yield f"enum value '{value.name}' must begin with {prefix}"
        if (value.number == 0) != value.name.endswith("_UNSPECIFIED"):
            yield f"enum '{enum.name}' must have _UNSPECIFIED = 0, and only there"


def _misnamed(kind: str, names: Iterable[str], form: re.Pattern[str]) -> Iterator[str]:
    wanted = {PASCAL: "PascalCase", LOWER_SNAKE: "lower_snake_case", UPPER_SNAKE: "UPPER_SNAKE"}
    for name in names:
        if not form.fullmatch(name):
            yield f"{kind} '{name}' must be {wanted[form]}"


def _calls(descriptors: FileDescriptorSet) -> Iterator[str]:
    users: dict[str, str] = {}
    for file in descriptors.file:
        for service in file.service:
            yield from _call_types(service, file.package, users)


def _call_types(
    service: ServiceDescriptorProto, package: str, users: dict[str, str]
) -> Iterator[str]:
    for method in service.method:
        for kind, suffix in ((method.input_type, "Request"), (method.output_type, "Response")):
            allowed = [f".{package}.{start}{method.name}{suffix}" for start in ("", service.name)]
            if kind not in allowed:
                yield f"method '{method.name}' must use {method.name}{suffix}, not {kind}"
            if kind in users:
                yield f"{kind} is used by both {users[kind]} and {method.name}"
            users[kind] = method.name


def _unused_imports(file: FileDescriptorProto) -> Iterator[str]:
    used = {
        field.type_name.lstrip(".")
        for _, message in _messages(file.message_type, file.package)
        for field in message.field
        if field.type_name
    } | {
        kind.lstrip(".")
        for service in file.service
        for method in service.method
        for kind in (method.input_type, method.output_type)
    }
    for dependency in file.dependency:
        package = dependency.rpartition("/")[0].replace("/", ".")
        if not any(name.startswith(f"{package}.") for name in used):
            yield f"import of '{dependency}' is not used"


def _comments(file: FileDescriptorProto) -> Iterator[str]:
    """Elements without a comment before them, found by their paths in the source information."""
    commented = {
        tuple(location.path)
        for location in file.source_code_info.location
        if location.leading_comments.strip()
    }
    for path, name in _paths(file):
        if path not in commented:
            yield f"'{name}' has no comment"


def _paths(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    number = FileDescriptorProto
    yield from _message_paths(file.message_type, (number.MESSAGE_TYPE_FIELD_NUMBER,))
    yield from _enum_paths(file.enum_type, (number.ENUM_TYPE_FIELD_NUMBER,))
    for at, service in enumerate(file.service):
        path = (number.SERVICE_FIELD_NUMBER, at)
        yield path, service.name
        yield from _part_paths(service.method, (*path, service.METHOD_FIELD_NUMBER))


def _message_paths(
    messages: Sequence[DescriptorProto], prefix: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], str]]:
    for at, message in enumerate(messages):
        if message.options.map_entry:  # what the compiler makes of a map
            continue
        path = (*prefix, at)
        yield path, message.name
        yield from _part_paths(message.field, (*path, message.FIELD_FIELD_NUMBER))
        yield from _part_paths(
            message.oneof_decl,
            (*path, message.ONEOF_DECL_FIELD_NUMBER),
            lambda one: not one.name.startswith("_"),  # an optional field's own
        )
        yield from _enum_paths(message.enum_type, (*path, message.ENUM_TYPE_FIELD_NUMBER))
        yield from _message_paths(message.nested_type, (*path, message.NESTED_TYPE_FIELD_NUMBER))


def _enum_paths(
    enums: Sequence[EnumDescriptorProto], prefix: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], str]]:
    for at, enum in enumerate(enums):
        yield (*prefix, at), enum.name
        yield from _part_paths(enum.value, (*prefix, at, enum.VALUE_FIELD_NUMBER))


def _part_paths(
    parts: Sequence[Any], prefix: tuple[int, ...], wanted: Callable[[Any], bool] = lambda part: True
) -> Iterator[tuple[tuple[int, ...], str]]:
    for at, part in enumerate(parts):
        if wanted(part):
            yield (*prefix, at), part.name
