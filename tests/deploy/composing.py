"""The compose files as Docker Compose reads them, where there is one, and as YAML."""

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
STACKS = ("gpu", "fastdeploy", "sglang", "cpu")
NO_SETTINGS = str(Path(__file__).with_name("no_settings.env"))
FILES = (
    ROOT / "compose.yaml",
    ROOT / "compose.basic.yaml",
    *sorted((ROOT / "deploy" / "compose").glob("*.yaml")),
)
MULTI_GPU = "deploy/compose/multi-gpu.yaml"


@cache
def compose_command() -> tuple[str, ...] | None:
    """Compose 2 before 1.29; None where there is neither."""
    for command in (("docker", "compose"), ("docker-compose",)):
        if (
            shutil.which(command[0])
            and not subprocess.run([*command, "version"], capture_output=True, check=False).returncode
        ):
            return command
    return None


@cache
def is_compose_2() -> bool:
    command = compose_command()
    if command is None:
        return False
    said = subprocess.check_output([*command, "version", "--short"], text=True)
    return not said.strip().removeprefix("v").startswith("1.")


def configure(*files: str, **environment: str) -> dict[str, Any]:
    """What Compose makes of these files, with nothing else in the environment; no .env is read."""
    command = compose_command()
    assert command is not None
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "DOCKER_CONFIG", "DOCKER_HOST")
        if name in os.environ
    }
    words = [
        *command,
        "--env-file",
        NO_SETTINGS,
        *(word for file in files for word in ("-f", file)),
        "config",
    ]
    done = subprocess.run(
        words, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    config: dict[str, Any] = yaml.safe_load(done.stdout)
    return config


def merged(stack: str) -> dict[str, Any]:
    """compose.yaml with the stack's services under its own, as `extends` merges them; nothing is filled in.

    Only what the tests ask for is merged: maps key by key, lists one after the other.
    """
    return {
        name: _merge(base(stack, name), service) for name, service in services(ROOT / "compose.yaml").items()
    }


def base(stack: str, name: str) -> dict[str, Any]:
    """A service of a stack's file, over what it extends itself."""
    service = services(ROOT / "deploy" / "compose" / f"{stack}.yaml").get(name, {})
    return _merge(base("gpu", name), service) if "extends" in service else service


def services(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))["services"]
    return content


def variables(text: str) -> set[str]:
    """Names in ${...}, however deep, and those that an environment takes over without a value."""
    taken_over = re.findall(r"^ {6}((?:HPS|UVICORN)_\w+):$", text, re.MULTILINE)
    return {*re.findall(r"\$\{([A-Z0-9_]+)", text), *taken_over}


def _merge(under: Any, over: Any) -> Any:
    if isinstance(under, dict) and isinstance(over, dict):
        return {**under, **{key: _merge(under.get(key), value) for key, value in over.items()}}
    if isinstance(under, list) and isinstance(over, list):
        return [*under, *over]
    return over


def same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
