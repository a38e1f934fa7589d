"""Every preset, as the command that it becomes."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.vlm_server.commands import arguments_of, every_preset, name_of
from vlm_server.catalogue import load_flags, load_models, load_presets

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "engine_commands"


@every_preset
def test_a_preset_becomes_the_command_in_its_golden_file(cli, preset):
    assert cli.printed(*arguments_of(preset)) == (GOLDEN / f"{name_of(preset)}.txt").read_text()


def test_every_golden_file_belongs_to_a_preset():
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {name_of(preset) for preset in load_presets()}


@every_preset
def test_every_flag_of_a_command_is_one_of_the_engine(cli, preset):
    words = shlex.split(cli.printed(*arguments_of(preset)).replace("\\\n", ""))
    flags = [word for word in words if word.startswith("--")]
    assert flags
    assert [flag for flag in flags if flag not in load_flags(preset.engine)] == []


@every_preset
def test_every_value_of_a_preset_has_its_reason_and_source(preset):
    for choice in [*preset.flags.values(), *preset.environment.values()]:
        assert len(choice.why) > 8
        assert len(choice.source) > 8
    assert preset.purpose


@pytest.mark.parametrize(
    "model", [model for model in load_models().values() if model.family == "PaddleOCR-VL"]
)
@pytest.mark.parametrize(
    "preset", [each for each in load_presets() if each.family == "PaddleOCR-VL"], ids=name_of
)
def test_every_version_of_the_model_is_served_under_the_name_that_the_pipeline_asks_for(cli, preset, model):
    words = ("--engine", preset.engine, "--preset", preset.name, "--model", model.name)
    printed = cli.printed(*words)
    assert model.hub_names[0] in printed.split()
    assert "--served-model-name PaddleOCR-VL-0.9B " in printed


def test_a_newer_model_on_vllm_is_also_called_what_paddleocrs_pipeline_of_its_version_calls_it(cli):
    printed = cli.printed("--engine", "vllm", "--preset", "24gb", "--model", "PaddleOCR-VL-1.6-0.9B")
    assert "--served-model-name PaddleOCR-VL-0.9B PaddleOCR-VL-1.6-0.9B " in printed


def test_names_of_clients_can_be_several_on_vllm_and_are_one_elsewhere(cli):
    names = ("--served-model-name", "PaddleOCR-VL-0.9B", "another")
    printed = cli.printed("--engine", "vllm", "--preset", "24gb", *names)
    assert "--served-model-name PaddleOCR-VL-0.9B another " in printed
    assert "one name" in cli.refused("--engine", "sglang", "--preset", "24gb", *names)


@pytest.mark.parametrize(
    ("cores", "preset", "servers"),
    [(1, "24gb", 1), (7, "24gb", 1), (8, "24gb", 2), (64, "24gb", 4), (64, "8gb", 2), (64, "h200", 8)],
)
def test_api_servers_follow_the_cores_up_to_what_the_gpu_can_use(cli, cores, preset, servers):
    printed = cli.printed("--engine", "vllm", "--preset", preset, "--cores", str(cores))
    assert f"--api-server-count {servers} " in printed


def test_what_follows_two_dashes_goes_to_the_engine_and_before_the_preset(cli):
    extra = ("--", "--max-num-seqs=7", "--enable-prefix-caching", "--lora-modules", "a=b", "c=d")
    assert cli("--engine", "vllm", "--preset", "24gb", "--print", *extra).status == 0
    words = shlex.split(cli.out.replace("\\\n", ""))
    assert words[words.index("--max-num-seqs") + 1] == "7"
    assert words.count("--max-num-seqs") == 1
    assert "--enable-prefix-caching" in words
    assert "--no-enable-prefix-caching" not in words
    assert words[-3:] == ["--lora-modules", "a=b", "c=d"]


def test_programs_get_command_environment_and_reasons_as_json(cli):
    cli("--engine", "fastdeploy", "--preset", "h100", "--print", "json")
    data = json.loads(cli.out)
    assert data["command"][:3] == ["python", "-m", "fastdeploy.entrypoints.openai.api_server"]
    assert data["environment"]["FLAGS_flash_attn_version"] == "3"
    assert (data["port"], data["health"]) == (8185, "/health")
    assert data["reasons"]["--max-num-seqs"]["source"].startswith("FastDeploy")


def test_paddlex_clients_get_the_flag_that_their_pixel_limits_need(cli):
    assert "--trust-request-mm-kwargs" not in cli.printed("--engine", "vllm", "--preset", "24gb")
    assert "--trust-request-mm-kwargs" in cli.printed(
        "--engine", "vllm", "--preset", "24gb", "--paddlex-clients"
    )


def test_rejection_sampling_is_off_unless_asked_for(cli):
    words = ("--engine", "fastdeploy", "--preset", "a100")
    assert "FD_SAMPLING_CLASS" not in cli.printed(*words)
    assert "FD_SAMPLING_CLASS=rejection" in cli.printed(*words, "--rejection-sampling")


@pytest.mark.parametrize(
    ("engine", "hub", "variable"),
    [
        ("vllm", "modelscope", "VLLM_USE_MODELSCOPE=true"),
        ("sglang", "modelscope", "SGLANG_USE_MODELSCOPE=true"),
        ("fastdeploy", "modelscope", "FD_MODEL_SOURCE=MODELSCOPE"),
        ("fastdeploy", "huggingface", "FD_MODEL_SOURCE=HUGGINGFACE"),
    ],
)
def test_the_hub_is_told_in_the_engines_own_way(cli, engine, hub, variable):
    preset = {"vllm": "24gb", "sglang": "24gb", "fastdeploy": "a100"}[engine]
    assert variable in cli.printed("--engine", engine, "--preset", preset, "--hub", hub)


def test_old_fastdeploy_is_told_what_later_versions_do_by_themselves(cli):
    words = ("--engine", "fastdeploy", "--model", "ERNIE-4.5-VL-424B-A47B", "--preset", "wint4")
    old = cli.printed(*words, "--engine-version", "2.1")
    assert "--enable-mm" in old
    assert "--enable-chunked-prefill" in old
    assert "--enable-mm" not in cli.printed(*words, "--engine-version", "2.2")
    assert "--enable-mm" not in cli.printed(*words)


def test_printing_and_planning_need_nothing_but_the_standard_library():
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from vlm_server.__main__ import main"
    for words in (["--engine", "vllm", "--preset", "24gb", "--print"], ["plan", "--gpu", "RTX 4090"]):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", f"{program}; sys.exit(main({words!r}))"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "PaddleOCR-VL" in done.stdout


# --backend_config, as people use it with `paddleocr genai_server`.


@pytest.fixture
def config(tmp_path):
    def write(content: object) -> str:
        path = tmp_path / "vlm_server_config.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return str(path)

    return write


def test_a_backend_config_goes_before_the_preset_and_flags_before_it(cli, config):
    path = config("gpu-memory-utilization: 0.75\nmax_model_len: 7520\nmax-num-batched-tokens: 32768\n")
    words = ("--engine", "vllm", "--preset", "24gb", "--backend_config", path, "--print")
    assert cli(*words, "--", "--max-num-batched-tokens", "8192").status == 0
    assert "--gpu-memory-utilization 0.75" in cli.out
    assert "--max-model-len 7520" in cli.out
    assert "--max-num-batched-tokens 8192" in cli.out
    assert "32768" not in cli.out


def test_values_of_a_backend_config_become_flags_of_their_kind(cli, config):
    path = config({
        "trust-remote-code": False, "enforce_eager": True, "limit-mm-per-prompt": {"image": 2},
        "api-server-count": None, "allowed-origins": '["*"]', "enable-prefix-caching": True,
    })  # fmt: skip
    printed = cli.printed("--engine", "vllm", "--preset", "24gb", "--backend_config", path)
    words = shlex.split(printed.replace("\\\n", ""))
    assert "--trust-remote-code" not in words
    assert "--enforce-eager" in words
    assert words[words.index("--limit-mm-per-prompt") + 1] == '{"image": 2}'
    assert "--api-server-count" not in words
    assert "--no-enable-prefix-caching" not in words


def test_the_commands_own_options_go_before_a_backend_config_and_it_is_said(cli, config):
    path = config({"port": 9999, "host": "0.0.0.0", "model": "elsewhere"})
    printed = cli.printed("--engine", "vllm", "--preset", "24gb", "--port", "8118", "--backend_config", path)
    assert "--port 8118" in printed
    assert "elsewhere" not in printed
    assert cli.err.count("gives way") == 3


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("- a\n- b\n", "must be a mapping"),
        ("a: [", "is not YAML"),
        ("1: 2", "must be a mapping"),
        ("gpu-memory-utilisation: 0.5", "--gpu-memory-utilisation is no flag of vLLM"),
        ("gpu-memory-utilization: half", "--gpu-memory-utilization must be a number"),
        ("gpu-memory-utilization: 1.5", "above 0 and up to 1"),
        ("max-model-len: true", "--max-model-len needs a value"),
        ("enforce-eager: 1", "--enforce-eager stands alone"),
    ],
)
def test_a_bad_backend_config_is_refused_by_name(cli, config, content, why):
    err = cli.refused("--engine", "vllm", "--preset", "24gb", "--backend_config", config(content))
    assert why in err


def test_a_backend_config_that_is_not_there_is_refused(cli):
    assert "cannot be read" in cli.refused(
        "--engine", "vllm", "--preset", "24gb", "--backend_config", "/no/such.yaml"
    )


def test_an_empty_backend_config_changes_nothing(cli, config):
    words = ("--engine", "vllm", "--preset", "24gb")
    assert cli.printed(*words, "--backend_config", config("")) == cli.printed(*words)
