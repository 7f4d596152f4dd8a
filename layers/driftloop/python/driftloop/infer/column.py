"""What a column is: a number, a category, a time, or nothing a model should see.

Caution has a direction here: a constraint that refuses tomorrow's honest value costs rows, so no
range is set and categories are fixed only for yes and no; a column that would have its rows
refused, or that names its row, is left out.
"""

from __future__ import annotations

import re

from driftloop.infer import names
from driftloop.infer.guess import Reading, listed
from driftloop.infer.seen import MOST_COUNTED, NUMBERS, Form, Seen
from driftloop.pages.readable import share

STRAY = 0.01  # share of values that may break a column's type; their rows are quarantined
RARE = 0.01  # share of rows with a value below which a column is not worth its while
FEW = 50  # categories that need no word in the spec
MOST = 1000  # categories a spec admits
LONGEST = 256  # characters of a text that the contract admits
_NO_NAME = re.compile(r"^\s|\s$|[\x00-\x1f]").search
_MEND: dict[Form, str] = {
    "commas": "numbers with commas in them; write 1234.5 for 1.234,5",
    "unit": "numbers with a sign or unit; write the bare number",
    "date": "dates that are not ISO 8601; write 2013-12-31 or 2013-12-31T17:00:00Z",
}
_TRUTHS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"}, {"0", "1"})


def read(seen: Seen) -> Reading:
    """Decide on one column, whatever part it may play."""
    if not seen.name:
        return _out(seen, "has no name" + (" and numbers its rows" if seen.running else ""))
    if _NO_NAME(seen.name) or len(seen.name) > 128:
        return _out(seen, "its name is none a spec can hold")
    if not seen.known:
        return _out(seen, "no row has a value")
    if seen.known < RARE * seen.rows:
        return _out(seen, f"only {share(seen.known, seen.rows)} of the rows have a value")
    if seen.count("nested"):
        return _out(seen, f"{share(seen.count('nested'), seen.known)} are lists or objects")
    if seen.distinct == 1 and not seen.missing:
        return _out(seen, f"is {listed(list(seen.counts or ()))} in every row")
    for form, mend in _MEND.items():
        if seen.share(form) >= 0.5:
            line, text = seen.examples[form]
            return _out(seen, f"holds {mend} (line {line}: {text!r})", unsure=True)
    if seen.count("time") and _strays(seen, "time") <= _allowed(seen):
        return Reading(seen, "time", "ISO 8601 times", strays=_strays(seen, "time"))
    if seen.share(*NUMBERS) >= 0.5 and not seen.count("code") and not seen.booleans:
        return _number(seen)
    return _category(seen)


def _number(seen: Seen) -> Reading:
    strays = _strays(seen, *NUMBERS)
    odd = _oddest(seen)
    if strays > _allowed(seen):
        if seen.distinct is not None and seen.distinct <= FEW:
            return _category(seen)
        why = f"{share(strays, seen.known)} of its values are no numbers ({odd})"
        return _out(seen, f"{why}; write an empty cell for what is unknown", unsure=True)
    whole = not seen.count("decimal")
    if whole and seen.running:
        return _out(seen, "numbers its rows one by one", identifies=True)
    if whole and seen.unique and names.numbered(seen.name):
        return _out(seen, "names its row: no value comes twice", identifies=True)
    coded = whole and seen.counts is not None and seen.known >= 5 * len(seen.counts)
    plain = coded and not any("." in value or "+" in value for value in seen.counts or ())
    if names.identity(seen.name) and whole and not coded:
        why = "names what its row is about, and new ones will come"
        return _out(seen, why, identifies=seen.unique)
    if plain and names.code(seen.name) and len(seen.counts or ()) <= FEW and not strays:
        return _category(seen, why="whole numbers, but the name says code")
    notes = []
    if strays:
        notes.append(f"{strays:,} {_rows(strays)} will be rejected: {odd} is no number")
    notes += _placeholders(seen)
    if plain and 2 < len(seen.counts or ()) <= 12:
        notes.append(
            f"{len(seen.counts or ())} different ones: if they are codes, `type: category`"
        )
    words = {"type": "number", **({"nullable": True} if seen.missing else {})}
    low, high = seen.low, seen.high
    if low is None or high is None:  # nothing but placeholders
        low, high = (f(seen.placeholders) for f in (min, max))
    why = f"seen {low:.6g} to {high:.6g}"
    why += f", {share(seen.missing, seen.rows)} missing" if seen.missing else ""
    return Reading(seen, "number", why, words, strays, bool(notes), tuple(notes))


