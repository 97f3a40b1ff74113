"""Grammar of the text form of a filter."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from lark import (
    Lark,
    Token,
    Transformer,
    UnexpectedCharacters,
    UnexpectedInput,
    UnexpectedToken,
    v_args,
)

from recsys_client.filters.comparisons import Contains, Eq, Exists, In, Range
from recsys_client.filters.tree import And, Filter, Not, Or
from recsys_client.filters.values import Value

_GRAMMAR = r"""
?start: disjunction
?disjunction: conjunction | conjunction (_OR conjunction)+ -> any_of
?conjunction: negation | negation (_AND negation)+ -> all_of
?negation: predicate | _NOT negation -> negated

?predicate: "(" disjunction ")"
    | column -> flag
    | column _EQUAL value -> equal
    | column _UNEQUAL value -> unequal
    | column COMPARE value -> bounded
    | value COMPARE column -> bounded_before
    | value COMPARE column COMPARE value -> bounded_twice
    | column _BETWEEN value _AND value -> between
    | column _IN "(" value ("," value)* ")" -> among
    | column _NOT _IN "(" value ("," value)* ")" -> not_among
    | column _CONTAINS value -> contains
    | column _IS _MISSING -> missing
    | column _IS _NOT _MISSING -> present
    | _EXISTS "(" column ")" -> present

column: NAME -> plain_name
    | QUOTED_NAME -> quoted_name
value: TEXT -> text
    | TIME -> time
    | NUMBER -> number
    | _TRUE -> true
    | _FALSE -> false

_AND.2: /and(?![\w.-])/i
_OR.2: /or(?![\w.-])/i
_NOT.2: /not(?![\w.-])/i
_IN.2: /in(?![\w.-])/i
_BETWEEN.2: /between(?![\w.-])/i
_CONTAINS.2: /contains(?![\w.-])/i
_EXISTS.2: /exists(?![\w.-])/i
_IS.2: /is(?![\w.-])/i
_MISSING.2: /missing(?![\w.-])/i
_TRUE.2: /true(?![\w.-])/i
_FALSE.2: /false(?![\w.-])/i
_EQUAL: /==?/
_UNEQUAL: "!=" | "<>"
COMPARE: /[<>]=?/
NAME: /[^\W\d][\w.-]*/
QUOTED_NAME: /`(``|[^`])+`/
TEXT: /"(\\.|[^"\\])*"/s | /'(\\.|[^'\\])*'/s
TIME.2: /\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?(?![\w.-])/
NUMBER: /[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?(?![\w.])/i
%ignore /\s+/
"""
_VALUES = {"TEXT", "TIME", "NUMBER", "_TRUE", "_FALSE"}
_NAMES = {"NAME", "QUOTED_NAME"}
_OPERATORS = {"_EQUAL", "_UNEQUAL", "COMPARE", "_IN", "_BETWEEN", "_CONTAINS", "_IS"}
_WORDS = {
    "LPAR": "'('",
    "RPAR": "')'",
    "COMMA": "','",
    "COMPARE": "a comparison (<, <=, >, >=)",
    "$END": "the end",
}
_BOUNDS = {">": "gt", ">=": "ge", "<": "lt", "<=": "le"}
_MIRRORED = {"<": "gt", "<=": "ge", ">": "lt", ">=": "le"}
"""Name of the bound that a comparison states for the column on its right or left."""


class FilterSyntaxError(Exception):
    """A text that is no filter.

    Args:
        position: Number of characters before the fault.
        reason: Expected and actual text.
    """

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position
        self.reason = reason


def parse(text: str) -> Filter:
    """The filter of a text.

    Raises:
        FilterSyntaxError: The text is no filter.
        InvalidRequestError: A part of the filter is invalid, or it is too large.
    """
    try:
        parsed: Any = _parser().parse(text)
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    filter: Filter = parsed
    return filter


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    """Builds the tree while the text is parsed."""

    def any_of(self, *parts: Filter) -> Filter:
        return Or(parts)

    def all_of(self, *parts: Filter) -> Filter:
        return And(parts)

    def negated(self, part: Filter) -> Filter:
        return Not(part)

    def flag(self, column: str) -> Filter:
        return Eq(column, True)

    def equal(self, column: str, value: Value) -> Filter:
        return Eq(column, value)

    def unequal(self, column: str, value: Value) -> Filter:
        return Not(Eq(column, value))

    def bounded(self, column: str, operator: Token, value: Value) -> Filter:
        return Range(column, **{_BOUNDS[operator]: value})

    def bounded_before(self, value: Value, operator: Token, column: str) -> Filter:
        return Range(column, **{_MIRRORED[operator]: value})

    def bounded_twice(
        self, first: Value, before: Token, column: str, after: Token, second: Value
    ) -> Filter:
        if before[0] != after[0]:
            raise FilterSyntaxError(
                after.start_pos or 0,
                f"expected {before[0]!r} or '{before[0]}=', the direction of the first comparison; "
                f"got {str(after)!r}",
            )
        return Range(column, **{_MIRRORED[before]: first, _BOUNDS[after]: second})

    def between(self, column: str, low: Value, high: Value) -> Filter:
        return Range(column, ge=low, le=high)

    def among(self, column: str, *values: Value) -> Filter:
        return In(column, values)

    def not_among(self, column: str, *values: Value) -> Filter:
        return Not(In(column, values))

    def contains(self, column: str, value: Value) -> Filter:
        return Contains(column, value)

    def missing(self, column: str) -> Filter:
        return Not(Exists(column))

    def present(self, column: str) -> Filter:
        return Exists(column)

    def plain_name(self, token: Token) -> str:
        return str(token)

    def quoted_name(self, token: Token) -> str:
        return token[1:-1].replace("``", "`")

    def text(self, token: Token) -> str:
        return _unquoted(token)

    def time(self, token: Token) -> str:
        return str(token)

    def number(self, token: Token) -> float:
        digits = token.lstrip("+-")
        return int(token) if digits.isdecimal() and len(digits) < 30 else float(token)

    def true(self) -> bool:
        return True

    def false(self) -> bool:
        return False


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Builder(), maybe_placeholders=False)


