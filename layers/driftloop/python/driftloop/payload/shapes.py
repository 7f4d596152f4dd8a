"""A JSON document → rows: the shapes of KServe, Vertex AI and MLflow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from driftloop.errors import BadRequest
from driftloop.payload.asked import Asked, check_count
from driftloop.payload.place import Columns, Items, Place, Split, shown
from driftloop.plan.inputs import Input

SHAPES = ("instances", "dataframe_records", "dataframe_split", "inputs")
BESIDE = ("parameters", "params")
LONGEST = 128  # characters of a field's name; a body may hold one of megabytes
_WANTED = 'an object like {"instances": [{…}]}'


def rows(document: Any, inputs: Sequence[Input], known: Collection[str]) -> Asked:
    """inputs: the model's, in order; known: every field a row may have.

    Raises BadRequest with the path of what is wrong, RequestTooLarge over :data:`MAX_ROWS`.
    """
    if document.__class__ is not dict:
        raise BadRequest(f"the body should be {_WANTED}")
    shape = next((key for key in document if key in SHAPES), None)
    if shape is None:
        raise BadRequest(
            f"the body lacks {', '.join(SHAPES)}: one of them holds the rows to predict; "
            f"send {_WANTED}",
            "instances",
        )
    explain = len(document) > 1 and _beside(document, shape)
    found, place = _read(shape, document[shape], inputs, known)
    return Asked(found, place, explain)


def _read(
    shape: str, sent: Any, inputs: Sequence[Input], known: Collection[str]
) -> tuple[list[Any], Place]:
    if shape == "dataframe_split":
        return _split(sent, inputs, known)
    if shape == "inputs" and sent.__class__ is dict:
        return _columns(sent, inputs, known)
    if sent.__class__ is not list:
        raise BadRequest(f"{shape}: should be a list of objects", shape)
    check_count(len(sent), shape)
    place = Items(shape, sent, inputs)
    if shape == "dataframe_records" or list not in set(map(type, sent)):
        return sent, place
    names = [item.name for item in inputs]
    found = []
    for i, row in enumerate(sent):
        if row.__class__ is list:
            _check_width(row, names, place.row(i))
            row = dict(zip(names, row, strict=True))
        found.append(row)
    return found, place


def _split(sent: Any, inputs: Sequence[Input], known: Collection[str]) -> tuple[list[Any], Place]:
    path = "dataframe_split"
    if sent.__class__ is not dict:
        raise BadRequest(f"{path}: should be an object of columns and data", path)
    for key in sent:
        if key not in ("columns", "data", "index"):
            raise unknown(key, ("columns", "data", "index"), f"{path}.{shown(key)}")
    for key in ("columns", "data"):
        if sent.get(key).__class__ is not list:
            problem = "should be a list" if key in sent else "is required"
            raise BadRequest(f"{path}.{key}: {problem}", f"{path}.{key}")
    columns, data = sent["columns"], sent["data"]
    check_count(len(data), f"{path}.data")
    _check_index(sent.get("index"), len(data), f"{path}.index")
    check_columns(columns, inputs, known, f"{path}.columns")
    for i, row in enumerate(data):
        if row.__class__ is not list:
            field = f"{path}.data[{i}]"
            raise BadRequest(f"{field}: should be a list of {len(columns)} values", field)
        if len(row) != len(columns):
            _check_width(row, columns, f"{path}.data[{i}]")
    return [dict(zip(columns, row, strict=True)) for row in data], Split(columns)


def _columns(
    sent: dict[str, Any], inputs: Sequence[Input], known: Collection[str]
) -> tuple[list[Any], Place]:
    check_columns(list(sent), inputs, known, "inputs")
    if not sent:  # of inputs that may all be missing
        raise BadRequest("inputs: is empty; send at least one column", "inputs")
    for name, column in sent.items():
        field = f"inputs.{shown(name)}"
        if column.__class__ is not list:
            raise BadRequest(f"{field}: should be a list of values, one a row", field)
        first = next(iter(sent.values()))
        if len(column) != len(first):
            raise BadRequest(
                f"{field}: has {len(column)} values where the column before has {len(first)}", field
            )
    check_count(len(next(iter(sent.values()))), "inputs")
    names = tuple(sent)
    values = zip(*sent.values(), strict=True)
    return [dict(zip(names, row, strict=True)) for row in values], Columns("inputs")


def check_columns(
    columns: Sequence[Any],
    inputs: Sequence[Input],
    known: Collection[str],
    path: str,
    join: str = ".",
) -> None:
    """Names that head a table: texts, each known and once, and none lacking that is required.

    The field of a wrong one is ``path``, ``join`` and its name."""
    for i, name in enumerate(columns):
        if name.__class__ is not str:
            raise BadRequest(f"{path}[{i}]: should be the name of a field", f"{path}[{i}]")
        if name not in known:
            raise unknown(name, known, f"{path}{join}{shown(name)}")
    if len(set(columns)) != len(columns):
        name = next(n for n in columns if columns.count(n) > 1)
        raise BadRequest(f"{path}: {name!r} stands there twice", path)
    lacking = [repr(i.name) for i in inputs if not i.nullable and i.name not in columns]
    if lacking:
        raise BadRequest(f"{path}: lacks {', '.join(lacking[:10])}", path)


def unknown(
    name: str, known: Iterable[str], field: str, problem: str = "no such field"
) -> BadRequest:
    """The error for a name that there is not, with the nearest that there is."""
    import difflib  # only for who made a mistake: a cold start does without

    close = difflib.get_close_matches(name[:LONGEST], sorted(known), n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return BadRequest(f"{field}: {problem}{hint}", field)


def _check_width(row: list[Any], names: Sequence[str], field: str) -> None:
    if len(row) != len(names):
        order = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
        raise BadRequest(
            f"{field}: has {len(row)} values where there should be {len(names)} ({order})", field
        )


def _check_index(index: Any, count: int, field: str) -> None:
    """pandas writes it; nothing is done with it, but it has to be one."""
    if index is None:
        return
    if index.__class__ is not list or len(index) != count:
        raise BadRequest(f"{field}: should be a list with one entry a row, {count}", field)
    for i, entry in enumerate(index):
        if isinstance(entry, (list, dict)) or (isinstance(entry, float) and entry - entry != 0.0):
            raise BadRequest(f"{field}[{i}]: should be text or a number", f"{field}[{i}]")


def _beside(document: dict[str, Any], shape: str) -> bool:
    """Whether what stands beside the rows asks for reasons."""
    explain = False
    for key, value in document.items():
        if key == shape:
            continue
        if key in SHAPES:
            raise BadRequest(f"{key}: stands beside {shape}; send the rows once", key)
        if key not in BESIDE:
            raise unknown(key, BESIDE, shown(key), f"unknown key beside {shape}")
        explain = _parameters(value, key) or explain
    return explain


def _parameters(sent: Any, key: str) -> bool:
    if sent is None:
        return False
    if sent.__class__ is not dict:
        raise BadRequest(f'{key}: should be an object like {{"explain": true}}', key)
    for name in sent:
        if name != "explain":
            raise unknown(name, ("explain",), f"{key}.{shown(name)}")
    explain = sent.get("explain", False)
    if explain.__class__ is not bool:
        raise BadRequest(f"{key}.explain: should be true or false", f"{key}.explain")
    return bool(explain)
