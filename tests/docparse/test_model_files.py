import pytest

from docparse.model_files import find_file_problems
from tests.networks.layout import write_config, write_layout_model

NAME = "PP-DocLayoutV2"


def test_a_model_that_is_whole_has_no_problems(tmp_path):
    write_layout_model(tmp_path)
    assert find_file_problems(tmp_path, NAME, "onnxruntime") == []
    assert find_file_problems(tmp_path, NAME, "hpi") == []  # finds its own


def test_a_folder_that_is_not_there_is_named_in_full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (problem,) = find_file_problems(tmp_path.relative_to(tmp_path) / "models", NAME, "onnxruntime")
    assert problem == f"the folder {tmp_path}/models of {NAME} is not there"


@pytest.mark.parametrize(
    ("engine", "files"),
    [
        ("onnxruntime", "inference.onnx"),
        (
            "paddle_static",
            "inference.json and inference.pdiparams or inference.pdmodel and inference.pdiparams",
        ),
        ("paddle_dynamic", "model.safetensors or model_state.pdparams or inference.pdparams"),
        ("transformers", "model.safetensors and config.json"),
    ],
)
def test_files_that_are_missing_are_named(tmp_path, engine, files):
    assert find_file_problems(tmp_path, NAME, engine) == [
        f"{tmp_path} has no inference.yml",
        f"{tmp_path} has no {files}, which the engine {engine} needs",
    ]
    write_config(tmp_path, NAME)
    for file in files.split(" or ")[-1].split(" and "):
        assert len(find_file_problems(tmp_path, NAME, engine)) == 1
        (tmp_path / file).touch()
    assert find_file_problems(tmp_path, NAME, engine) == []


@pytest.mark.parametrize(
    ("text", "found"), [("Global: {model_name: UVDoc}", "UVDoc"), ("a: [", "no model"), ("[]", "no model")]
)
def test_a_folder_of_another_model_is_told(tmp_path, text, found):
    write_layout_model(tmp_path)
    (tmp_path / "inference.yml").write_text(text)
    (problem,) = find_file_problems(tmp_path, NAME, "onnxruntime")
    assert problem == f"{tmp_path}/inference.yml is of {found}, not of {NAME}"
