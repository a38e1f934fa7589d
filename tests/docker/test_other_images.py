"""Images that the stack `cpu` does not use: Triton for GPU hosts, as far as a stand-in goes, and the two containers."""

import json
import subprocess
from collections.abc import Iterator

import cv2
import pytest

from tests.docker.project import IMAGES, ROOT, VLM, Project, run
from tests.networks.layout import write_layout_model
from tests.networks.palette import Painted, paint

NVIDIA = "nvcr.io/nvidia/tritonserver:24.10-py3"
READY = (
    "import http.client as h, sys, time\n"
    "for _ in range(240):\n"
    "    try:\n"
    "        c = h.HTTPConnection('127.0.0.1', 8000, timeout=4)\n"
    "        c.request('GET', '/v2/health/ready')\n"
    "        if c.getresponse().status == 200: sys.exit(0)\n"
    "    except OSError: pass\n"
    "    time.sleep(0.5)\n"
    "sys.exit(1)\n"
)


PROGRAMS = (
    "import glob\n"
    "for file in glob.glob('/proc/[0-9]*/cmdline'):\n"
    "    print(open(file).read().split(chr(0))[0])\n"
)


@pytest.fixture(scope="module")
def layout_models(models):
    write_layout_model(models / "PP-DocLayoutV2").chmod(0o755)
    for file in (models / "PP-DocLayoutV2").iterdir():
        file.chmod(0o644)
    return models


@pytest.fixture(scope="module")
def nvidia_image(built) -> str:
    """NVIDIA's image, if it is here and is NVIDIA's; else a stand-in of ours."""
    labels = subprocess.run(
        ["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", NVIDIA],
        capture_output=True,
        text=True,
        check=False,
    )
    if labels.returncode == 0 and "nvidia" in labels.stdout.lower():
        return NVIDIA
    stand_in = "hps-test/tritonserver-stand-in"
    recipe = ROOT / "tests" / "docker" / "stand_in.Dockerfile"
    run(
        *("docker", "build", "-q", "-f", recipe, "-t", stand_in),
        *("--build-arg", f"PACKAGES_IMAGE={IMAGES['HPS_TRITON_IMAGE']}", recipe.parent),
        seconds=600,
    )
    print(f"\n{NVIDIA} is not here: its target is built on a stand-in, without CUDA and not on Ubuntu 22.04")
    return stand_in


@pytest.mark.parametrize("target", ["gpu", "gpu-slim"])
def test_tritons_image_for_gpu_hosts_loads_its_models_here_on_the_cpu(nvidia_image, layout_models, target):
    image = f"hps-test/triton-{target}"
    run(
        *("docker", "build", "-q", "--network", "host", "-f", "Dockerfile.triton", "--target", target),
        *("--build-arg", f"TRITON_IMAGE={nvidia_image}", "-t", image, "."),
        seconds=1800,
    )
    words = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none", "--shm-size", "1g")
    mount = ("-v", f"{layout_models}:/models:ro", "-e", "HPS_LAYOUT_DEVICE=cpu")
    container = run("docker", "run", "-d", *words, *mount, image).strip()
    try:
        run("docker", "exec", container, "python", "-c", READY, seconds=200)
        described = json.loads(run("docker", "inspect", container))[0]
        assert described["Config"]["User"] == "10001:10001"
        programs = run("docker", "exec", container, "python", "-c", PROGRAMS).splitlines()
        (server,) = [program for program in programs if program.endswith("/tritonserver")]
        assert server.startswith("/opt/tritonserver/" if target == "gpu" else "/opt/venv/")
    except BaseException:
        print(run("docker", "logs", container))
        raise
    finally:
        run("docker", "rm", "-f", container)


def test_without_a_gpu_the_gpu_image_says_what_is_wrong(nvidia_image, layout_models):
    done = subprocess.run(
        [
            "docker",
            "run",
            "--rm",
            "--network",
            "none",
            "-v",
            f"{layout_models}:/models:ro",
            "hps-test/triton-gpu-slim",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode != 0
    assert "unsupported gpu id 0" in done.stdout + done.stderr


@pytest.fixture(scope="module")
def basic(built, layout_models) -> Iterator[Project]:
    settings = {"HPS_STACK": "cpu", "HPS_MODELS_DIR": str(layout_models.relative_to(ROOT))}
    project = Project("hps-test-basic", settings, "compose.basic.yaml")
    project.compose("build", "paddleocr-vl-api", seconds=1800)
    project.compose("up", "-d", "--no-build")
    try:
        project.wait_until(200, "/health")
        yield project
    except BaseException:
        print(project.compose("logs", "--no-color", "--tail", "80"))
        raise
    finally:
        project.compose("down", "-v", "--remove-orphans")


def test_paddlexs_own_service_finds_the_regions_of_a_page_and_has_them_read_by_our_server(basic, tmp_path):
    page = paint([Painted("text", (80, 100, 400, 200)), Painted("table", (80, 300, 700, 500))])
    cv2.imwrite(str(tmp_path / "page.png"), page)
    answer = basic.parse_json(tmp_path / "page.png")
    assert answer.status_code == 200, answer.text
    (result,) = answer.json()["result"]["layoutParsingResults"]
    found = {
        block["block_label"]: block["block_bbox"] for block in result["prunedResult"]["parsing_res_list"]
    }
    assert found == {"text": [80, 100, 400, 200], "table": [80, 300, 700, 500]}
    assert basic.inspect(VLM)["State"]["Health"]["Status"] == "healthy"
