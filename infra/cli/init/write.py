"""A spec as YAML that a person reads first and corrects then: reasons stand beside what they are
for, doubts above it, marked with a question mark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from driftloop.infer import Guess, Inferred

_PLAIN = re.compile(r"\w[\w ./%()+-]*", re.ASCII).fullmatch
_NUMBER = re.compile(r"[\d._+-]+([eE][\d+-]+)?", re.ASCII).fullmatch
_FURTHEST = 60  # column; a comment behind a longer line stands where the line ends
_SAID = {
    "time": "# time: …  # the column of the event time (ISO 8601), if there is one",
    "key": "# key: …  # your own id of a row: joins labels, recognises duplicates",
    "gates": "  # metrics: {%s}  # once you know what is good enough",
}
_GOOD = {"classification": 'roc_auc: ">= 0.7"', "regression": 'r2: ">= 0.5"'}


def written(inferred: Inferred, head: str) -> str:
    """The document with its comments; ``head`` is what the first lines say."""
    said = {guess.about: guess for guess in inferred.guesses}
    document = inferred.document
    head = f"{head}\nWhat has a ? is a guess to look at."
    lines = [f"# {_tidy(line)}" for line in head.splitlines()]
    roles = [role for role in ("name", "target", "task", "time", "key") if role in document]
    lines += _block([("", role, document[role]) for role in roles], said)
    for role in ("time", "key"):
        if role not in document:
            lines.append(_SAID[role] + (f";{_why(said[role])}" if said[role].unsure else ""))
    lines += ["", "features:"]
    lines += _block([("features.", *item) for item in document["features"].items()], said, "  ")
    left = [guess for guess in inferred.guesses if guess.about.startswith("left out.")]
    if left:
        lines += ["", "# Left out; uploads may hold them all the same:"]
        lines += [f"#   {_scalar(g.about.partition('.')[2])}:{_why(g)}" for g in left]
    for key in list(document)[list(document).index("features") + 1 :]:
        lines += ["", f"{key}:"]
        items = [(f"{key}.", *item) for item in document[key].items()]
        lines += _block(items, said, "  ")
        if key == "gates":
            lines.append(_SAID[key] % _GOOD[document["task"]])
    return "\n".join(lines) + "\n"


def _block(
    items: Iterable[tuple[str, str, Any]], said: Mapping[str, Guess], indent: str = ""
) -> list[str]:
    """Lines ``key: value  # why``, comments under one another, a feature's doubts above it."""
    pairs = [
        (f"{indent}{_scalar(key)}: {_flow(value)}", said.get(f"{above}{key}"))
        for above, key, value in items
    ]
    widths = [len(text) for text, guess in pairs if guess and len(text) <= _FURTHEST]
    column = max(widths, default=0)
    lines = []
    for text, guess in pairs:
        if guess is None:
            lines.append(text)
        elif guess.about.startswith("features."):
            lines += [f"{indent}# ? {_tidy(doubt)}" for doubt in guess.others]
            lines.append(f"{text:<{column}}  # {_tidy(guess.why)}")
        else:
            lines.append(f"{text:<{column}}  #{_why(guess)}")
    return lines


def _why(guess: Guess) -> str:
    others = f"; or: {', '.join(guess.others)}" if guess.others else ""
    return f"{' ?' * guess.unsure} {_tidy(guess.why + others)}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(v) for v in value) + "]"
    return _scalar(value) if isinstance(value, str) else _number(value)


def _number(value: bool | float) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value!r}"


def _scalar(text: str) -> str:
    """Bare where YAML reads the very same text, else in double quotes with escapes."""
    bare = _PLAIN(text) and not _NUMBER(text) and text == text.strip()
    if bare and yaml.safe_load(text) == text:
        return text
    escaped = "".join(
        f"\\{c}" if c in '"\\' else c if c.isprintable() else f"\\U{ord(c):08x}" for c in text
    )
    return f'"{escaped}"'


def _tidy(text: str) -> str:
    """Fit for a comment: one line, nothing YAML refuses."""
    return "".join(c if c.isprintable() else "·" for c in text)
