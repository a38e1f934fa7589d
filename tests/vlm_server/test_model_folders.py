"""Folders of weights: an ERNIEKit output, a hub's download, and what is not quite either."""

import json
import shlex
import shutil
import subprocess

import pytest

# What ERNIEKit 1.4 writes for PaddleOCR-VL, by its documentation.
SFT_OUTPUT = {
    "config.json": json.dumps({
        "architectures": ["PaddleOCRVLForConditionalGeneration"], "model_type": "paddleocr_vl",
        "auto_map": {
            "AutoConfig": "configuration_paddleocr_vl.PaddleOCRVLConfig",
            "AutoModelForCausalLM": "modeling_paddleocr_vl.PaddleOCRVLForConditionalGeneration",
        },
    }),
    "preprocessor_config.json": json.dumps({
        "image_processor_type": "PaddleOCRVLImageProcessor",
        "auto_map": {"AutoImageProcessor": "image_processing.PaddleOCRVLImageProcessor"},
    }),
    "model-00001-of-00001.safetensors": "",
    "model.safetensors.index.json": json.dumps({"weight_map": {"lm_head": "model-00001-of-00001.safetensors"}}),
    "tokenizer.model": "", "tokenizer_config.json": "{}", "special_tokens_map.json": "{}", "added_tokens.json": "{}",
    "generation_config.json": "{}", "train_results.json": "{}",
}  # fmt: skip

BASE_ONLY = (
    "chat_template.jinja", "inference.yml", "tokenizer.json", "configuration_paddleocr_vl.py",
    "modeling_paddleocr_vl.py", "image_processing.py",
)  # fmt: skip


@pytest.fixture
def sft(tmp_path):
    folder = tmp_path / "PaddleOCR-VL-SFT-Bengali"
    folder.mkdir()
    for name, content in SFT_OUTPUT.items():
        (folder / name).write_text(content)
    return folder


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "PaddleOCR-VL"
    folder.mkdir()
    for name in BASE_ONLY:
        (folder / name).write_text(f"{name} of the base model")
    return folder


def complete(folder):
    for name in BASE_ONLY:
        (folder / name).write_text("")
    return folder


WORDS = {"vllm": ("--engine", "vllm", "--preset", "24gb"), "fastdeploy": ("--engine", "fastdeploy", "--preset", "a100"),
         "sglang": ("--engine", "sglang", "--preset", "24gb")}  # fmt: skip
every_engine = pytest.mark.parametrize("engine", list(WORDS))


@every_engine
def test_a_training_output_is_refused_with_what_to_copy_from_the_base_model(cli, sft, engine):
    err = cli.refused(*WORDS[engine], "--model-dir", str(sft))
    assert "chat_template.jinja (how prompt and picture become one text)" in err
    assert "hf download PaddlePaddle/PaddleOCR-VL" in err
    assert ("tokenizer.json" in err) == (engine != "fastdeploy")  # FastDeploy reads tokenizer.model
    assert ("modeling_paddleocr_vl.py" in err) == (engine != "fastdeploy")  # it has its own code


def test_the_copying_that_is_advised_is_enough(cli, sft, base):
    err = cli.refused(*WORDS["vllm"], "--model-dir", str(sft), "--base-model-dir", str(base))
    line = next(line for line in err.splitlines() if "Copy them" in line)
    subprocess.run(shlex.split(line.partition(": ")[2]), check=True)
    printed = cli.printed(*WORDS["vllm"], "--model-dir", str(sft))
    assert f"vllm serve {sft} " in printed
    assert cli.err == ""


@every_engine
def test_a_complete_folder_is_served_offline_under_the_name_that_the_pipeline_asks_for(cli, sft, engine):
    printed = cli.printed(*WORDS[engine], "--model-dir", str(complete(sft)))
    assert str(sft) in printed
    assert "--served-model-name PaddleOCR-VL-0.9B " in printed
    assert "HF_HUB_OFFLINE=1" in printed
    assert "SOURCE" not in printed


def test_a_folder_that_only_paddleocr_itself_could_not_load_is_served_with_a_note(cli, sft):
    (complete(sft) / "inference.yml").unlink()
    cli.printed(*WORDS["vllm"], "--model-dir", str(sft))
    assert "inference.yml is missing" in cli.err


def test_weights_without_code_of_their_own_run_on_the_engines(cli, sft):
    complete(sft)
    for name in ("config.json", "preprocessor_config.json"):
        content = json.loads((sft / name).read_text())
        del content["auto_map"]
        (sft / name).write_text(json.dumps(content))
    assert "--trust-remote-code" not in cli.printed(*WORDS["vllm"], "--model-dir", str(sft))
    assert "brings no code" in cli.err


def test_a_folder_can_be_the_model_itself_whatever_it_is_called(cli, sft, tmp_path):
    other = tmp_path / "my-weights"
    shutil.copytree(complete(sft), other)
    assert f"vllm serve {other} " in cli.printed(*WORDS["vllm"], "--model", str(other))


def test_a_folder_called_like_a_model_is_that_model(cli, tmp_path):
    folder = tmp_path / "ERNIE-4.5-0.3B-Paddle"
    folder.mkdir()
    words = ("--engine", "fastdeploy", "--preset", "wint4", "--model", str(folder))
    assert f"--model {folder} " in cli.printed(*words)


def break_folder(folder, name):
    config = json.loads((folder / "config.json").read_text())
    if name == "no folder":
        shutil.rmtree(folder)
    elif name == "a parent":
        inner = folder / "checkpoint-900"
        inner.mkdir()
        (folder / "config.json").rename(inner / "config.json")
    elif name == "an adapter":
        (folder / "adapter_config.json").write_text("{}")
    elif name == "another model":
        (folder / "config.json").write_text(json.dumps({**config, "architectures": ["Qwen2ForCausalLM"]}))
    elif name == "lost weights":
        (folder / "model-00001-of-00001.safetensors").unlink()
    elif name == "paddle weights":
        (folder / "model.safetensors.index.json").unlink()
        (folder / "model-00001-of-00001.safetensors").rename(folder / "model_state.pdparams")
    elif name == "old processor":
        (folder / "preprocessor_config.json").write_text('{"image_processor_type": "SiglipImageProcessor"}')
    elif name == "broken config":
        (folder / "config.json").write_text("{")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no folder", "does not exist"),
        ("a parent", "Did you mean one of its folders: checkpoint-900?"),
        ("an adapter", "merge it with its base model first"),
        ("another model", "names the architecture Qwen2ForCausalLM"),
        ("lost weights", "are missing: model-00001-of-00001.safetensors"),
        ("paddle weights", "train with `save_to_hf: true`"),
        ("old processor", "yours names SiglipImageProcessor"),
        ("broken config", "no config.json that can be read"),
    ],
)
def test_a_folder_that_cannot_be_served_is_refused_with_the_reason(cli, sft, name, why):
    break_folder(complete(sft), name)
    assert why in cli.refused(*WORDS["vllm"], "--model-dir", str(sft))


def test_a_folder_of_nobody_knows_what_asks_for_its_model(cli, tmp_path):
    assert "give the model with --model" in cli.refused(*WORDS["vllm"], "--model", str(tmp_path))
