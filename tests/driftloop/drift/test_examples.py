"""The examples in the docstrings give what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from driftloop import drift

MODULES = [module.name for module in pkgutil.iter_modules(drift.__path__, "driftloop.drift.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0
    assert found.attempted or name == "driftloop.drift.paired"
