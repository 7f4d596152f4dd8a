"""The tree in the docstring is the tree in the code, and every error has its HTTP status."""

import re
from http import HTTPStatus

import pytest

from driftloop import errors
from driftloop.problem import problem


def tree(error=errors.DriftloopError):
    """The errors of the house's tree; what a room keeps to itself inherits its parent's status."""
    below = (sub for sub in error.__subclasses__() if sub.__module__ == errors.__name__)
    return [error, *(child for sub in below for child in tree(sub))]


def test_the_docstring_names_every_error_below_its_parent():
    lines = [
        (re.search(r"\w", line).start(), re.search(r"\w+", line)[0])
        for line in errors.__doc__.splitlines()
        if "──" in line or line.lstrip().startswith("DriftloopError")
    ]
    parents, above = {}, []
    for depth, name in lines:
        above = [(d, n) for d, n in above if d < depth]
        parents[name] = above[-1][1] if above else "Exception"
        above.append((depth, name))
    assert parents == {e.__name__: e.__mro__[1].__name__ for e in tree()}


@pytest.mark.parametrize("error", tree())
def test_every_error_is_mapped_to_a_status(error):
    answer = problem(error("why"))
    assert answer["statusCode"] == HTTPStatus(error.http_status)
    assert answer["headers"]["content-type"] == "application/problem+json"
