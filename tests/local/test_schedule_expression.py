"""rate() and cron(), against the examples of EventBridge's own guide."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.schedule_expression import InvalidSchedule, parse


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def fires(expression: str, start: str, count: int) -> list[str]:
    schedule, when, found = parse(expression), utc(start), []
    for _ in range(count):
        following = schedule.next_after(when, utc(start))
        assert following is not None
        found.append(following.strftime("%a %Y-%m-%d %H:%M"))
        when = following
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # the table "cron expression examples" of the guide
        ("cron(0 10 * * ? *)", ["Tue 2013-01-01 10:00", "Wed 2013-01-02 10:00"]),
        ("cron(15 12 * * ? *)", ["Tue 2013-01-01 12:15", "Wed 2013-01-02 12:15"]),
        (
            "cron(0 18 ? * MON-FRI *)",
            [
                "Tue 2013-01-01 18:00",
                "Wed 2013-01-02 18:00",
                "Thu 2013-01-03 18:00",
                "Fri 2013-01-04 18:00",
                "Mon 2013-01-07 18:00",
            ],
        ),
        ("cron(0 8 1 * ? *)", ["Tue 2013-01-01 08:00", "Fri 2013-02-01 08:00"]),
        ("cron(0/15 * * * ? *)", ["Tue 2013-01-01 00:15", "Tue 2013-01-01 00:30"]),
        ("cron(0/10 * ? * MON-FRI *)", ["Tue 2013-01-01 00:10"]),
        (
            "cron(0/5 8-17 ? * MON-FRI *)",
            ["Tue 2013-01-01 08:00", "Tue 2013-01-01 08:05"],
        ),
        (
            "cron(0/30 20-2 ? * MON-FRI *)",  # over midnight
            ["Tue 2013-01-01 00:30", "Tue 2013-01-01 01:00"],
        ),
        # the wildcards of the guide
        ("cron(1/10 * * * ? *)", ["Tue 2013-01-01 00:01", "Tue 2013-01-01 00:11"]),
        ("cron(0 0 L * ? *)", ["Thu 2013-01-31 00:00", "Thu 2013-02-28 00:00"]),
        ("cron(0 0 3W * ? *)", ["Thu 2013-01-03 00:00", "Mon 2013-02-04 00:00"]),
        ("cron(0 0 1W 6 ? *)", ["Mon 2013-06-03 00:00"]),
        ("cron(0 0 ? * 3#2 *)", ["Tue 2013-01-08 00:00", "Tue 2013-02-12 00:00"]),
        ("cron(0 0 ? * L *)", ["Sat 2013-01-05 00:00"]),
        ("cron(0 0 ? * 6L *)", ["Fri 2013-01-25 00:00", "Fri 2013-02-22 00:00"]),
        ("cron(0 0 29 2 ? *)", ["Mon 2016-02-29 00:00", "Sat 2020-02-29 00:00"]),
        ("cron(0 0 1 JAN,MAR ? 2014-2015)", ["Wed 2014-01-01 00:00", "Sat 2014-03-01 00:00"]),
        ("rate(1 minute)", ["Tue 2013-01-01 00:01", "Tue 2013-01-01 00:02"]),
        ("rate(5 hours)", ["Tue 2013-01-01 05:00", "Tue 2013-01-01 10:00"]),
        ("rate(7 days)", ["Tue 2013-01-08 00:00", "Tue 2013-01-15 00:00"]),
    ],
)
def test_examples(expression: str, expected: list[str]) -> None:
    assert fires(expression, "2013-01-01T00:00", len(expected)) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "every day",
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(5 seconds)",
        "rate(-1 day)",
        "cron(0 10 * * *)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(60 10 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 10 32 * ? *)",
        "cron(0 10 ? * 8 *)",
        "cron(0 10 * FOO ? *)",
        "cron(5/0 10 * * ? *)",
        "at(tomorrow)",
    ],
)
def test_refused(expression: str) -> None:
    with pytest.raises(InvalidSchedule):
        parse(expression)


def test_a_day_that_never_comes_and_a_moment_that_is_past() -> None:
    assert parse("cron(0 0 30 2 ? *)").next_after(utc("2013-01-01"), utc("2013-01-01")) is None
    once = parse("at(2013-06-01T12:00:00)")
    assert once.next_after(utc("2013-01-01"), utc("2013-01-01")) == utc("2013-06-01T12:00")
    assert once.next_after(utc("2013-06-01T12:00"), utc("2013-01-01")) is None


moments = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)).map(
    lambda when: when.replace(tzinfo=UTC)
)


@given(moments, moments, st.integers(2, 500), st.sampled_from(["minutes", "hours", "days"]))
def test_a_rate_is_always_ahead_by_at_most_one_interval(
    anchor: datetime, when: datetime, number: int, unit: str
) -> None:
    every = timedelta(**{unit: number})
    following = parse(f"rate({number} {unit})").next_after(max(when, anchor), anchor)
    assert following is not None
    assert timedelta(0) < following - max(when, anchor) <= every
    assert (following - anchor) % every == timedelta(0)


@given(moments, st.integers(0, 59), st.integers(0, 23), st.integers(1, 28))
def test_cron_finds_the_first_match_and_never_the_present(
    when: datetime, minute: int, hour: int, day: int
) -> None:
    following = parse(f"cron({minute} {hour} {day} * ? *)").next_after(when, when)
    assert following is not None and following > when
    assert (following.minute, following.hour, following.day) == (minute, hour, day)
    assert following - when <= timedelta(days=31, minutes=1)
