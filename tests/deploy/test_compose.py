"""The compose files: names, ports, health, order, isolation, and which setting reaches which container."""

import re
import tomllib

import pytest
import yaml

from deploy.containers.settings import ContainerSettings
from docs import PAGES_FOLDER
from docs.settings_page import CONTAINERS, SECTIONS, names_of
from tests.deploy.composing import (
    FILES,
    MULTI_GPU,
    ROOT,
    STACKS,
    base,
    compose_command,
    configure,
    is_compose_2,
    merged,
    same,
    services,
    variables,
)

TIERS = {"paddleocr-vl-api", "paddleocr-vl-tritonserver", "paddleocr-vlm-server"}
needs_compose = pytest.mark.skipif(compose_command() is None, reason="no Docker Compose here")
needs_compose_2 = pytest.mark.skipif(
    not is_compose_2(), reason="GPU_DEVICE_ID inside HPS_DEVICE_ID needs Compose 2"
)


def names(*titles: str) -> set[str]:
    """Every variable of these sections of docs/SETTINGS.md, or of all."""
    return {
        variable
        for title, _, settings in (*SECTIONS, CONTAINERS)
        if title in titles or not titles
        for name, field in settings.model_fields.items()
        for variable in names_of(settings, name, field)
    }


@pytest.mark.parametrize("stack", STACKS)
def test_the_services_have_their_names_and_only_the_api_is_published(stack):
    tiers = merged(stack)
    assert tiers.keys() == TIERS
    assert {name for name, tier in tiers.items() if "ports" in tier} == {"paddleocr-vl-api"}


@pytest.mark.parametrize("stack", STACKS)
def test_each_container_is_hardened_watched_and_given_time_to_stop(stack):
    for name, tier in merged(stack).items():
        assert tier["read_only"] is True, name
        assert tier["cap_drop"] == ["ALL"], name
        assert tier["security_opt"] == ["no-new-privileges:true"], name
        assert tier["restart"] == "unless-stopped", name
        assert tier["user"].split(":")[0] not in ("", "0", "root"), name
        assert tier["healthcheck"]["test"][0] == "CMD", name
        assert tier["stop_grace_period"], name
        assert tier["image"].startswith("${HPS_"), name


@pytest.mark.parametrize("stack", STACKS)
def test_tiers_wait_for_those_behind_them_and_only_the_gateway_has_a_way_out(stack):
    tiers = merged(stack)
    waits = {name: list(tier.get("depends_on", {})) for name, tier in tiers.items()}
    assert waits == {
        "paddleocr-vl-api": ["paddleocr-vl-tritonserver"],
        "paddleocr-vl-tritonserver": ["paddleocr-vlm-server"],
        "paddleocr-vlm-server": [],
    }
    assert {name for name, tier in tiers.items() if "outside" in tier["networks"]} == {"paddleocr-vl-api"}
    networks = yaml.safe_load(FILES[0].read_text())["networks"]
    assert networks["inside"]["internal"] == "${HPS_INTERNAL_NETWORK:-true}"
    assert all(
        tier["shm_size"] == "${HPS_SHM_SIZE:-4gb}"
        for name, tier in tiers.items()
        if name != "paddleocr-vl-api"
    )


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_has_a_gpu_or_none(stack):
    with_gpu = {name for name, tier in merged(stack).items() if "deploy" in tier}
    assert with_gpu == (set() if stack == "cpu" else TIERS - {"paddleocr-vl-api"})


@pytest.mark.parametrize(
    ("service", "sections"),
    [
        ("paddleocr-vl-api", ("Gateway",)),
        (
            "paddleocr-vl-tritonserver",
            tuple(title for title, _, _ in SECTIONS if title not in ("Gateway", "`make serve`")),
        ),
    ],
)
@pytest.mark.parametrize("stack", STACKS)
def test_every_setting_of_a_tier_reaches_it_and_none_of_another(stack, service, sections):
    given = {name for name in merged(stack)[service]["environment"] if name.startswith(("HPS_", "UVICORN_"))}
    wanted = names(*sections)
    assert given <= wanted
    fixed = {
        "HPS_HOST",
        "HPS_ADMISSION_FILE",
        "HPS_SPOOL_DIR",
        "HPS_TRITON_HTTP_PORT",
        "HPS_TRITON_GRPC_PORT",
    }
    fixed |= {"HPS_TRITON_METRICS_PORT", "HPS_PORT"}
    assert wanted - given <= fixed


def test_our_images_carry_the_projects_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    ours = re.findall(
        r":-paddleocr-vl-hps/[a-z-]+:([0-9.]+)", "".join(file.read_text("utf-8") for file in FILES)
    )
    assert set(ours) == {version}
    assert len(ours) == 5


def test_keys_of_clients_reach_the_gateway_only():
    holders = {
        name
        for name, tier in merged("gpu").items()
        if any("API_KEYS" in key for key in tier.get("environment", {}))
    }
    assert holders == {"paddleocr-vl-api"}


def test_every_variable_in_the_compose_files_is_a_described_setting_and_the_other_way_round():
    used = {name for file in FILES for name in variables(file.read_text("utf-8"))}
    assert used <= names()
    described = {
        variable
        for name, field in ContainerSettings.model_fields.items()
        for variable in names_of(ContainerSettings, name, field)
    }
    assert described <= used


