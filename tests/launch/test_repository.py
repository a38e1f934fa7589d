import subprocess
import sys

import pytest

from launch.models import TritonModel
from launch.repository import (
    SOURCE,
    configure,
    lay_out_backends,
    lay_out_models,
    make_own_folder,
    overlay_models,
)
from launch.server import STUB, find_server


def test_only_the_models_that_are_asked_for_are_there(tmp_path):
    lay_out_models([TritonModel("layout-detection"), TritonModel("layout-parsing")], tmp_path / "models")
    assert {folder.name for folder in (tmp_path / "models").iterdir()} == {
        "layout-detection",
        "layout-parsing",
    }


def test_everything_is_laid_out_anew(tmp_path):
    folder = make_own_folder(tmp_path)
    lay_out_models([TritonModel("restructure-pages")], folder / "models")
    assert make_own_folder(tmp_path) == folder
    assert list(folder.iterdir()) == []
    assert (
        SOURCE / "restructure-pages" / "1" / "model.py"
    ).is_file()  # a link was removed, not what it leads to


def test_what_lies_beside_the_folder_that_is_ours_stays(tmp_path):
    weights = tmp_path / "models" / "PaddleOCR-VL" / "model.safetensors"
    backend = tmp_path / "backends" / "mine"
    for path in (weights, backend):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"2 GB")
    folder = make_own_folder(tmp_path)
    lay_out_models([TritonModel("layout-parsing")], folder / "models")
    lay_out_backends(find_server(), folder / "backends")
    assert weights.read_bytes() == backend.read_bytes() == b"2 GB"


def test_the_code_of_a_model_finds_what_lies_beside_it(tmp_path):
    lay_out_models([TritonModel("layout-parsing")], tmp_path / "models")
    code = tmp_path / "models" / "layout-parsing" / "1" / "model.py"
    assert (code.resolve().parents[3] / "docparse" / "pipeline.py").is_file()


def test_an_overlay_adds_models_and_takes_the_place_of_code_but_not_of_a_configuration(tmp_path):
    lay_out_models([TritonModel("layout-detection", 3)], tmp_path / "models")
    for name in ("layout-detection", "another"):
        (tmp_path / "overlay" / name / "1").mkdir(parents=True)
        (tmp_path / "overlay" / name / "1" / "model.py").write_text("# other code")
    overlay_models(tmp_path / "overlay", tmp_path / "models")
    for name in ("layout-detection", "another"):
        assert (tmp_path / "models" / name / "1" / "model.py").read_text() == "# other code"
    assert "count: 3" in (tmp_path / "models" / "layout-detection" / "config.pbtxt").read_text()
    assert "other" not in (SOURCE / "layout-detection" / "1" / "model.py").read_text()


def test_nothing_for_which_triton_would_load_a_model_anew_changes_when_its_code_runs_for_the_first_time(
    tmp_path,
):
    source = tmp_path / "overlay" / "fresh" / "1"
    source.mkdir(parents=True)
    (source / "model.py").write_text("VALUE = 1\n")
    overlay_models(tmp_path / "overlay", lay_out_models([], tmp_path / "models"))
    version = tmp_path / "models" / "fresh" / "1"

    def times():
        return {path: path.stat().st_mtime_ns for path in [version, *version.rglob("*")]}

    before = times()
    for place in (version, source):  # the source is what other Tritons link to
        done = subprocess.run(
            [sys.executable, "-c", "import model"], env={"PYTHONPATH": str(place)}, check=False
        )
        assert done.returncode == 0
        assert (place / "__pycache__").is_dir()
    assert times() == before


@pytest.mark.parametrize("model", [folder.name for folder in SOURCE.iterdir()])
def test_every_model_can_be_had_several_times(model):
    config = (SOURCE / model / "config.pbtxt").read_text()
    several = configure(config, TritonModel(model, 3))
    assert "instance_group [ { count: 3 kind: KIND_CPU } ]" in several
    assert several.count("\n") == config.count("\n")
    assert several.count("count:") == 1


def test_a_model_on_a_gpu_says_so_with_its_number_and_the_size_of_its_batches():
    config = (SOURCE / "layout-detection" / "config.pbtxt").read_text()
    changed = configure(config, TritonModel("layout-detection", gpu=1, batch_size=16))
    assert "instance_group [ { count: 1 kind: KIND_GPU gpus: [ 1 ] } ]" in changed
    assert "max_batch_size: 16" in changed
    assert "max_batch_size: 8" not in changed


def test_a_configuration_that_cannot_be_changed_is_an_error():
    with pytest.raises(ValueError, match="instance_group"):
        configure('name: "layout-parsing"\n', TritonModel("layout-parsing", 2))
    config = (SOURCE / "layout-parsing" / "config.pbtxt").read_text()
    with pytest.raises(ValueError, match="max_batch_size"):
        configure(config, TritonModel("layout-parsing", batch_size=8))


def test_the_python_backend_lies_in_a_folder_of_its_own(tmp_path):
    lay_out_backends(find_server(), tmp_path / "backends")
    backend = tmp_path / "backends" / "python"
    assert {STUB, "libtriton_python.so", "triton_python_backend_utils.py"} <= {
        file.name for file in backend.iterdir()
    }
    assert all(file.exists() for file in backend.iterdir())
