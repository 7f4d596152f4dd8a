"""Who holds which access key: the operator, and one session for every role.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_use-resources.html
"""

import secrets
import threading
from typing import Any

from moto.sts.models import sts_backends

from .sigv4 import Secret

OPERATOR = "operator"
OPERATOR_KEY = OPERATOR_SECRET = "test"


class Credentials:
    """Temporary credentials by role ARN, made at first asking and kept."""

    def __init__(self) -> None:
        self._by_role: dict[str, tuple[str, str, str]] = {}
        self._by_key: dict[str, str] = {OPERATOR_KEY: OPERATOR}
        self._lock = threading.Lock()

    def of(self, role_arn: str) -> tuple[str, str, str]:
        """Access key, secret and session token of a session of ``role_arn``."""
        with self._lock:
            if role_arn not in self._by_role:
                key = "ASIA" + secrets.token_hex(8).upper()
                self._by_role[role_arn] = (key, secrets.token_hex(20), secrets.token_hex(32))
                self._by_key[key] = role_arn
            return self._by_role[role_arn]

    def principal_of(self, access_key: str) -> str | None:
        """A role's ARN, ``operator``, or None for a key nobody was given."""
        known = self._by_key.get(access_key)
        if known is None and (session := _session(access_key)) is not None:
            return str(session.role_arn)
        return known

    def secret_of(self, access_key: str) -> Secret | None:
        """What requests of this key are signed with; None for a key nobody was given."""
        principal = self._by_key.get(access_key)
        if principal == OPERATOR:
            return Secret(OPERATOR_SECRET)
        if principal is not None:
            _, secret, token = self.of(principal)
            return Secret(secret, token)
        session = _session(access_key)
        return Secret(session.secret_access_key, session.session_token) if session else None


def _session(access_key: str) -> Any:
    """What ``sts:AssumeRole`` gave out under this key."""
    for account in sts_backends.values():
        for backend in account.values():
            session = backend.get_assumed_role_from_access_key(access_key)
            if session:
                return session
    return None
