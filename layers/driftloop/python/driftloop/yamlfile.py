"""YAML as a spec wants it: no key twice, no surprise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from driftloop.errors import SpecError


class _Loader(yaml.SafeLoader):
    """The safe loader, but a key given twice is a mistake rather than the last one's word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands there twice (line {line})"
                )
            if isinstance(key.value, str):
                seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(
                None, None, f"{node.value!r} is no date: {error}", node.start_mark
            ) from None


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_timestamp)


def load(path: Path, limit: int) -> Any:
    """Parse a file of at most ``limit`` bytes. Raises SpecError saying what is wrong with it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise SpecError(f"{path}: {why}") from None
    if len(data) > limit:
        raise SpecError(f"{path}: is over {limit // 1024} KiB")
    try:
        return yaml.load(data.decode("utf-8"), Loader=_Loader)
    except UnicodeDecodeError:
        raise SpecError(f"{path}: is not UTF-8 text") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        said = getattr(error, "problem", None) or str(error)
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise SpecError(f"{path}: is not the YAML of a spec: {said}{where}") from None
