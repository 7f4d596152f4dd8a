import math

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from driftloop.wire.attribute import decode, encode

NUMBERS = st.floats(-1e100, 1e100).map(lambda x: 0.0 if abs(x) < 1e-130 else x)
VALUES = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers(-(2**53), 2**53) | NUMBERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_what_goes_in_comes_out(value):
    assert decode(encode(value)) == value


@given(st.integers(-(2**53), 2**53) | st.text() | st.booleans() | st.none())
def test_boto3_reads_it_the_same(value):
    assert TypeDeserializer().deserialize(encode(value)) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e200])
def test_law_10_a_number_that_is_none_is_refused(value):
    with pytest.raises(ValueError, match="no number"):
        encode(value)


def test_a_number_too_small_to_hold_is_zero():
    assert decode(encode(1e-200)) == 0
