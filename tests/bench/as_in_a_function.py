"""Imported first: hides pandas, which a function's layer does not hold and pyarrow would load."""

import sys


class _NoPandas:
    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.split(".")[0] == "pandas":
            raise ImportError(name)


sys.meta_path.insert(0, _NoPandas())  # type: ignore[arg-type]
