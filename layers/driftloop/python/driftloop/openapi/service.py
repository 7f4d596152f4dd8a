"""The API as it was deployed: where it is and who may call it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

SCHEME = "caller"


@dataclass(frozen=True)
class Service:
    """``authorizer``: ``iam``, ``none`` or the issuer of the tokens it takes. ``public``: what
    nobody needs leave for, of ``health``, ``docs`` and ``openapi``."""

    env: str
    url: str
    authorizer: str = "iam"
    region: str = "us-east-1"
    public: tuple[str, ...] = ()

    @property
    def access(self) -> Literal["iam", "jwt", "none"]:
        if self.authorizer == "iam":
            return "iam"
        return "none" if self.authorizer == "none" else "jwt"

    def security(self, what: str = "") -> list[dict[str, list[str]]]:
        """Of an operation, in OpenAPI's terms; ``what`` is its name among the public ones."""
        return [] if self.access == "none" or what in self.public else [{SCHEME: []}]

    def schemes(self) -> dict[str, Any]:
        if self.access == "none":
            return {}
        if self.access == "jwt":
            found = f"{self.authorizer.rstrip('/')}/.well-known/openid-configuration"
            about = "An access token of the issuer, as `Authorization: Bearer …`."
            return {SCHEME: {"type": "openIdConnect", "openIdConnectUrl": found,
                             "description": about}}  # fmt: skip
        about = f"AWS Signature Version 4, service `execute-api`, region `{self.region}`."
        return {
            SCHEME: {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "awsSigv4",
                "description": about,
            }
        }
