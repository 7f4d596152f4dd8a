"""CloudWatch Logs filter patterns: which log lines a subscription takes.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html

Pure: ``compile_pattern(text)`` gives a test of one message; a pattern it does not understand is
refused (:class:`InvalidFilterPattern`), never taken for "everything". Space-delimited patterns
(``[w1, w2]``) are not built.
"""

import json
import operator
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

Test = Callable[[str], bool]
_Node = Callable[[Any], bool]


class InvalidFilterPattern(ValueError):
    """The pattern is wrong, or of a kind that is not built."""


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> Test:
    """A test for messages; the empty pattern takes every one."""
    text = pattern.strip()
    if text.startswith("["):
        raise InvalidFilterPattern(f"space-delimited filter patterns are not supported: {pattern}")
    if text.startswith("{"):
        return _json_test(text)
    return _term_test(text)


# --- terms: ERROR "two words" -unwanted ?either ?or %regex% ------------------------------------

_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|([^\s"]+))')


def _term_test(text: str) -> Test:
    required: list[Test] = []
    optional: list[Test] = []
    excluded: list[Test] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if not found:
            raise InvalidFilterPattern(f"unreadable from {text[at:]!r}")
        at = found.end()
        sign, quoted, regex, word = found.groups()
        test = _regex(regex).search if regex else _contains(_unescaped(quoted or word or ""))
        {"": required, "?": optional, "-": excluded}[sign].append(lambda m, t=test: bool(t(m)))  # type: ignore[misc]

    def accepts(message: str) -> bool:
        if any(test(message) for test in excluded):
            return False
        if required:  # AWS ignores ?terms beside plain ones
            return all(test(message) for test in required)
        return not optional or any(test(message) for test in optional)

    return accepts


def _contains(term: str) -> Test:
    return lambda message: term in message


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _regex(source: str) -> re.Pattern[str]:
    try:
        return re.compile(source)
    except re.error as error:
        raise InvalidFilterPattern(f"%{source}%: {error}") from error


# --- JSON: { $.a.b[0] = 1 && ($.c = "x*" || $.d NOT EXISTS) } -----------------------------------

_TOKENS = re.compile(
    r"""\s*(?: (?P<selector>\$(?:\.[\w\-]+|\.\*|\[\d+\]|\[\*\]|\['[^']+'\]|\["[^"]+"\])+)
          | (?P<logic>&&|\|\||\(|\))
          | (?P<compare><=|>=|!=|=|<|>)
          | (?P<test>IS\s+NULL|IS\s+TRUE|IS\s+FALSE|NOT\s+EXISTS)(?![\w])
          | "(?P<text>(?:[^"\\]|\\.)*)"
          | %(?P<regex>[^%]+)%
          | (?P<word>[\w.*+\-:/@]+)
        )""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.([\w\-]+|\*)|\[(\d+|\*)\]|\['([^']+)'\]|\["([^"]+)"\]""")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _json_test(text: str) -> Test:
    if not text.endswith("}"):
        raise InvalidFilterPattern(f"no closing brace: {text}")
    node = _Parser(text[1:-1]).whole()

    def accepts(message: str) -> bool:
        try:
            document = json.loads(message)
        except ValueError:
            return False
        return isinstance(document, dict | list) and node(document)

    return accepts


class _Parser:
    """``or := and (|| and)*; and := unit (&& unit)*; unit := ( or ) | selector test``."""

    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.tokens.reverse()

    def whole(self) -> _Node:
        node = self._either()
        if self.tokens:
            raise InvalidFilterPattern(f"unexpected {self.tokens[-1][1]!r}")
        return node

    def _next(self) -> tuple[str, str]:
        return self.tokens.pop() if self.tokens else ("end", "the end")

    def _follows(self, token: str) -> bool:
        if self.tokens and self.tokens[-1] == ("logic", token):
            self.tokens.pop()
            return True
        return False

    def _either(self) -> _Node:
        nodes = [self._both()]
        while self._follows("||"):
            nodes.append(self._both())
        return lambda document: any(node(document) for node in nodes)

    def _both(self) -> _Node:
        nodes = [self._unit()]
        while self._follows("&&"):
            nodes.append(self._unit())
        return lambda document: all(node(document) for node in nodes)

    def _unit(self) -> _Node:
        kind, token = self._next()
        if (kind, token) == ("logic", "("):
            node = self._either()
            if not self._follows(")"):
                raise InvalidFilterPattern("a parenthesis is not closed")
            return node
        if kind != "selector":
            raise InvalidFilterPattern(f"a selector like $.name should stand at {token!r}")
        return self._property(token)

    def _property(self, selector: str) -> _Node:
        kind, token = self._next()
        if kind == "test":
            words = " ".join(token.split())
            if words == "NOT EXISTS":
                return lambda document: not any(True for _ in _values(document, selector))
            wanted = {"IS NULL": None, "IS TRUE": True, "IS FALSE": False}[words]
            return lambda document: any(value is wanted for value in _values(document, selector))
        if kind != "compare":
            raise InvalidFilterPattern(f"a comparison should stand at {token!r}")
        test = _value_test(token, *self._next())
        return lambda document: any(test(value) for value in _values(document, selector))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKENS.match(text, at)
        if not found or found.lastgroup is None:
            raise InvalidFilterPattern(f"unreadable from {text[at:]!r}")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


def _value_test(sign: str, kind: str, token: str) -> _Node:
    compare = _COMPARE[sign]
    if kind == "word" and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", token):
        number = float(token)
        return lambda value: (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and compare(value, number)
        )
    if sign not in ("=", "!=") or kind not in ("word", "text", "regex"):
        raise InvalidFilterPattern(f"{sign} needs a number, not {token!r}")
    if kind == "regex":
        pattern = _regex(token)
        return lambda value: (
            isinstance(value, str) and (bool(pattern.search(value)) is (sign == "="))
        )
    parts = re.split(r"\*", _unescaped(token) if kind == "text" else token)
    wanted = re.compile(".*".join(map(re.escape, parts)), re.DOTALL)

    def equals(value: Any) -> bool:
        text = json.dumps(value) if isinstance(value, bool) else value
        return isinstance(text, str) and bool(wanted.fullmatch(text)) is (sign == "=")

    return equals


def _values(document: Any, selector: str) -> Iterator[Any]:
    """Every value the selector names (several with ``[*]``), none where there is no such place."""
    found = [document]
    for name, index, single, double in _STEP.findall(selector[1:]):
        found = [
            child for value in found for child in _children(value, name or single or double, index)
        ]
    yield from found


def _children(value: Any, name: str, index: str) -> Iterator[Any]:
    if index == "*" and isinstance(value, list):
        yield from value
    elif index and index != "*" and isinstance(value, list) and int(index) < len(value):
        yield value[int(index)]
    elif name == "*" and isinstance(value, dict):
        yield from value.values()
    elif name and isinstance(value, dict) and name in value:
        yield value[name]