def test_env_example_has_every_setting_once_and_names_each_alias():
    text = (PAGES_FOLDER / ".." / ".env.example").read_text("utf-8")
    settings = re.findall(r"^# ([A-Z0-9_]+)=", text, re.MULTILINE)
    assert len(settings) == len(set(settings))
    for _, _, kind in (*SECTIONS, CONTAINERS):
        for name, field in kind.model_fields.items():
            first, *others = names_of(kind, name, field)
            assert first in settings, first
            for other in others:
                assert other in text, other
    assert not [
        line for line in text.splitlines() if line and not line.startswith("#")
    ]  # copied, it changes nothing


@pytest.mark.parametrize("readme", ["README.md", "README_zh.md"])
def test_the_readmes_table_names_only_settings_that_there_are(readme):
    table = [line for line in (ROOT / readme).read_text("utf-8").splitlines() if line.startswith("| `")]
    named = {word.strip("`") for line in table for word in re.findall(r"`[^`]+`", line.split("|")[1])}
    named = {name for name in named if name.isupper() and "_" in name}
    assert len(named) > 8
    assert named <= names()


def test_further_vlm_servers_are_the_first_one_on_another_gpu():
    first = merged("gpu")["paddleocr-vlm-server"]
    for number in range(1, 8):
        replica = dict(services(ROOT / MULTI_GPU)[f"paddleocr-vlm-server-{number}"])
        assert replica.pop("profiles") == [f"gpus-{count}" for count in range(number + 1, 9)]
        (device,) = replica.pop("deploy")["resources"]["reservations"]["devices"]
        assert device["device_ids"] == [f"${{HPS_VLM_GPU_{number}:-{number}}}"]
        assert replica.pop("depends_on") == {"paddleocr-vlm-server": {"condition": "service_healthy"}}
        assert replica.pop("command") == ["--layout-elsewhere"]
        mounts = {volume.split(":")[1] for volume in replica.pop("volumes")}
        assert mounts == {volume.split(":")[1] for volume in first["volumes"]}
        assert same(replica, {key: first[key] for key in replica})
        assert first.keys() - replica.keys() == {"extends", "command", "deploy", "volumes"}


def test_answers_that_wait_for_slow_readers_are_on_disk_and_not_in_memory():
    gateway = services(FILES[0])["paddleocr-vl-api"]
    folder = gateway["environment"]["TMPDIR"]
    (volume,) = (each.split(":")[0] for each in gateway["volumes"] if each.split(":")[1] == folder)
    assert volume in yaml.safe_load(FILES[0].read_text())["volumes"]
    assert folder == "/var/tmp"  # everybody's in every base image, which a new volume takes from it
    assert not any(each.split(":")[0] == folder for each in gateway["tmpfs"])


def test_the_topology_of_two_containers_has_the_same_vlm_server():
    basic, full = (
        services(ROOT / name)["paddleocr-vlm-server"] for name in ("compose.basic.yaml", "compose.yaml")
    )
    differing = {key for key in basic.keys() | full.keys() if not same(basic.get(key), full.get(key))}
    assert differing == {"environment"}


def test_a_proxy_in_the_environment_does_not_come_between_the_two_containers():
    environment = services(ROOT / "compose.basic.yaml")["paddleocr-vl-api"]["environment"]
    for name in ("NO_PROXY", "no_proxy"):
        assert environment[name] == "paddleocr-vlm-server"


@pytest.mark.parametrize("stack", ["gpu", "fastdeploy", "sglang"])
def test_a_proxy_in_the_environment_does_not_come_between_an_engine_and_itself(stack):
    environment = base(stack, "paddleocr-vlm-server")["environment"]
    assert environment["NO_PROXY"] == environment["no_proxy"] == "*"


@needs_compose
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("file", ["compose.yaml", "compose.basic.yaml"])
def test_docker_compose_takes_every_stack(stack, file):
    config = configure(file, HPS_STACK=stack)
    vlm = config["services"]["paddleocr-vlm-server"]
    assert vlm["image"] == base(stack, "paddleocr-vlm-server")["image"].split(":-")[1].rstrip("}")
    assert ("deploy" in vlm) is (stack != "cpu")


@needs_compose
def test_docker_compose_fills_in_what_env_says_under_either_name():
    config = configure(
        "compose.yaml", HPS_UVICORN_WORKERS="2", HPS_PORT="9000", HPS_PUBLISH_ADDRESS="127.0.0.1"
    )
    gateway = config["services"]["paddleocr-vl-api"]
    assert gateway["environment"]["HPS_UVICORN_WORKERS"] in ("2", 2)
    assert gateway["environment"].get("UVICORN_WORKERS") is None
    assert "127.0.0.1" in str(gateway["ports"])
    assert "9000" in str(gateway["ports"])
    assert config["networks"]["inside"]["internal"] is True


@needs_compose_2
@pytest.mark.parametrize(
    ("environment", "device"),
    [
        ({}, "0"),
        ({"GPU_DEVICE_ID": "1"}, "1"),
        ({"GPU_DEVICE_ID": "1", "HPS_DEVICE_ID": "MIG-c6d4"}, "MIG-c6d4"),
    ],
)
def test_the_gpu_is_that_of_either_name(environment, device):
    config = configure("compose.yaml", **environment)
    for name in TIERS - {"paddleocr-vl-api"}:
        (reserved,) = config["services"][name]["deploy"]["resources"]["reservations"]["devices"]
        assert reserved["device_ids"] == [device]


@needs_compose_2
@pytest.mark.parametrize("count", [2, 4, 8])
def test_as_many_vlm_servers_start_as_the_profile_says(count):
    config = configure("compose.yaml", MULTI_GPU, COMPOSE_PROFILES=f"gpus-{count}")
    replicas = [name for name in config["services"] if name.startswith("paddleocr-vlm-server")]
    assert len(replicas) == count
