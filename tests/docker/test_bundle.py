"""An offline bundle with the real images: saved, the images removed, loaded again."""

import json
import subprocess

from tests.docker.project import IMAGES, ROOT, run

STACK = [IMAGES[name] for name in ("HPS_GATEWAY_IMAGE", "HPS_TRITON_IMAGE", "HPS_VLM_EMBEDDED_IMAGE")]


def image_id(name: str) -> str | None:
    done = subprocess.run(["docker", "image", "inspect", name], capture_output=True, text=True, check=False)
    return json.loads(done.stdout)[0]["Id"] if done.returncode == 0 else None


def test_the_images_of_a_stack_come_back_from_a_bundle(built, models, tmp_path):
    settings = {
        **built.settings,
        "HPS_ENV_FILE": str(tmp_path / "env"),
        "HPS_MODELS_DIR": str(models.relative_to(ROOT)),
        "COMPOSE_FILE": "compose.yaml",
    }
    run("./prepare.sh", "--stack", "cpu", "--offline-bundle", tmp_path / "bundle", seconds=900, **settings)
    before = {name: image_id(name) for name in STACK}  # building again may have given them new ids
    assert None not in before.values()
    assert {path.name for path in (tmp_path / "bundle").iterdir()} >= {
        "MANIFEST",
        "images.tar",
        "project.tar.gz",
    }
    for name in STACK:
        run("docker", "image", "rm", "--no-prune", name)
    assert {image_id(name) for name in STACK} == {None}
    said = run(
        "./prepare.sh", "--stack", "cpu", "--from-bundle", tmp_path / "bundle", seconds=900, **settings
    )
    assert "every file is what MANIFEST says" in said
    assert {name: image_id(name) for name in STACK} == before
