"""The plan's format, ``driftloop.plan/3``: a fitted model as plain data.

A plan is one JSON object. Nothing in it is ever executed: strings are only looked up in
dictionaries or shown to people, and every number is finite. ::

    format    "driftloop.plan/3"
    task      "classification" | "regression"
    classes   the target's values as text, two or more; null for regression
    inputs    what a row must hold, in order; each one of
        {type: "number", name, nullable, min, max, missing, center, scale}
            encoded = (value - center) / scale, or just the value where both are null;
            a missing value becomes `missing` first (null: stays missing, as NaN).
            `min`, `max`: what a caller may send, or null
        {type: "category", name, nullable, allowed, pattern, codes, unknown, missing, size}
            encoded = codes[value], or `unknown` if it is not there, or `missing` for null;
            all below `size`. `allowed`: the only values a caller may send, or null for any;
            `pattern`: a regular expression that all of a value must match, or null
    precision "float64", or "float32" if encoded numbers are rounded to single precision
    interval  {confidence, low, high}: the truth lies within [answer + low, answer + high] as
              often as `confidence` says (:mod:`driftloop.plan.conformal`); null for classes, or
              where too few rows were kept back to say
    model     {kind: "linear", link, intercept: [K], weights: [K][inputs], background}
                  a number's weight is a number; a category's is one number for each code;
                  `background`: [K][inputs], the mean of each term (weight times encoded value)
                  over the rows learned from, or null where it is not known
              {kind: "trees", link, start: [K], divide, trees: [tree]}
                  outputs = (start + trees added one by one, in order) / divide
    link      "identity" | "logistic" | "softmax", from the K outputs to the answer

K is 1 for regression and for two classes (the answer is then the probability of
``classes[1]``), otherwise the number of classes. A tree is four lists over its nodes in
pre-order, the left child always right behind its parent::

    input         position in `inputs`, or -1 for a leaf
    at            split on a number: left if value <= at; null: left unless missing
                  split on a category: the codes that go left, as a bit mask in hexadecimal
                  leaf: the number to add, or (`output` null) one for each of the K outputs
    right         where the right child is; 0 for a leaf
    missing_left  1 if a missing number goes left, otherwise 0
    output        (one for the tree) the output it adds to; null if to all
    cover         (one for each leaf, in order) how many of the rows learned from ended there,
                  by weight; null where it is not known

Canonical bytes are UTF-8 JSON with sorted keys and no spaces, floats as Python's ``repr``
(shortest text that reads back as the same double). Their SHA-256 is the plan's identity.

``driftloop.plan/1`` had no `pattern`, ``driftloop.plan/2`` no `interval`, `background` and
`cover`; such plans are still read, with null in their place.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

from driftloop.checking import pattern
from driftloop.errors import IntegrityError

FORMAT = "driftloop.plan/3"
BEFORE = ("driftloop.plan/1", "driftloop.plan/2")
LINKS = ("identity", "logistic", "softmax")

Plan = dict[str, Any]


def dump(plan: Plan) -> bytes:
    """Canonical bytes. Raises ValueError for NaN and infinities."""
    text = json.dumps(
        plan, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return text.encode()


def digest(data: bytes) -> str:
    """The identity of a plan: SHA-256 of its canonical bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read(data: bytes) -> Plan:
    """Parse and check. Raises IntegrityError saying where a plan is malformed."""
    try:
        plan = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"the plan is not JSON: {error}") from None
    known = isinstance(plan, dict) and plan.get("format") in BEFORE
    return check(_renewed(plan) if known else plan)


def _renewed(plan: Plan) -> Plan:
    """A plan of a format before as one of today's; what is malformed in it is left to the check."""
    inputs, model = plan.get("inputs"), plan.get("model")
    if plan["format"] == BEFORE[0] and isinstance(inputs, list):
        inputs = [i | {"pattern": None} if _is_category(i) else i for i in inputs]
    if isinstance(model, dict) and model.get("kind") == "linear":
        model = model | {"background": None}
    elif isinstance(model, dict) and isinstance(model.get("trees"), list):
        trees = [t | {"cover": None} if isinstance(t, dict) else t for t in model["trees"]]
        model = model | {"trees": trees}
    return plan | {"format": FORMAT, "inputs": inputs, "model": model, "interval": None}


