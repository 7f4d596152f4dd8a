"""Which client gets in with which authoriser."""

from __future__ import annotations

from typing import Literal

Access = Literal["iam", "jwt", "none"]


def clients(access: Access) -> list[tuple[str, bool, str]]:
    """Client, whether it works, and why (not) or how."""
    signs, token = access == "iam", " and the token" if access == "jwt" else ""
    bare = f"give it the URL{token}"
    return [
        ("driftloop.client", True, "Endpoint(url).predict(rows); " + (
            "signs with the AWS credentials it finds" if signs else bare)),
        ("curl", True, "the lines below"),
        ("MLflow", not signs, "does not sign" if signs else f"{bare}; the dataframe_ shapes"),
        ("KServe, Vertex AI", not signs, "does not sign" if signs else f"{bare}; instances"),
        ("SageMaker runtime", False, "signs for the service sagemaker, which is another; its CSV "
         "is understood from any client above"),
        ("a browser", not signs, "cannot sign" if signs else "the form below; other sites by CORS"),
    ]  # fmt: skip
