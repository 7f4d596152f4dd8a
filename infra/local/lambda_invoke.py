"""Lambda's Invoke on the wire, and what it refuses.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import base64
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import LambdaBackend
from moto.core.exceptions import JsonRESTError

if TYPE_CHECKING:
    from .server import Local


class TooManyRequests(JsonRESTError):  # type: ignore[misc]
    """As many functions run as may."""

    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


class EventTooLarge(JsonRESTError):  # type: ignore[misc]
    code = 413

    def __init__(self, size: int) -> None:
        message = f"{size} byte payload is too large for the Invoke operation"
        super().__init__("RequestEntityTooLargeException", message)


def install(local: "Local") -> None:
    """Real code for every Invoke."""

    def invoke(
        backend: LambdaBackend,
        function_name: str,
        qualifier: str | None,
        body: Any,
        headers: Any,
        response_headers: Any,
    ) -> bytes:
        payload = body.encode() if isinstance(body, str) else (body or b"")
        function = local.lambdas.find(function_name, qualifier)
        response_headers["x-amz-executed-version"] = str(function.version)
        kind = headers.get("x-amz-invocation-type", "RequestResponse")
        if kind == "DryRun":
            return b""
        result = local.lambdas.invoke(
            function_name, payload, asynchronous=kind == "Event", qualifier=qualifier
        )
        response_headers["x-amzn-requestid"] = result.request_id
        if result.error:
            response_headers["x-amz-function-error"] = "Unhandled"
        if headers.get("x-amz-log-type") == "Tail":
            tail = base64.b64encode(result.log.encode()[-4096:]).decode()
            response_headers["x-amz-log-result"] = tail
        return bytes(result.payload)

    LambdaBackend.invoke = invoke