def _unquoted(token: Token) -> str:
    """Text without its quotes, with the escapes of JSON."""
    body = token[1:-1]
    if token[0] == "'":
        replaced = {"\\'": "'", '"': '\\"'}
        body = re.sub(r'\\.|"', lambda found: replaced.get(found[0], found[0]), body, flags=re.S)
    try:
        return str(json.loads(f'"{body}"', strict=False))
    except ValueError:
        reason = "the text has an escape that JSON does not have; write a backslash as \\\\"
        raise FilterSyntaxError(token.start_pos or 0, reason) from None


def _syntax_error(text: str, error: UnexpectedInput) -> FilterSyntaxError:
    if isinstance(error, UnexpectedToken):
        found, expected = error.token, set(error.accepts or error.expected)
        if found.type == "$END":
            return FilterSyntaxError(len(text), f"expected {_words(expected)}, got the end")
        hint = ""
        if found.type == "NAME" and expected >= _VALUES:
            hint = f"; text is written in quotes: {json.dumps(str(found), ensure_ascii=False)}"
        position = found.start_pos or 0
        return FilterSyntaxError(
            position, f"expected {_words(expected)}, got {str(found)[:40]!r}{hint}"
        )
    assert isinstance(error, UnexpectedCharacters)
    position = error.pos_in_stream or 0
    quote = text[position]
    if quote in "\"'`":
        return FilterSyntaxError(position, f"a text in quotes is not ended by {quote}")
    return FilterSyntaxError(position, f"expected {_words(set(error.allowed))}, got {quote!r}")


def _words(terminals: set[str]) -> str:
    """The expected continuations for a person."""
    words = []
    if terminals >= _NAMES:
        words.append("a column")
    if terminals >= _VALUES:
        words.append("a value (a text in quotes, a number, a time, true or false)")
    if terminals >= _OPERATORS:
        words.append("an operator (=, !=, <, <=, >, >=, in, between, contains, is)")
    rest = terminals - _NAMES - _VALUES
    if terminals >= _OPERATORS:
        rest = rest - _OPERATORS - {"_NOT"}
    words += sorted(_WORDS.get(name, f"'{name.strip('_').lower()}'") for name in rest)
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
