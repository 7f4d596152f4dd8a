"""One request in every shape, for documents and pages."""

from __future__ import annotations

import csv
import io
from typing import Any

from driftloop.interface import Interface

_ID = "019b0000-0000-7000-8000-000000000000"


def examples(face: Interface) -> dict[str, Any]:
    """By shape: ``instances``, ``instances_lists``, ``dataframe_records``, ``dataframe_split``,
    ``inputs``, ``inputs_columns`` (documents) and ``csv`` (text)."""
    row = face.example()
    names, values = list(row), list(row.values())
    return {
        "instances": {"instances": [row]},
        "instances_lists": {"instances": [values]},
        "dataframe_records": {"dataframe_records": [row]},
        "dataframe_split": {"dataframe_split": {"columns": names, "data": [values]}},
        "inputs": {"inputs": [row]},
        "inputs_columns": {"inputs": {name: [value] for name, value in row.items()}},
        "csv": _csv([names, values]),
    }


def labels_example(face: Interface) -> dict[str, Any]:
    truth = face.classes[-1] if face.classes else 1.5
    return {"labels": [{"id": _ID, "label": truth}]}


def answer_example(face: Interface) -> dict[str, Any]:
    """What such a request might be answered; the numbers are made up."""
    if face.classes is None:
        found: dict[str, Any] = {"value": 12.5}
        if face.confidence is not None:
            found["interval"] = {"confidence": face.confidence, "low": 10.0, "high": 15.5}
    elif len(face.classes) == 2:
        found = {"value": face.classes[1], "probability": 0.81}
    else:
        shares = [0.8] + [round(0.2 / (len(face.classes) - 1), 3)] * (len(face.classes) - 1)
        found = {"value": face.classes[0]}
        found["probabilities"] = dict(zip(face.classes, shares, strict=True))
    prediction = {"id": _ID, **found}
    return {"model": face.model, "version": face.version, "predictions": [prediction]}


def _csv(lines: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()
