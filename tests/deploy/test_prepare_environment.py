"""`prepare.sh` writes .env, and never over what is in it."""

import re

import pytest

from tests.deploy.host import mode_of


@pytest.fixture
def cpu_host(host):
    """A host whose stack needs no weights, so that only .env is written."""
    host.missing = {"nvidia-smi"}
    return host


def values(host) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z0-9_]+)=(.*)$", host.env.read_text(), re.MULTILINE))


def test_env_is_the_example_with_the_stack_and_a_secret_readable_by_its_owner_only(cpu_host):
    done = cpu_host.run("--stack", "cpu")
    assert done.returncode == 0, done.stdout
    written = values(cpu_host)
    assert written.keys() == {"HPS_STACK", "HPS_IMAGE_STORE_SECRET"}
    assert written["HPS_STACK"] == "cpu"
    assert re.fullmatch("[0-9a-f]{64}", written["HPS_IMAGE_STORE_SECRET"])
    assert mode_of(cpu_host.env) == 0o600
    text = cpu_host.env.read_text()
    assert text.index("# HPS_STACK=gpu") + len("# HPS_STACK=gpu\n") == text.index("HPS_STACK=cpu")


def test_a_second_run_changes_nothing(cpu_host):
    cpu_host.run("--stack", "cpu")
    before = cpu_host.env.read_text()
    assert cpu_host.run("--stack", "cpu").returncode == 0
    assert cpu_host.run().returncode == 0  # the stack is the one in .env now
    assert cpu_host.env.read_text() == before


def test_what_the_user_has_set_stays_and_the_difference_is_told(cpu_host):
    mine = "HPS_STACK=cpu\nHPS_IMAGE_STORE_SECRET='my own secret'\nHPS_PORT=9000\nGPU_DEVICE_ID=2\n"
    cpu_host.env.write_text(mine)
    done = cpu_host.run("--stack", "cpu", "--gpus", "0", "--model", "PaddleOCR-VL-1.6")
    assert "says GPU_DEVICE_ID=2, and that stays" in done.stdout
    assert cpu_host.env.read_text() == mine + "HPS_VLM_WEIGHTS=PaddleOCR-VL-1.6\n"


def test_several_gpus_get_a_vlm_server_each(host):
    host.gpus = tuple(f"{number}, NVIDIA L40S, 46068, 8.9, GPU-{number}" for number in range(3))
    host.run("--gpus", "2,0,GPU-1", "--only", "nothing")
    assert values(host) | {"HPS_IMAGE_STORE_SECRET": ""} == {
        "GPU_DEVICE_ID": "2",
        "HPS_VLM_GPU_1": "0",
        "HPS_VLM_GPU_2": "GPU-1",
        "COMPOSE_FILE": "compose.yaml:deploy/compose/multi-gpu.yaml",
        "COMPOSE_PROFILES": "gpus-3",
        "HPS_VLM_URLS": "http://paddleocr-vlm-server:8080,http://paddleocr-vlm-server-1:8080,http://paddleocr-vlm-server-2:8080",
        "HPS_IMAGE_STORE_SECRET": "",
    }  # fmt: skip


def test_the_stack_of_two_containers_is_another_compose_file(host):
    host.run("--stack", "basic", "--only", "nothing")
    assert values(host)["COMPOSE_FILE"] == "compose.basic.yaml"


@pytest.mark.parametrize("stack", ["fastdeploy", "sglang", "basic", "cpu"])
def test_several_gpus_are_for_the_engine_that_their_vlm_servers_run(host, stack):
    done = host.run("--stack", stack, "--gpus", "0,1")
    assert done.returncode == 2
    assert f"several GPUs are for --stack gpu, not {stack}" in done.stdout
    assert not host.env.exists()


