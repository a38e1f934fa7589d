"""vLLM's own parser on every command that a preset becomes."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.vllm.server import PROGRAMS, ROOT, environment
from tests.vlm_server.commands import arguments_of, name_of
from vlm_server.__main__ import main
from vlm_server.catalogue import load_flags, load_presets

GOLDEN = ROOT / "tests" / "golden" / "engine_commands"
PRESETS = [preset for preset in load_presets() if preset.engine == "vllm"]


def words_of(command: str) -> list[str]:
    """The engine's arguments in a printed command, variables and program left out."""
    words = shlex.split(command.replace("\\\n", ""))
    start = words.index("vllm.entrypoints.openai.api_server") if "-m" in words else words.index("serve")
    return words[start + 1 :]


@pytest.fixture(scope="module")
def ask_parser(vllm_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    def run(*commands: list[str]) -> Any:
        done = subprocess.run(
            [vllm_python, PROGRAMS / "parse_commands.py"],
            input=json.dumps(commands),
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
            env=environment(tmp_path_factory.mktemp("parser")),
        )
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="module")
def answers(ask_parser: Any) -> dict[str, Any]:
    """Of every vLLM preset, by the name of its golden file."""
    names = [name_of(preset) for preset in PRESETS]
    commands = [words_of((GOLDEN / f"{name}.txt").read_text()) for name in names]
    return dict(zip(names, ask_parser(*commands)["answers"], strict=True))


@pytest.mark.parametrize("preset", PRESETS, ids=name_of)
def test_vllm_takes_the_command_of_a_preset_and_understands_its_values(answers, preset):
    answer = answers[name_of(preset)]
    assert "parsed" in answer, answer
    parsed = answer["parsed"]
    assert "PaddlePaddle/PaddleOCR-VL" in (parsed["model_tag"] + parsed["model"])
    assert parsed["served_model_name"] == "['PaddleOCR-VL-0.9B']"
    for name, choice in preset.flags.items():
        positive = name.removeprefix("no-")
        value = parsed[positive.replace("-", "_")]
        if isinstance(choice.value, bool):
            assert value == str(positive == name)
        elif isinstance(choice.value, int | float):
            assert float(value) == choice.value


def test_our_list_of_flags_is_vllms(ask_parser):
    ours, theirs = load_flags("vllm"), ask_parser()["flags"]
    assert {kind: set(theirs[kind]) for kind in theirs} == {
        "switches": ours.switches, "values": ours.values, "lists": ours.lists,
    }  # fmt: skip


def test_what_a_backend_config_becomes_is_taken(ask_parser, tmp_path, capsys):
    path = tmp_path / "config.yaml"
    path.write_text(
        "gpu-memory-utilization: 0.8\nmax_model_len: 7520\nenforce-eager: true\ntrust-remote-code: false\n"
        "limit-mm-per-prompt: {image: 2}\nallowed-origins: '[\"*\"]'\nseed: 3\n"
    )
    assert (
        main([*arguments_of(PRESETS[2]), "--backend_config", str(path), "--paddlex-clients", "--print"]) == 0
    )
    (answer,) = ask_parser(words_of(capsys.readouterr().out))["answers"]
    parsed = answer["parsed"]
    assert (parsed["max_model_len"], parsed["enforce_eager"], parsed["seed"]) == ("7520", "True", "3")
    assert parsed["trust_request_mm_kwargs"] == "True"
    assert "2" in parsed["limit_mm_per_prompt"]


def test_the_parser_would_have_said_no(ask_parser):
    """The tests above can fail."""
    (answer,) = ask_parser(["model", "--max-model-lenn", "3"])["answers"]
    assert "refused" in answer
