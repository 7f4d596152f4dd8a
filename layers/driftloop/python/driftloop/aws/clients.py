"""boto3 clients, each made at first use and kept for the life of the process."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

RETRIES: Any = {"mode": "standard", "total_max_attempts": 4}


def client(service: str) -> Any:
    """The client of ``service``, with time-outs and retries that fit inside a Lambda call."""
    return _client(service, os.environ.get("AWS_ENDPOINT_URL"), os.environ.get("AWS_REGION"))


@cache
def _client(service: str, endpoint: str | None, region: str | None) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=3,
        read_timeout=30,
        retries=RETRIES,
    )
    session: Any = boto3
    return session.client(service, endpoint_url=endpoint, config=config, region_name=region or None)
