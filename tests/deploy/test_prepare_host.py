"""`prepare.sh --check` says what a host lacks, and ends with 1 if that is something that must not be."""

import socket

import pytest

from tests.deploy.host import RTX_4090

TESLA_T4 = "0, Tesla T4, 15360, 7.5, GPU-1"
RTX_5060 = "0, NVIDIA GeForce RTX 5060, 8151, 12.0, GPU-2"
H100 = "0, NVIDIA H100 80GB HBM3, 81559, 9.0, GPU-3"
MIG = "GPU 0: NVIDIA H100 (UUID: GPU-3)\n  MIG 1g.10gb Device 0: (UUID: MIG-c6d4f1ef)"


def problems(host, stack="gpu") -> list[str]:
    """What the check of the host, not of weights, calls a failure."""
    done = host.run("--check", "--stack", stack)
    return [line.removeprefix("  FAIL  ") for line in done.stdout.splitlines() if line.startswith("  FAIL")]


def host_problems(host, stack="gpu") -> list[str]:
    return [
        line
        for line in problems(host, stack)
        if "prepare.sh downloads" not in line and "never completed" not in line
    ]


def test_a_host_that_has_everything_lacks_only_the_weights(host):
    assert host_problems(host) == []
    assert len(problems(host)) > 0


def test_a_host_without_a_gpu_is_ready_for_the_cpu_stack(host):
    host.missing, host.runtimes, host.toolkit = {"nvidia-smi"}, "{}", ""
    done = host.run("--check", "--stack", "cpu")
    assert done.returncode == 0, done.stdout
    assert "docker compose up" in done.stdout


