"""The script that starts a VLM server in an engine's own image, under the Pythons that those images have."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.vlm_server.test_model_folders import BASE_ONLY, SFT_OUTPUT

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "containers" / "serve_vlm.sh"


@pytest.fixture
def image(tmp_path) -> Path:
    """What a container has: the script and the package beside each other, and the weights."""
    place = tmp_path / "opt"
    place.mkdir()
    shutil.copy(SCRIPT, place)
    shutil.copytree(ROOT / "vlm_server", place / "vlm_server", ignore=shutil.ignore_patterns("__pycache__"))
    weights = tmp_path / "models" / "PaddleOCR-VL-1.6"
    weights.mkdir(parents=True)
    for name, content in {**SFT_OUTPUT, **dict.fromkeys(BASE_ONLY, "")}.items():
        (weights / name).write_text(content)
    return tmp_path


def printed(image: Path, engine: str, python: str, **environment: str) -> str:
    programs = image / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("sh", "dirname", "python3"):
        (programs / name).unlink(missing_ok=True)
        (programs / name).symlink_to(python if name == "python3" else str(shutil.which(name)))
    done = subprocess.run(
        ["sh", image / "opt" / "serve_vlm.sh", engine, "--print", "--gpu", "RTX 4090", "--force"],
        env={
            "PATH": str(programs),
            "HPS_MODELS_ROOT": str(image / "models"),
            "HPS_VLM_WEIGHTS": "PaddleOCR-VL-1.6",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def pythons() -> list[str]:
    """The program behind each Python here that an engine's image may have."""
    found = []
    for version in ("3.10", "3.11", "3.12", "3.13"):
        kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python3"))
        for place in filter(None, [shutil.which(f"python{version}"), *kept]):
            words = [place, "-c", "import sys; print(sys.executable)"]
            said = subprocess.run(words, capture_output=True, text=True, check=False)
            if said.returncode == 0:
                found.append(said.stdout.strip())
                break
    return found


@pytest.mark.parametrize("python", pythons())
@pytest.mark.parametrize("engine", ["vllm", "fastdeploy", "sglang"])
def test_the_command_is_the_engines_for_the_mounted_weights(image, engine, python):
    said = printed(image, engine, python)
    assert f"{image}/models/PaddleOCR-VL-1.6" in said
    assert "--host 0.0.0.0" in said
    assert "--port 8080" in said


def test_what_env_says_goes_into_the_command(image):
    python = pythons()[0]
    said = printed(
        image, "vllm", python, HPS_VLM_PRESET="8gb", HPS_VLM_EXTRA_ARGS="--max-num-seqs 7 --seed 1"
    )
    assert "--max-model-len 7520" in said
    assert "--max-num-seqs 7" in said
    assert "--seed 1" in said
    assert "--trust-request-mm-kwargs" not in said
    assert "--trust-request-mm-kwargs" in printed(image, "vllm", python, HPS_VLM_PADDLEX_CLIENTS="1")
    assert "no-such" in printed(image, "vllm", python, HPS_VLM_PRESET="no-such")


def test_without_weights_nothing_is_started(image):
    shutil.rmtree(image / "models" / "PaddleOCR-VL-1.6")
    said = printed(image, "vllm", pythons()[0])
    assert "Nothing was started" in said
