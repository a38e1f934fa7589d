"""Becoming the engine: a stand-in of its name is found, gets command and environment, and is this very process."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.settings import free_ports

ROOT = Path(__file__).resolve().parents[2]

# Says who it is and what it got, then waits to be ended, or ends with the status that it is told.
ENGINE = """#!{python}
import json, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))  # before the first word: whoever has read it may end us
names = ("HF_HUB_OFFLINE", "VLLM_NO_USAGE_STATS", "FLAGS_flash_attn_version", "CUDA_VISIBLE_DEVICES")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(json.dumps(dict(pid=os.getpid(), argv=sys.argv, environment={{n: os.environ.get(n) for n in names}})), flush=True)
if "--seed" in sys.argv:
    sys.exit(int(sys.argv[sys.argv.index("--seed") + 1]))
signal.pause()
"""


@pytest.fixture
def engine(tmp_path):
    """A PATH with the stand-ins `vllm` and `python`, and no nvidia-smi."""
    for name in ("vllm", "python"):
        command = tmp_path / name
        command.write_text(ENGINE.format(python=sys.executable))
        command.chmod(0o755)
    return tmp_path


@pytest.fixture
def start(engine):
    started = []

    def run(*words, **variables):
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "vlm_server", *words],
                cwd=ROOT,
                env={"PATH": str(engine), "HOME": str(engine), **variables},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def port():
    (free,) = free_ports(1)
    return str(free)


def test_the_engine_takes_the_place_of_this_process_with_its_signals_and_status(start, port):
    process = start("--engine", "vllm", "--preset", "24gb", "--port", port, CUDA_VISIBLE_DEVICES="1")
    said = json.loads(process.stdout.readline())
    assert said["pid"] == process.pid
    assert said["argv"][1:3] == ["serve", "PaddlePaddle/PaddleOCR-VL"]
    assert said["argv"][said["argv"].index("--port") + 1] == port
    assert said["environment"] == {
        "HF_HUB_OFFLINE": None, "VLLM_NO_USAGE_STATS": "1", "FLAGS_flash_attn_version": None,
        "CUDA_VISIBLE_DEVICES": "1",
    }  # fmt: skip
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 7


def test_fastdeploy_is_started_as_a_module_with_the_variables_that_it_needs(start, port):
    ports = [str(each) for each in free_ports(2)]
    process = start(
        *("--engine", "fastdeploy", "--preset", "h100", "--port", port),
        *("--", "--metrics-port", ports[0], "--engine-worker-queue-port", ports[1]),
    )
    said = json.loads(process.stdout.readline())
    assert said["argv"][1:3] == ["-m", "fastdeploy.entrypoints.openai.api_server"]
    assert said["environment"]["FLAGS_flash_attn_version"] == "3"
    assert said["environment"]["HF_HUB_OFFLINE"] is None


def test_the_engines_own_failure_is_the_status(start, port):
    process = start("--engine", "vllm", "--preset", "24gb", "--port", port, "--", "--seed", "3")
    assert process.wait(30) == 3


def test_that_no_gpu_could_be_looked_at_is_said(start, port):
    process = start("--engine", "vllm", "--preset", "24gb", "--port", port, "--", "--seed", "0")
    assert "the GPU was not checked" in process.communicate(timeout=30)[1]


def test_a_port_that_is_taken_is_refused_before_the_engine_loads_for_minutes(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = str(taken.getsockname()[1])
        process = start("--engine", "vllm", "--preset", "24gb", "--port", number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert f"Port {number} (--port) cannot be used" in err


def test_an_engine_that_is_not_installed_is_said_with_what_to_do(start, engine, port):
    (engine / "vllm").unlink()
    process = start("--engine", "vllm", "--preset", "24gb", "--port", port)
    err = process.communicate(timeout=30)[1]
    assert process.returncode == 2
    assert "vllm is not installed here. --print shows the command" in err
    assert "Traceback" not in err


def test_without_gpu_and_preset_nothing_is_guessed(start):
    process = start("--engine", "vllm")
    assert "There is no nvidia-smi here" in process.communicate(timeout=30)[1]
    assert process.returncode == 2


def test_a_configuration_that_a_shell_hands_over_as_an_open_file_is_read(engine):
    line = (
        f"{sys.executable} -m vlm_server --engine vllm --preset 24gb --print "
        "--backend_config <(echo -e 'gpu-memory-utilization: 0.66\\nmax-model-len: 7520')"
    )
    done = subprocess.run(
        ["/bin/bash", "-c", line], cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=True
    )
    assert "--gpu-memory-utilization 0.66" in done.stdout
    assert "--max-model-len 7520" in done.stdout


def run_without_packages(*words):
    """As in an engine's image, which has nothing of this project's but the package itself."""
    return subprocess.run(
        [sys.executable, "-S", "-m", "vlm_server", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("engine", ["", "vllm", "fastdeploy", "sglang"])
def test_help_needs_no_package(engine):
    done = run_without_packages(*(("--engine", engine) if engine else ()), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert ("--preset" in done.stdout) is bool(engine)
    assert ("--engine ENGINE --help" in done.stdout) is not bool(engine)


def test_the_embedded_engine_without_its_packages_is_said_with_what_to_do():
    done = run_without_packages()
    assert done.returncode == 1
    assert "--engine embedded needs Python packages that are not here" in done.stderr
    assert "requirements/vlm-embedded.txt" in done.stderr
    assert "Traceback" not in done.stderr
