"""``compute: sagemaker`` trains the same model as ``compute: lambda``, byte for byte."""

from __future__ import annotations

from tests.loop.conftest import Loop, as_csv, rows


def test_law_2_both_branches_give_the_same_plan_on_the_same_frame(loop: Loop) -> None:
    """Same input, same bytes: dataset, frame and plan of the two models have the same names."""
    run = loop.upload("flights-sagemaker", "first.csv", as_csv(rows(most=12_000)))
    assert (run["status"], run["outcome"]) == ("SUCCEEDED", "released"), run
    by_job = loop.version("flights-sagemaker", 1)
    by_lambda = loop.version("flights", 1)
    assert by_job["dataset"] == by_lambda["dataset"]
    assert by_job["frame"] == by_lambda["frame"]
    assert by_job["plan_sha256"] == by_lambda["plan_sha256"]


def test_the_job_ran_under_the_container_contract(loop: Loop) -> None:
    if not loop.items("flights-sagemaker", "VERSION#"):
        loop.upload("flights-sagemaker", "first.csv", as_csv(rows(most=12_000)))
    run = loop.runs("flights-sagemaker")[0]["run"]
    kept = loop.stored(f"flights-sagemaker/runs/{run}/job/")
    assert any(key.endswith("/output/model.tar.gz") for key in kept)
    groups = loop.client("logs").describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")
    assert groups["logStreams"]
