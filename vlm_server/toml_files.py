"""TOML, also on Python 3.10, which FastDeploy's images have."""

from pathlib import Path
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:  # then pip, which those images have, carries the same code
    from pip._vendor import tomli as tomllib  # type: ignore[no-redef]


def read_toml(path: Path) -> dict[str, Any]:
    """The whole file."""
    with path.open("rb") as file:
        return tomllib.load(file)
