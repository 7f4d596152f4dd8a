"""The commands about data: what was rejected, which versions of the rows there are."""

from __future__ import annotations

from cyclopts import App

app = App()
