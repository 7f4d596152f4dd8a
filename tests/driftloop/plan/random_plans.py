"""Plans made up from a seed: trees and linear models of every form a plan allows."""

from __future__ import annotations

import random
from typing import Any

from driftloop.plan import schema

CATEGORIES = "abcdefg"


def trees(
    seed: int, *, outputs: int = 1, most_splits: int = 12, inputs: int = 5, count: int = 4
) -> dict[str, Any]:
    """A forest of random splits; regression for one output, otherwise classes."""
    draw = random.Random(seed)
    described = [_input(draw, i) for i in range(inputs)]
    to_all = outputs > 1 and draw.random() < 0.5
    return {
        "format": schema.FORMAT,
        "task": "regression" if outputs == 1 else "classification",
        "classes": None if outputs == 1 else [f"c{k}" for k in range(outputs)],
        "precision": draw.choice(["float64", "float32"]),
        "interval": None,
        "inputs": described,
        "model": {
            "kind": "trees",
            "link": "identity" if outputs == 1 or to_all else "softmax",
            "start": [draw.gauss(0, 1) for _ in range(outputs)],
            "divide": draw.choice([1, 3, max(1, count)]),
            "trees": [
                tree(draw, described, draw.randrange(most_splits + 1),
                      None if to_all else k, outputs)
                for _ in range(count)
                for k in ([None] if to_all else range(outputs))
            ],
        },
    }  # fmt: skip


def linear(seed: int, *, outputs: int = 1, inputs: int = 5) -> dict[str, Any]:
    plan = trees(seed, outputs=outputs, inputs=inputs, count=0)
    draw = random.Random(seed + 1)
    for item in plan["inputs"]:
        if item["type"] == "number":
            item |= {"missing": 0.5, "center": 1.5, "scale": 2.0}
    plan["model"] = {
        "kind": "linear",
        "link": "identity" if outputs == 1 else "softmax",
        "intercept": [draw.gauss(0, 1) for _ in range(outputs)],
        "weights": [
            [
                draw.gauss(0, 1)
                if item["type"] == "number"
                else [draw.gauss(0, 1) for _ in range(item["size"])]
                for item in plan["inputs"]
            ]
            for _ in range(outputs)
        ],
        "background": [[draw.gauss(0, 1) for _ in range(inputs)] for _ in range(outputs)],
    }
    return plan


def instance(plan: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """A row as a caller sends it: thresholds themselves, missing and unseen values are likely."""
    return {
        item["name"]: draw.choice([None, draw.gauss(0, 1), float(draw.randrange(-2, 3)), 1e30])
        if item["type"] == "number"
        else draw.choice([None, "never seen", *CATEGORIES])
        for item in plan["inputs"]
    }


def _input(draw: random.Random, i: int) -> dict[str, Any]:
    if draw.random() < 0.65:
        return {
            "type": "number", "name": f"n{i}", "nullable": True, "min": None, "max": None,
            "missing": None, "center": None, "scale": None,
        }  # fmt: skip
    size = draw.randrange(1, len(CATEGORIES) + 1)
    return {
        "type": "category", "name": f"n{i}", "nullable": True, "allowed": None, "pattern": None,
        "codes": {c: draw.randrange(size) for c in CATEGORIES},
        "unknown": draw.randrange(size), "missing": draw.randrange(size), "size": size,
    }  # fmt: skip


def tree(
    draw: random.Random,
    inputs: list[dict[str, Any]],
    splits: int,
    output: int | None,
    outputs: int,
) -> dict[str, Any]:
    """One of ``splits`` splits, of any shape."""
    made: dict[str, Any] = {
        "input": [], "at": [], "right": [], "missing_left": [], "output": output, "cover": [],
    }  # fmt: skip

    def node(below: int) -> None:
        n = len(made["input"])
        for key in ("input", "at", "right", "missing_left"):
            made[key].append(0)
        if not below:
            value = [draw.gauss(0, 1) for _ in range(1 if output is not None else outputs)]
            made["input"][n] = -1
            made["at"][n] = value if output is None else value[0]
            made["cover"].append(float(draw.randrange(1, 100)))
            return
        i = made["input"][n] = draw.randrange(len(inputs))
        if inputs[i]["type"] == "category":
            made["at"][n] = f"{draw.randrange(1 << inputs[i]['size']):x}"
        else:
            choices = [None, draw.gauss(0, 1), float(draw.randrange(-2, 3))]
            made["at"][n] = draw.choice(choices)
            made["missing_left"][n] = draw.randrange(2)
        left = draw.randrange(below)
        node(left)
        made["right"][n] = len(made["input"])
        node(below - 1 - left)

    node(splits)
    return made
