import boto3
import pytest

from driftloop.wire import endpoint

REGIONS = ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"]


@pytest.mark.parametrize("region", REGIONS)
def test_a_service_answers_where_botocore_says(region):
    theirs = boto3.client("dynamodb", region_name=region, aws_access_key_id="x",
                          aws_secret_access_key="x").meta.endpoint_url  # fmt: skip
    assert endpoint.base("dynamodb", region, {}) == theirs


@pytest.mark.parametrize("region", REGIONS)
def test_a_bucket_is_part_of_the_host_name(region):
    url, prefix = endpoint.bucket("store-1", region, {})
    assert url == f"https://store-1.s3.{region}.{endpoint.suffix(region)}"
    assert prefix == ""


def test_a_bucket_with_dots_is_part_of_the_path():
    assert endpoint.bucket("a.b", "us-east-1", {}) == ("https://s3.us-east-1.amazonaws.com", "/a.b")


def test_the_environment_overrides_for_all_and_for_one():
    env = {"AWS_ENDPOINT_URL": "http://localhost:4566/", "AWS_ENDPOINT_URL_S3": "http://s3:9000"}
    assert endpoint.base("dynamodb", "eu-west-1", env) == "http://localhost:4566"
    assert endpoint.bucket("b", "eu-west-1", env) == ("http://s3:9000", "/b")
    ignored = env | {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    assert endpoint.base("dynamodb", "eu-west-1", ignored).startswith("https://dynamodb.")
