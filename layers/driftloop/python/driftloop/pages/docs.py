"""The API as one page to read: who may call it and how, then each model with what a row holds and
a line to copy for every shape a request may have. No network; a script only where a browser may
call the API, for the form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from driftloop.interface import Interface
from driftloop.openapi import Service
from driftloop.openapi.examples import answer_example, examples, labels_example
from driftloop.pages import docs_curl, docs_form, look
from driftloop.pages.docs_clients import clients
from driftloop.plan.inputs import Input

STYLE = """
pre{background:color-mix(in srgb,var(--ink) 6%,transparent);border-radius:.5rem;padding:.7rem;
overflow-x:auto;font:13px/1.45 ui-monospace,monospace;margin:.4rem 0}
pre.line{white-space:pre-wrap;overflow-wrap:anywhere;user-select:all}
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}nav a{margin-right:1rem}
a{color:var(--now)}details{border-bottom:1px solid var(--line);padding:.35rem 0}
summary{cursor:pointer}summary code{font-weight:600}section{margin-top:3rem}
section>h2:first-child{font-size:1.25rem;border-top:2px solid var(--line);padding-top:1.2rem}
h3{font-size:1rem;margin:1.6rem 0 .3rem}td{vertical-align:top;overflow-wrap:anywhere}
td:first-child{min-width:7rem}td:nth-child(2):not(:last-child){overflow-wrap:normal}
"""
ENDPOINTS = (
    ("GET /health", "is anybody there"),
    ("GET /models", "the models that answer"),
    ("GET /models/{model}", "its route, what a row holds, an example"),
    ("POST /models/{model}/predict", "predictions"),
    ("POST /models/{model}/labels", "what became of predictions"),
    ("GET /models/{model}/versions", "newest first"),
    ("GET /models/{model}/versions/{n}", "one version and where it came from"),
    ("GET /models/{model}/versions/{n}/card", "its model card; HTML or Markdown where accepted"),
    ("GET /openapi.json", "all of this for machines; /models/{model}/openapi.json for one model"),
)
SHAPES = {
    "instances": "objects: KServe V1, Vertex AI",
    "instances_lists": "values in the order of the inputs",
    "dataframe_records": "MLflow",
    "dataframe_split": "MLflow; DataFrame.to_dict('split')",
    "inputs": "MLflow",
    "inputs_columns": "a list for each column: MLflow, TensorFlow Serving",
    "csv": "SageMaker; with a header line or, in the order of the inputs, without",
}


def html(service: Service, models: Sequence[Interface]) -> str:
    """The page of the API at ``service`` with these models."""
    models = sorted(models, key=lambda face: face.model)
    named = "".join(f'<a href="#{f.model}">{escape(f.model)}</a>' for f in models)
    about = f"<p>{_code(service.url)}</p><nav>{named or 'No model is released yet.'}</nav>"
    body = (
        about + _access(service) + _endpoints(service) + "".join(_model(service, f) for f in models)
    )
    form = docs_form.SCRIPT if service.access != "iam" and models else ""
    return look.document(f"driftloop {service.env}: the API", body + form, STYLE + docs_form.STYLE)


def _access(service: Service) -> str:
    how = {
        "iam": "Requests are signed with AWS Signature Version 4 for the service "
        f"{_code('execute-api')} in {_code(service.region)}; the caller's policies allow "
        f"{_code('execute-api:Invoke')}.",
        "jwt": f"Requests carry an access token of {_code(service.authorizer)} as "
        f"{_code('Authorization: Bearer …')}.",
        "none": "Anybody who reaches the API may call it.",
    }[service.access]
    open_ = f" Open to all: {', '.join(service.public)}." if any(service.public) else ""
    open_ = "" if service.access == "none" else open_
    rows = [[who, "yes" if works else "no", why] for who, works, why in clients(service.access)]
    return (
        f"<h2>Who may call it</h2><p>{how}{escape(open_)}</p>"
        f"<h3>Which client works</h3>{look.table(['client', 'works', ''], rows)}"
    )


def _endpoints(service: Service) -> str:
    rows = "".join(
        f"<tr><td>{_linked(route, service)}</td><td>{escape(does)}</td></tr>"
        for route, does in ENDPOINTS
    )
    return f'<h2>What there is</h2><div class="wide"><table>{rows}</table></div>' + (
        '<p class="soft">Errors are problem documents (RFC 9457): 400 and 415 name each field, 413 '
        "is over a limit, 503 says when to ask again. API Gateway itself answers 401, 403 and "
        "429.</p>"
    )


def _linked(route: str, service: Service) -> str:
    """A link where a browser gets in. Long ones break before a slash."""
    shown, path = _code(route).replace("/{", "<wbr>/{").replace("}/", "}<wbr>/"), route.split()[1]
    if "{" in path or service.security(path.strip("/").partition(".")[0]):
        return shown
    return f'<a href="{escape(service.url + path)}">{shown}</a>'


def _model(service: Service, face: Interface) -> str:
    url = f"{service.url}/models/{face.model}"
    good = json.dumps(answer_example(face), indent=1, ensure_ascii=False)
    labels = escape(docs_curl.line(service, f"{url}/labels", labels_example(face)))
    explain = (
        f"<p>With {_code('?explain=true')} each prediction says what every input "
        "contributed, for up to 100 rows.</p>"
        if face.explains
        else ""
    )
    return (
        f'<section id="{face.model}"><h2>{escape(face.model)}</h2>'
        f"<p>{escape(face.description)}</p>"
        f'<p class="soft">Predicts {_code(face.target)} ({face.task}); version {face.version} '
        f"answers.</p><h3>What a row holds</h3>{_inputs(face)}"
        f"<h3>Predict</h3><p>{_code(f'POST /models/{face.model}/predict')}, up to 10,000 rows, in "
        f"any of these shapes:</p>{_shapes(service, face, url)}"
        f"<p>The answer, or CSV with {_code('accept: text/csv')}:</p><pre>{escape(good)}</pre>"
        f"{explain}{docs_form.form(service, face, url)}"
        f"<h3>Labels</h3><p>What became of predictions, by their ids{_or_key(face)}. "
        "They judge the model and train the next.</p>"
        f'<pre class="line">{labels}</pre>'
        "</section>"
    )


def _shapes(service: Service, face: Interface, url: str) -> str:
    found: list[str] = []
    for name, sent in examples(face).items():
        line = escape(docs_curl.line(service, f"{url}/predict", sent))
        key = name.split("_")[0] if name.startswith(("instances", "inputs")) else name
        found.append(
            f"<details{'' if found else ' open'}><summary>{_code(key)} "
            f'<span class="soft">{escape(SHAPES[name])}</span></summary>'
            f'<pre class="line">{line}</pre></details>'
        )
    return "".join(found)


def _or_key(face: Interface) -> str:
    return f" or, as <code>key</code>, your own {_code(face.key)}" if face.key else ""


def _inputs(face: Interface) -> str:
    rows: list[list[str]] = [
        [item.name, item.type + (" or null" if item.nullable else ""), _allowed(item, face)]
        for item in face.inputs
    ]
    if face.key:
        about = "your own id of the row: labels find their prediction by it"
        rows.append([face.key, "text, whole number or null", about])
    if face.time:
        rows.append([face.time, "text, number or null", "its event time; not looked at"])
    told = '<p class="soft">What may be null may be left out.</p>'
    return look.table(["name", "type", "what may be sent"], rows) + told


def _allowed(item: Input, face: Interface) -> str:
    if item.type == "number":
        if item.min is not None and item.max is not None:
            return f"{item.min:g} to {item.max:g}"
        least = "" if item.min is None else f"{item.min:g} or more"
        return least or ("" if item.max is None else f"{item.max:g} or less") or "any number"
    if item.categories is not None:
        return _some(item.categories)
    known = face.known.get(item.name, ())
    told = f"; has learned from {_some(known)}" if known else ""
    return (f"matches {item.pattern}" if item.pattern else "any text") + told


def _some(words: Iterable[str]) -> str:
    found = list(words)
    return ", ".join(found[:12]) + (f" and {len(found) - 12} more" if len(found) > 12 else "")


def _code(text: Any) -> str:
    return f"<code>{escape(str(text))}</code>"