def check(plan: Any) -> Plan:
    """Give the plan back if it is well formed. Raises IntegrityError naming the place if not."""
    _keys(plan, "plan", "format task classes inputs precision interval model")
    _one_of(plan["format"], "format", (FORMAT,))
    _one_of(plan["task"], "task", ("classification", "regression"))
    _one_of(plan["precision"], "precision", ("float64", "float32"))
    classes = plan["classes"]
    if plan["task"] == "classification":
        _texts(classes, "classes")
        _require(len(classes) >= 2, "classes", "needs two or more")
    else:
        _require(classes is None, "classes", "must be null for a regression")
    inputs = plan["inputs"]
    _list(inputs, "inputs")
    _require(bool(inputs), "inputs", "must not be empty")
    for i, item in enumerate(inputs):
        _check_input(item, f"inputs[{i}]")
    _require(len({i["name"] for i in inputs}) == len(inputs), "inputs", "have a name twice")
    if plan["interval"] is not None:
        _require(classes is None, "interval", "must be null for classes")
        _check_interval(plan["interval"])
    outputs = len(classes) if classes and len(classes) > 2 else 1
    _check_model(plan["model"], inputs, outputs)
    return plan  # type: ignore[no-any-return]


def _check_interval(interval: Any) -> None:
    _keys(interval, "interval", "confidence low high")
    for key in ("confidence", "low", "high"):
        _number(interval[key], f"interval.{key}")
    _require(0.0 < interval["confidence"] < 1.0, "interval.confidence", "must be within (0, 1)")
    _require(interval["low"] <= interval["high"], "interval.high", "must not be below low")


def _check_input(item: Any, path: str) -> None:
    _require(isinstance(item, dict), path, "must be an object")
    _one_of(item.get("type"), f"{path}.type", ("number", "category"))
    if item["type"] == "number":
        _keys(item, path, "type name nullable min max missing center scale")
        for key in ("min", "max", "missing", "center", "scale"):
            if item[key] is not None:
                _number(item[key], f"{path}.{key}")
        both = (item["center"] is None) == (item["scale"] is None)
        _require(both and item["scale"] != 0, f"{path}.scale", "goes with center, and is not 0")
    else:
        _keys(item, path, "type name nullable allowed pattern codes unknown missing size")
        if item["pattern"] is not None:
            _require(isinstance(item["pattern"], str), f"{path}.pattern", "must be text")
            why = pattern.refusal(item["pattern"])
            _require(why is None, f"{path}.pattern", why or "")
        if item["allowed"] is not None:
            _texts(item["allowed"], f"{path}.allowed")
        _whole(item["size"], f"{path}.size", 1, 1 << 16)
        _require(isinstance(item["codes"], dict), f"{path}.codes", "must be an object")
        for code in (item["unknown"], item["missing"], *item["codes"].values()):
            _whole(code, f"{path}.codes", 0, item["size"])
    _require(isinstance(item["name"], str), f"{path}.name", "must be text")
    _require(isinstance(item["nullable"], bool), f"{path}.nullable", "must be true or false")


def _check_model(model: Any, inputs: list[Any], outputs: int) -> None:
    _require(isinstance(model, dict), "model", "must be an object")
    _one_of(model.get("kind"), "model.kind", ("linear", "trees"))
    _one_of(model.get("link"), "model.link", LINKS)
    if model["kind"] == "linear":
        _keys(model, "model", "kind link intercept weights background")
        _numbers(model["intercept"], "model.intercept", outputs)
        _list(model["weights"], "model.weights", outputs)
        for k, weights in enumerate(model["weights"]):
            _list(weights, f"model.weights[{k}]", len(inputs))
            for i, (weight, item) in enumerate(zip(weights, inputs, strict=True)):
                path = f"model.weights[{k}][{i}]"
                if item["type"] == "number":
                    _number(weight, path)
                else:
                    _numbers(weight, path, item["size"])
        if model["background"] is not None:
            _list(model["background"], "model.background", outputs)
            for k, means in enumerate(model["background"]):
                _numbers(means, f"model.background[{k}]", len(inputs))
    else:
        _keys(model, "model", "kind link start divide trees")
        _numbers(model["start"], "model.start", outputs)
        _whole(model["divide"], "model.divide", 1, 1 << 31)
        _list(model["trees"], "model.trees")
        for t, tree in enumerate(model["trees"]):
            _check_tree(tree, f"model.trees[{t}]", inputs, outputs)


