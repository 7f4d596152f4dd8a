"""The API under schemathesis, against its own document: no 5xx, every answer as described, and
nothing answered that breaks the schema. https://schemathesis.readthedocs.io"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.api.conftest import Api

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_headers_conformance, response_schema_conformance, negative_data_rejection,
    unsupported_method, allow_header_conformance,
]  # fmt: skip


def unbounded(value: Any) -> Any:
    """Without the limit of rows, which takes too long to go beyond again and again."""
    if isinstance(value, dict):
        return {k: unbounded(v) for k, v in value.items() if (k, v) != ("maxItems", 10_000)}
    return [unbounded(v) for v in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def described(api: Api) -> Any:
    document = unbounded(api.ask("GET", "/openapi.json").document)
    found = schemathesis.openapi.from_dict(document)
    found.config.update(base_url=api.url)
    refused = ["4XX", "503"]  # what breaks the schema; 413 is among them
    found.config.checks.negative_data_rejection.expected_statuses = refused
    found.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    return found


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_api_is_as_its_document_says(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=CHECKS)