def _category(seen: Seen, why: str = "") -> Reading:
    counts = None if seen.counts is None else {**seen.counts, **seen.nulls}
    filled = seen.rows - seen.blank
    prose = seen.longest > LONGEST or seen.characters >= 40
    if prose and (counts is None or len(counts) > filled / 5):
        return _out(seen, f"free text ({seen.characters:.0f} characters on average)")
    if seen.unique:
        return _out(seen, "names its row: no value comes twice", identifies=True)
    if counts is None:
        return _out(seen, f"over {MOST_COUNTED:,} different texts")
    if len(counts) == 1 and not seen.blank:
        return _out(seen, f"is {listed(list(counts))} in every row")
    many = len(counts) > filled / 2 and filled >= 20
    if seen.longest > LONGEST:
        return _out(seen, f"has texts of over {LONGEST} characters")
    if len(counts) > MOST or many:
        return _out(seen, f"{len(counts):,} different texts in {filled:,} rows", unsure=True)
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    notes = _spellings(ranked)
    if seen.nulls:
        notes.append(f"{listed(list(seen.nulls))} is a value like others; missing is an empty cell")
    words: dict[str, object] = {"type": "category"}
    if seen.blank:
        words["nullable"] = True
    if {value.lower() for value in counts} in _TRUTHS and min(counts.values()) >= 5:
        words["categories"] = sorted(counts)
    elif 2 * len(counts) > FEW:
        words["max_categories"] = min(MOST, -(-2 * len(counts) // FEW) * FEW)
    said = f"{len(counts)} value{'s' * (len(counts) > 1)}: " + ", ".join(
        f"{value[:20]!r} {share(counts[value], filled)}" for value in ranked[:3]
    )  # fmt: skip
    sent = "sent to the endpoint as text" if seen.count(*NUMBERS) else ""
    said = "; ".join(filter(None, (why, said + (" …" if len(ranked) > 3 else ""), sent)))
    return Reading(seen, "category", said, words, 0, bool(notes), tuple(notes))


def _spellings(values: list[str]) -> list[str]:
    """Values that differ in nothing but case and spaces."""
    same: dict[str, list[str]] = {}
    for value in values:
        same.setdefault("".join(value.lower().split()), []).append(value)
    twins = [words for words in same.values() if len(words) > 1]
    return [f"{listed(words)} are counted apart; are they one?" for words in twins[:2]]


def _placeholders(seen: Seen) -> list[str]:
    """Numbers that people write for "unknown", when they stand far off all others."""
    if seen.low is None or seen.high is None:
        return []
    width = max(seen.high - seen.low, 1.0)
    return [
        f"{value:g} stands in {count:,} {_rows(count)}, all others are {seen.low:.6g} to "
        f"{seen.high:.6g}: if it means unknown, write an empty cell"
        for value, count in seen.placeholders.items()
        if value > seen.high + width / 2 or value < seen.low - width / 2 or value < 0 <= seen.low
    ]


def _strays(seen: Seen, *forms: Form) -> int:
    return seen.known - seen.count(*forms)


def _allowed(seen: Seen) -> float:
    return max(STRAY * seen.known, 1.0 if seen.known >= 20 else 0.0)


def _oddest(seen: Seen) -> str:
    """The first value that is no number, with its line."""
    found = sorted(seen.examples[form] for form in seen.examples if form not in NUMBERS)
    return f"{found[0][1][:40]!r} in line {found[0][0]}" if found else ""


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def _out(seen: Seen, why: str, *, unsure: bool = False, identifies: bool = False) -> Reading:
    return Reading(seen, "out", why, unsure=unsure, identifies=identifies)
