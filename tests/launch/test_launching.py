"""`python -m launch` as a program: what it says, what it starts."""

import json
import shlex
import signal
import subprocess
import sys

import pytest

from tests.networks.layout import write_layout_model
from tests.networks.preprocessing import write_orientation_model
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
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "triton").exists()
    assert json.loads(done.stdout) == {
        "models": ["layout-detection", "layout-parsing", "restructure-pages"], "vlmUrls": None,
    }  # fmt: skip


def test_vlm_servers_are_told_whoever_names_them(tmp_path):
    done = launch("--check", HPS_VLM_URLS="http://a/v1,http://b")
    assert json.loads(done.stdout)["vlmUrls"] == ["http://a", "http://b"]
    file = tmp_path / "pipeline.yaml"
    file.write_text("SubModules: {VLRecognition: {genai_config: {server_url: 'http://c/v1'}}}")
    done = launch("--check", HPS_PIPELINE_CONFIG=str(file), HPS_LAYOUT_ENGINE="cdla")
    assert json.loads(done.stdout)["vlmUrls"] == ["http://c"]


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


def test_a_model_whose_files_are_missing_is_named_before_triton_starts(tmp_path):
    done = launch(
        HPS_TRITON_DIR=str(tmp_path / "triton"), HPS_LAYOUT_ENGINE="paddlex",
        HPS_LAYOUT_MODEL_DIR=str(tmp_path / "models"),
    )  # fmt: skip
    assert done.returncode == 2
    assert (
        f"HPS_LAYOUT_MODEL_DIR: the folder {tmp_path}/models of PP-DocLayoutV2 is not there." in done.stderr
    )
    assert not (tmp_path / "triton").exists()


def test_the_pipeline_configuration_file_is_checked_and_used(tmp_path):
    folder = write_layout_model(tmp_path / "v3", "PP-DocLayoutV3")
    file = tmp_path / "pipeline.yaml"
    file.write_text("SubModules: {LayoutDetection: {treshold: 0.5}}")
    done = launch("--check", HPS_PIPELINE_CONFIG=str(file))
    assert done.returncode == 2
    assert done.stderr.splitlines()[1:] == [
        f"HPS_PIPELINE_CONFIG ({file}): SubModules.LayoutDetection.treshold: unknown key; did you mean threshold?"
    ]
    file.write_text(
        "use_queues: True\nSubModules: {LayoutDetection: {model_name: PP-DocLayoutV3, batch_size: 3}}"
    )
    done = launch("--check", HPS_PIPELINE_CONFIG=str(file))
    assert "HPS_LAYOUT_MODEL_DIR (SubModules.LayoutDetection.model_dir): " in done.stderr
    done = launch(
        "--print", HPS_PIPELINE_CONFIG=str(file), HPS_LAYOUT_MODEL_DIR=str(folder),
        HPS_LAYOUT_DEVICE="gpu:1", HPS_TRITON_DIR=str(tmp_path / "triton"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no effect here: use_queues." in done.stderr
    assert "--allow-gpu-metrics=true" in done.stdout
    config = (tmp_path / "triton" / "models" / "layout-detection" / "config.pbtxt").read_text()
    assert "max_batch_size: 3" in config
    assert "gpus: [ 1 ]" in config


def test_preprocessing_is_a_model_of_its_own_where_it_is_configured(tmp_path):
    folder = write_orientation_model(tmp_path / "orientation")
    done = launch(
        "--print", HPS_DOC_ORIENTATION_MODEL_DIR=str(folder), HPS_TRITON_DIR=str(tmp_path / "triton"),
        HPS_DOC_PREPROCESSING_BATCH_SIZE="5",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    config = (tmp_path / "triton" / "models" / "document-preprocessing" / "config.pbtxt").read_text()
    assert "max_batch_size: 5" in config


def test_preprocessing_that_cannot_be_is_named(tmp_path):
    done = launch("--check", HPS_DOC_UNWARPING_MODEL_DIR=str(tmp_path / "none"))
    assert done.returncode == 2
    assert f"HPS_DOC_UNWARPING_MODEL_DIR: the folder {tmp_path}/none of UVDoc is not there." in done.stderr
    file = tmp_path / "pipeline.yaml"
    file.write_text("use_doc_preprocessor: True")
    done = launch("--check", HPS_PIPELINE_CONFIG=str(file), HPS_LAYOUT_ENGINE="cdla")
    assert done.stderr.count(".model_dir): the folder ") == 2
    assert "SubPipelines.DocPreprocessor.SubModules.DocOrientationClassify.model_dir" in done.stderr


@pytest.mark.stack
def test_triton_has_the_models_that_were_asked_for_as_often_as_they_were(tmp_path):
    settings = {
        "HPS_LAYOUT_PARSING_INSTANCES": "2", "HPS_RESTRUCTURE_INSTANCES": "1",
        # Ending four processes takes 3 s on two idle cores; one that ran out of time would say 1.
        "HPS_TRITON_EXIT_TIMEOUT": str(HANG_SECONDS),
    }  # fmt: skip
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
