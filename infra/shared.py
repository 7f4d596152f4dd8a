"""What the platform gives every model, by name across stacks.

Exports are written by hand: CDK's automatic ones would edit the platform whenever a model comes or
goes, and would hold it in place while anybody reads them.
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Aws, CfnOutput, Fn
from constructs import Construct

from infra.settings import Settings


@dataclass(frozen=True)
class Shared:
    """Names and ARNs of the platform: literal tokens inside it, imports in a model's stack."""

    landing: str
    store: str
    table: str
    api_id: str
    api_url: str
    topic_arn: str
    key_arn: str
    authorizer_id: str | None

    @property
    def landing_arn(self) -> str:
        return f"arn:{Aws.PARTITION}:s3:::{self.landing}"

    @property
    def store_arn(self) -> str:
        return f"arn:{Aws.PARTITION}:s3:::{self.store}"

    @property
    def table_arn(self) -> str:
        return f"arn:{Aws.PARTITION}:dynamodb:{Aws.REGION}:{Aws.ACCOUNT_ID}:table/{self.table}"

    def export(self, stack: Construct, env: str) -> None:
        """The platform's outputs."""
        for name, value in self._named().items():
            if value is not None:
                CfnOutput(stack, name, value=value, export_name=f"driftloop-{env}:{name}")

    @classmethod
    def imported(cls, settings: Settings) -> Shared:
        def value(name: str) -> str:
            return Fn.import_value(f"driftloop-{settings.name}:{name}")

        jwt = not isinstance(settings.environment.authorizer, str)
        return cls(
            landing=value("LandingBucket"), store=value("StoreBucket"),
            table=value("RegistryTable"), api_id=value("ApiId"), api_url=value("ApiUrl"),
            topic_arn=value("TopicArn"), key_arn=value("KeyArn"),
            authorizer_id=value("AuthorizerId") if jwt else None,
        )  # fmt: skip

    def _named(self) -> dict[str, str | None]:
        return {
            "LandingBucket": self.landing, "StoreBucket": self.store,
            "RegistryTable": self.table, "ApiId": self.api_id, "ApiUrl": self.api_url,
            "TopicArn": self.topic_arn, "KeyArn": self.key_arn,
            "AuthorizerId": self.authorizer_id,
        }  # fmt: skip
