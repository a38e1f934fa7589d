"""An offline bundle, saved on one host and loaded on another, round-trips; half a bundle is none."""

import subprocess

import pytest

from tests.deploy.host import Host


@pytest.fixture
def bundle(host, tmp_path):
    """Images and weights of a host with a network."""
    host.missing = {"nvidia-smi"}
    weights = host.folder / "models" / "Model"
    weights.mkdir(parents=True)
    (weights / "model.safetensors").write_bytes(b"weights")
    (weights / "half.part").write_bytes(b"half")
    (host.folder / ".env").write_text("HPS_STACK=cpu\nHPS_API_KEYS=me:secret\n")
    done = host.run("--offline-bundle", str(tmp_path / "bundle"))
    assert done.returncode == 0, done.stdout
    return tmp_path / "bundle"


@pytest.fixture
def offline(tmp_path, bundle) -> Host:
    """Another host, with what project.tar.gz of the bundle brings."""
    other = Host.make(tmp_path / "offline")
    other.missing = {"nvidia-smi"}
    other.environment |= {"HF_ENDPOINT": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}
    return other


def test_a_bundle_round_trips(bundle, offline):
    done = offline.run("--from-bundle", str(bundle))
    assert done.returncode == 0, done.stdout
    assert (offline.folder / "models" / "Model" / "model.safetensors").read_bytes() == b"weights"
    images = offline.folder / "proc" / "images"
    assert {path.read_text() for path in images.iterdir()} == {"sha256:ours\n", "sha256:theirs\n"}
    assert "HPS_STACK=cpu\n" in (offline.folder / ".env").read_text()


def test_keys_and_halves_stay_at_home(bundle):
    assert not list(bundle.rglob("*.part"))
    listed = subprocess.run(
        ["tar", "-tzf", bundle / "project.tar.gz"], capture_output=True, text=True, check=True
    ).stdout
    assert "prepare.sh" in listed
    assert "/.env\n" not in listed
    assert "secret" not in (bundle / "MANIFEST").read_text()


@pytest.mark.parametrize("name", ["images.tar", "models/Model/model.safetensors", "project.tar.gz"])
def test_a_bundle_with_another_file_is_refused(bundle, offline, name):
    with (bundle / name).open("ab") as file:
        file.write(b"!")
    done = offline.run("--from-bundle", str(bundle))
    assert done.returncode == 2
    assert "not what MANIFEST says" in done.stdout
    assert not (offline.folder / "models").exists()


def test_a_bundle_that_was_never_finished_is_refused(bundle, offline):
    (bundle / "MANIFEST").unlink()
    done = offline.run("--from-bundle", str(bundle))
    assert done.returncode == 2
    assert "never finished" in done.stdout


def test_no_bundle_is_saved_of_a_host_that_lacks_weights(host, tmp_path):
    host.environment["HF_ENDPOINT"] = "http://127.0.0.1:1"
    done = host.run("--offline-bundle", str(tmp_path / "bundle"))
    assert done.returncode == 2
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("engine", ["gpu", "sglang"])
def test_a_bundle_of_the_stack_of_two_containers_round_trips(host, tmp_path, engine):
    if engine != "gpu":
        host.env.write_text(f"HPS_STACK={engine}\n")
    host.environment["HPS_VLM_WEIGHTS"] = host.environment["HPS_LAYOUT_MODEL"] = "Mine"
    weights = host.folder / "models" / "Mine"
    weights.mkdir(parents=True)
    (weights / "config.json").write_text("{}")
    bundle = tmp_path / "bundle"
    done = host.run("--stack", "basic", "--only", "Mine", "--offline-bundle", str(bundle))
    assert done.returncode == 0, done.stdout
    assert f"ours/basic:1 theirs/{engine}:2" in done.stdout

    other = Host.make(tmp_path / "offline")
    other.environment = dict(host.environment)
    said = other.run("--from-bundle", str(bundle)).stdout
    assert "Host (stack: basic)" in said
    assert (other.folder / "models" / "Mine" / "config.json").exists()
    settings = other.env.read_text()
    assert "COMPOSE_FILE=compose.basic.yaml\n" in settings
    assert (f"\nHPS_STACK={engine}\n" in settings) is (engine != "gpu")