def test_several_gpus_are_refused_where_env_names_another_engine(host):
    host.env.write_text("HPS_STACK=sglang\n")
    for arguments in (("--gpus", "0,1"), ("--gpus", "0,1", "--stack", "gpu")):
        done = host.run(*arguments)
        assert done.returncode == 2
        assert "several GPUs are for --stack gpu, not sglang" in done.stdout
    assert host.env.read_text() == "HPS_STACK=sglang\n"


def test_one_gpu_may_be_chosen_for_every_engine(host):
    host.gpus = tuple(f"{number}, NVIDIA L40S, 46068, 8.9, GPU-{number}" for number in range(2))
    host.run("--stack", "sglang", "--gpus", "1", "--only", "nothing")
    assert values(host)["GPU_DEVICE_ID"] == "1"


def test_the_stack_of_two_containers_stays_the_stack_of_later_runs(host):
    host.run("--stack", "basic", "--only", "nothing")
    before = host.env.read_text()
    for arguments in ((), ("--check",)):
        assert "Host (stack: basic)" in host.run(*arguments, "--only", "nothing").stdout
    assert host.env.read_text() == before


@pytest.mark.parametrize("arguments", [("--stack", "gpu"), ("--stack", "cpu"), ("--stack", "gpu", "--check")])
def test_a_compose_file_of_another_stack_is_a_failure(host, arguments):
    host.env.write_text("COMPOSE_FILE=compose.basic.yaml\n")
    done = host.run(*arguments, "--only", "nothing")
    assert done.returncode == 1
    assert f"FAIL  {host.env.name} or the environment says COMPOSE_FILE=compose.basic.yaml" in done.stdout
    assert "COMPOSE_FILE=compose.basic.yaml\n" in host.env.read_text()


def test_vlm_servers_of_another_engine_beside_the_first_are_a_failure(host):
    host.env.write_text("COMPOSE_FILE=compose.yaml:deploy/compose/multi-gpu.yaml\n")
    done = host.run("--stack", "sglang", "--only", "nothing")
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert "multi-gpu.yaml" in done.stdout


def test_weights_go_where_compose_looks_for_them(cpu_host):
    cpu_host.env.write_text("HPS_STACK=cpu\nHPS_MODELS_DIR=weights\n")
    done = cpu_host.run()
    assert done.returncode == 0, done.stdout
    assert "Weights (weights/" in done.stdout
    assert (cpu_host.folder / "weights").is_dir()
    assert not (cpu_host.folder / "models").exists()


def test_weights_elsewhere_are_refused_for_compose_looks_below_its_own_folder(cpu_host, tmp_path):
    cpu_host.env.write_text(f"HPS_STACK=cpu\nHPS_MODELS_DIR={tmp_path}/weights\n")
    done = cpu_host.run()
    assert done.returncode == 2
    assert f"HPS_MODELS_DIR={tmp_path}/weights" in done.stdout
    assert not (tmp_path / "weights").exists()


def test_a_name_that_nothing_reads_is_a_warning_and_both_names_of_a_setting_are_none(cpu_host):
    cpu_host.env.write_text(
        "HPS_STACK=cpu\nHPS_MAX_CONCURENT_REQUESTS=8\nHPS_UVICORN_WORKERS=2\nUVICORN_WORKERS=2\n"
    )
    done = cpu_host.run("--check")
    assert done.stdout.count("nothing reads") == 1
    assert "nothing reads HPS_MAX_CONCURENT_REQUESTS" in done.stdout


@pytest.mark.parametrize(
    ("settings", "open_to_all"),
    [
        ("", True),
        ("HPS_API_KEYS=me:secret", False),
        ("HPS_PUBLISH_ADDRESS=127.0.0.1", False),
        ("HPS_PUBLISH_ADDRESS=10.0.0.1", True),
    ],
)
def test_a_service_that_everyone_can_use_is_a_warning(cpu_host, settings, open_to_all):
    cpu_host.env.write_text(f"HPS_STACK=cpu\n{settings}\n")
    assert ("may use the service" in cpu_host.run("--check").stdout) is open_to_all
