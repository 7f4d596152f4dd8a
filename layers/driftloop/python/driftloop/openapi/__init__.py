"""OpenAPI 3.1 of the API as it stands: every released model, as the endpoint checks it.

https://spec.openapis.org/oas/v3.1.0; schemas are JSON Schema 2020-12.
"""

from driftloop.openapi.document import document
from driftloop.openapi.service import Service

__all__ = ["Service", "document"]