def test_check_changes_nothing(host):
    before = {path for path in host.folder.rglob("*") if "bin" not in path.parts and "proc" not in path.parts}
    host.run("--check")
    after = {path for path in host.folder.rglob("*") if "bin" not in path.parts and "proc" not in path.parts}
    assert after == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"missing": {"docker"}}, "docker is not installed"),
        ({"daemon": "down"}, "daemon does not answer"),
        ({"docker": "18.09.1"}, "Docker 18.09.1 is too old"),
        ({"compose": ""}, "Compose is not installed"),
        ({"missing": {"nvidia-smi"}}, "nvidia-smi is not there"),
        ({"gpus": ()}, "finds no GPU"),
        ({"gpus": (TESLA_T4,)}, "compute capability 7.5, and 8.0 is the least"),
        ({"gpus": (RTX_5060,), "cuda": "12.6"}, "is a Blackwell"),
        ({"gpus": (RTX_4090,), "cuda": "12.4"}, "supports CUDA 12.4"),
        ({"environment": {"GPU_DEVICE_ID": "3"}}, "GPU 3 is chosen, and is not there; there are: 0"),
        ({"environment": {"HPS_DEVICE_ID": "GPU-9"}}, "GPU GPU-9 is chosen, and is not there"),
        ({"runtimes": "{}", "toolkit": ""}, "NVIDIA Container Toolkit is missing"),
        ({"kernel": "4.4.0-19041-Microsoft"}, "this is WSL 1"),
        (
            {"kernel": "5.15.153.1-microsoft-standard-WSL2", "toolkit": "1.13.5"},
            "under WSL 2 1.14.4 is the least",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_missing_is_named(host, change, said):
    for name, value in change.items():
        setattr(host, name, value)
    done = host.run("--check")
    assert done.returncode == 1
    assert said in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gpus": (RTX_5060,), "cuda": "12.9"}, "RTX 5060, 8151 MiB, compute capability 12.0"),
        ({"gpus": (H100,), "environment": {"GPU_DEVICE_ID": "GPU-3"}}, "compute capability 9.0"),
        (
            {"gpus": (H100,), "listed": MIG, "environment": {"HPS_DEVICE_ID": "MIG-c6d4f1ef"}},
            "driver 580.82.07",
        ),
        ({"kernel": "5.15.153.1-microsoft-standard-WSL2"}, "Windows Subsystem for Linux 2"),
        (
            {"system": "Docker Desktop", "runtimes": "{}", "toolkit": ""},
            "Docker Desktop brings the container toolkit",
        ),
        ({"runtimes": '{"nvidia":{}}', "toolkit": ""}, "Toolkit is known to Docker"),
        ({"gpus": (H100,), "driver": "535.1", "cuda": "12.2"}, "WARN  driver 535.1 supports CUDA 12.2"),
        ({"gpus": ("0, NVIDIA A2000, 6138, 8.6, GPU-4",)}, "WARN  GPU 0 has 6138 MiB"),
        ({"gpus": ("0, NVIDIA A10, 23028, [N/A], GPU-5",)}, "does not tell its compute capability"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_there_is_told_and_is_no_failure(host, change, said):
    for name, value in change.items():
        setattr(host, name, value)
    assert host_problems(host) == []
    assert said in host.run("--check").stdout


TWO = (RTX_4090, "1, Tesla P4, 7680, 6.1, GPU-9")


@pytest.mark.parametrize(
    "chosen",
    [{}, {"GPU_DEVICE_ID": "0"}, {"HPS_DEVICE_ID": RTX_4090.rpartition(" ")[2], "GPU_DEVICE_ID": "1"}],
)
def test_a_gpu_that_is_too_old_and_not_chosen_is_a_warning(host, chosen):
    host.gpus, host.environment = TWO, chosen
    assert host_problems(host) == []
    assert "WARN  GPU 1, Tesla P4: compute capability 6.1" in host.run("--check").stdout


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ([], {"GPU_DEVICE_ID": "1"}),
        ([], {"HPS_DEVICE_ID": "GPU-9"}),
        ([], {"HPS_DEVICE_ID": "MIG-1"}),
        ([], {"GPU_DEVICE_ID": "0", "HPS_VLM_GPU_1": "1"}),
        (["--gpus", "1"], {}),
        (["--gpus", "0,1"], {}),
        (["--gpus", "0,1"], {"GPU_DEVICE_ID": "0"}),
    ],
)
def test_a_gpu_that_is_too_old_and_chosen_is_a_failure(host, arguments, chosen):
    host.gpus, host.environment = TWO, chosen
    host.listed = "GPU 0: A (UUID: GPU-5)\nGPU 1: B (UUID: GPU-9)\n  MIG 1g.10gb Device 0: (UUID: MIG-1)"
    said = host.run("--check", *arguments).stdout
    assert "FAIL  GPU 1, Tesla P4: compute capability 6.1, and 8.0 is the least" in said


@pytest.mark.parametrize("chosen", ["0,3", "3", "GPU-3"])
def test_every_gpu_that_is_chosen_must_be_there(host, chosen):
    said = host.run("--check", "--gpus", chosen).stdout
    assert f"FAIL  GPU {chosen.removeprefix('0,')} is chosen, and is not there; there are: 0" in said
    assert "must be put right first" in said


def test_an_old_compose_is_a_warning_where_it_can_read_the_files(host):
    host.compose = ""
    done = host.run("--check")  # writes the programs
    programs = host.folder / "bin"
    assert "Compose is not installed" in done.stdout
    host.environment["PATH"] = f"{programs}:{host.folder / 'more'}"
    (host.folder / "more").mkdir()
    old = host.folder / "more" / "docker-compose"
    old.write_text("#!/bin/bash\necho 1.29.2\n")
    old.chmod(0o755)
    assert "WARN  docker-compose 1.29.2" in host.run("--check").stdout


def test_a_port_that_is_taken_is_a_warning(host):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        host.environment["HPS_PORT"] = str(listener.getsockname()[1])
        assert f"listens on port {host.environment['HPS_PORT']} already" in host.run("--check").stdout


@pytest.mark.parametrize(
    "arguments",
    ["--stack tpu", "--source s3", "--gpus 0,,1", "--gpus 0,1,2,3,4,5,6,7,8", "--stack", "--chek"],
)
def test_arguments_that_mean_nothing_are_refused(host, arguments):
    done = host.run(*arguments.split())
    assert done.returncode == 2
    assert "prepare.sh: " in done.stdout