def _check_tree(tree: Any, path: str, inputs: list[Any], outputs: int) -> None:
    _keys(tree, path, "input at right missing_left output cover")
    if tree["output"] is not None:
        _whole(tree["output"], f"{path}.output", 0, outputs)
    _list(tree["input"], f"{path}.input")
    count = len(tree["input"])
    _require(count > 0, f"{path}.input", "must not be empty")
    for key in ("at", "right", "missing_left"):
        _list(tree[key], f"{path}.{key}", count)
    pending: list[int] = []  # right children still to come; a pre-order walk pops them in order
    nodes = zip(tree["input"], tree["at"], tree["right"], tree["missing_left"], strict=True)
    for n, (at_input, at, right, missing_left) in enumerate(nodes):
        _whole(at_input, f"{path}.input[{n}]", -1, len(inputs))
        _whole(missing_left, f"{path}.missing_left[{n}]", 0, 2)
        if at_input < 0:
            if tree["output"] is None:
                _numbers(at, f"{path}.at[{n}]", outputs)
            else:
                _number(at, f"{path}.at[{n}]")
            expected = pending.pop() if pending else count
            _require(expected == n + 1, f"{path}.right", "is not in pre-order")
            continue
        _whole(right, f"{path}.right[{n}]", n + 2, count)
        pending.append(right)
        if inputs[at_input]["type"] == "category":
            _mask(at, f"{path}.at[{n}]", inputs[at_input]["size"])
        elif at is not None:
            _number(at, f"{path}.at[{n}]")
    _require(not pending, f"{path}.right", "is not in pre-order")
    if tree["cover"] is not None:
        _check_cover(tree["cover"], f"{path}.cover", tree["input"].count(-1))


def _check_cover(cover: Any, path: str, leaves: int) -> None:
    """At the pace of C, since a forest has a hundred thousand of them."""
    _list(cover, path, leaves)
    _require(set(map(type, cover)) == {float}, path, "must hold floats")
    _require(min(cover) > 0.0 and max(cover) < math.inf, path, "must hold finite floats above 0")


def _is_category(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == "category"


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number in a plan")


def _require(holds: bool, path: str, problem: str) -> None:
    if not holds:
        raise IntegrityError(f"the plan is malformed: {path} {problem}")


def _keys(value: Any, path: str, names: str) -> None:
    _require(isinstance(value, dict), path, "must be an object")
    expected = set(names.split())
    _require(set(value) == expected, path, f"must have exactly the keys {', '.join(expected)}")


def _one_of(value: Any, path: str, valid: tuple[str, ...]) -> None:
    _require(value in valid, path, f"is {value!r}, not one of {', '.join(valid)}")


def _list(value: Any, path: str, length: int | None = None) -> None:
    _require(isinstance(value, list), path, "must be a list")
    if length is not None and len(value) != length:
        _require(False, path, f"has {len(value)} entries, not {length}")


def _texts(value: Any, path: str) -> None:
    _list(value, path)
    _require(all(isinstance(v, str) for v in value), path, "must hold texts")
    _require(len(set(value)) == len(value), path, "has an entry twice")


def _number(value: Any, path: str) -> None:
    if value.__class__ is not float or not math.isfinite(value):
        _require(False, path, f"is {str(value)[:40]!r}, not a finite float")


def _numbers(value: Any, path: str, length: int) -> None:
    _list(value, path, length)
    for i, item in enumerate(value):
        _number(item, f"{path}[{i}]")


def _whole(value: Any, path: str, low: int, high: int) -> None:
    if value.__class__ is not int or not low <= value < high:
        _require(False, path, f"is {str(value)[:40]!r}, not a whole number in [{low}, {high})")


def _mask(value: Any, path: str, size: int) -> None:
    good = isinstance(value, str) and 0 < len(value) <= size // 4 + 1
    good = good and all(c in "0123456789abcdef" for c in value) and int(value, 16) < 1 << size
    _require(good, path, f"is {str(value)[:40]!r}, not a mask of {size} bits in hexadecimal")
