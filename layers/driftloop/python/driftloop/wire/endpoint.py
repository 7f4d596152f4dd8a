"""Where a service answers: per region and partition, or where the environment says.

Names of the variables: "Service-specific endpoints" in the AWS SDKs and tools reference guide.
"""

from __future__ import annotations

from collections.abc import Mapping

_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "eusc-": "amazonaws.eu",
}


def suffix(region: str) -> str:
    """The DNS suffix of the region's partition; GovCloud (``us-gov-``) shares the commercial."""
    return next((s for start, s in _SUFFIXES.items() if region.startswith(start)), "amazonaws.com")


def override(service: str, env: Mapping[str, str]) -> str:
    """The endpoint that the environment sets for ``service``, or ``""``."""
    if env.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return ""
    own = env.get(f"AWS_ENDPOINT_URL_{service.upper()}", "")
    return (own or env.get("AWS_ENDPOINT_URL", "")).rstrip("/")


def base(service: str, region: str, env: Mapping[str, str]) -> str:
    """The URL of a regional service: ``https://dynamodb.eu-west-1.amazonaws.com``."""
    return override(service, env) or f"https://{service}.{region}.{suffix(region)}"


def bucket(name: str, region: str, env: Mapping[str, str]) -> tuple[str, str]:
    """URL and path prefix of a bucket: virtual-hosted; by path where the environment sets the
    endpoint, or where dots in the name would break the TLS certificate."""
    if override("s3", env) or "." in name:
        return base("s3", region, env), f"/{name}"
    return f"https://{name}.s3.{region}.{suffix(region)}", ""
