"""`python -m launch` as a program: what it says, what it starts."""

import shlex
import signal
import subprocess
import sys

import pytest

from tests.tritonserver import HANG_SECONDS, launch_environment, running_triton


def launch(*arguments, **settings):
    return subprocess.run(
        [sys.executable, "-m", "launch", *arguments],
        env=launch_environment(**settings), capture_output=True, text=True, check=False, timeout=HANG_SECONDS,
    )  # fmt: skip


def test_the_command_is_shown(tmp_path):
    settings = {
        "HPS_TRITON_HOST": "127.0.0.2", "HPS_TRITON_HTTP_PORT": "1111", "HPS_TRITON_GRPC_PORT": "2222",
        "HPS_TRITON_METRICS_PORT": "3333", "HPS_TRITON_EXIT_TIMEOUT": "44", "HPS_TRITON_DIR": str(tmp_path),
        "HPS_RESTRUCTURE_INSTANCES": "3", "MALLOC_ARENA_MAX": "7",
    }  # fmt: skip
    done = launch("--print", **settings)
    assert done.returncode == 0, done.stderr
    words = shlex.split(done.stdout)
    assert words[0] == "env"
    environment = dict(word.split("=", 1) for word in words[1:] if word[0].isupper())
    command = [word for word in words[1:] if not word[0].isupper()]
    assert command[0].endswith("/bin/tritonserver")
    for argument in (
        "--http-address=127.0.0.2", "--grpc-address=127.0.0.2", "--metrics-address=127.0.0.2",
        "--http-port=1111", "--grpc-port=2222", "--metrics-port=3333", "--exit-timeout-secs=44",
        f"--model-repository={tmp_path}/models", f"--backend-directory={tmp_path}/backends",
    ):  # fmt: skip
        assert argument in command
    assert environment["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] == "True"
    assert "MALLOC_ARENA_MAX" not in environment  # what the operator has set stays
    config = (tmp_path / "models" / "restructure-pages" / "config.pbtxt").read_text()
    assert "count: 3" in config


def test_good_settings_are_checked_and_nothing_is_laid_out(tmp_path):
    done = launch("--check", HPS_TRITON_DIR=str(tmp_path / "triton"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "triton").exists()


@pytest.mark.parametrize("arguments", [(), ("--check",), ("--print",)])
def test_every_setting_that_is_wrong_is_named_whichever_model_reads_it(tmp_path, arguments):
    done = launch(
        *arguments, HPS_TRITON_DIR=str(tmp_path / "triton"), HPS_TRITON_GRPC_PORT="http",
        HPS_RESTRUCTURE_INSTANCES="0", HPS_LAYOUT_ENGINE="crystal-ball", HPS_IMAGE_STORE="local",
    )  # fmt: skip
    assert done.returncode == 2
    first, *problems = done.stderr.splitlines()
    assert first == "Triton was not started."
    assert [problem.split(" ")[0].rstrip(":").split("=")[0] for problem in problems] == [
        "HPS_TRITON_GRPC_PORT", "HPS_RESTRUCTURE_INSTANCES", "HPS_LAYOUT_ENGINE", "HPS_IMAGE_STORE",
    ]  # fmt: skip
    assert not (tmp_path / "triton").exists()


def test_a_path_that_triton_cannot_take_is_refused(tmp_path):
    done = launch(HPS_TRITON_DIR=str(tmp_path / "my triton"))
    assert done.returncode == 2
    assert "my triton" in done.stderr


@pytest.mark.stack
def test_triton_has_the_models_that_were_asked_for_as_often_as_they_were(tmp_path):
    settings = {"HPS_LAYOUT_PARSING_INSTANCES": "2", "HPS_RESTRUCTURE_INSTANCES": "1"}
    with running_triton(tmp_path, settings) as triton, triton.client() as client:
        index = client.get_model_repository_index(as_json=True)
        assert {model["name"]: model["state"] for model in index["models"]} == dict.fromkeys(
            ("layout-detection", "layout-parsing", "restructure-pages"), "READY"
        )
        counts = {
            model["name"]: client.get_model_config(model["name"]).config.instance_group[0].count
            for model in index["models"]
        }
        assert counts == {"layout-detection": 1, "layout-parsing": 2, "restructure-pages": 1}
        triton.process.send_signal(signal.SIGTERM)
        assert triton.process.wait(HANG_SECONDS) == 0
