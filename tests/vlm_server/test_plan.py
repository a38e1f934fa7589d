"""The doctor, with a real command named nvidia-smi that says what a test wants."""

import json

import pytest

from vlm_server.catalogue import load_models
from vlm_server.gpus import read_gpus
from vlm_server.memory import GIB, kv_bytes_per_token, split_memory, weight_bytes

GPU_4090 = "0, NVIDIA GeForce RTX 4090, 24564, 512, 8.9, GPU-aaaa"
GPU_5060 = "0, NVIDIA GeForce RTX 5060, 8151, 900, 12.0, GPU-bbbb"


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """Put an nvidia-smi before all others; without lines it is not there at all."""

    def install(*lines, cuda="12.9", word="CUDA", script=None):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        command = folder / "nvidia-smi"
        table = "\n".join(lines)
        command.write_text(
            script
            or f"#!/bin/sh\ncase \"$*\" in *--query-gpu*) cat <<'E'\n{table}\nE\n;;\n"
            f"*) echo 'Driver Version: 575.57  {word} Version: {cuda} |';; esac\n"
        )
        command.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return install


@pytest.fixture
def plan(cli):
    def run(*words):
        cli("plan", "--json", *words)
        return json.loads(cli.out)

    return run


@pytest.mark.parametrize(
    ("gpu", "preset"),
    [
        ("RTX 3050", "8gb"), ("RTX 4060", "8gb"), ("RTX 5060", "blackwell-8gb"), ("RTX 3060", "12gb"),
        ("RTX 5080", "12gb"),
        ("RTX 4090", "24gb"), ("RTX 5090", "24gb"), ("NVIDIA L40S", "24gb"), ("NVIDIA A10", "24gb"),
        ("NVIDIA A100-SXM4-80GB", "80gb"), ("NVIDIA A100-PCIE-40GB", "24gb"), ("NVIDIA H100 80GB HBM3", "80gb"),
        ("H20", "80gb"), ("NVIDIA H200", "h200"), ("B200", "h200"),
    ],
)  # fmt: skip
def test_a_gpu_by_name_gets_its_preset(plan, gpu, preset):
    answer = plan("--gpu", gpu)
    assert (answer["fits"], answer["preset"]) == (True, preset)
    assert answer["command"][:2] == ["vllm", "serve"]


@pytest.mark.parametrize(
    ("gpu", "preset"),
    [("RTX 3060", "rtx3060"), ("RTX 4090", "rtx4090"), ("A100", "a100"), ("H800", "h100"), ("B200", "h100"),
     ("RTX 5090", "rtx4090"), ("RTX PRO 6000", "a100")],
)  # fmt: skip
def test_fastdeploy_gets_flash_attention_3_only_where_it_exists(plan, gpu, preset):
    answer = plan("--engine", "fastdeploy", "--gpu", gpu)
    assert answer["preset"] == preset
    assert ("FLAGS_flash_attn_version" in answer["environment"]) == (preset == "h100")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--gpu", "T4"), "compute capability 7.5"),
        (("--gpu", "RTX 2080 Ti"), "compute capability 7.5"),
        (("--gpu", "RTX 3050", "--memory-gb", "4"), "7.5 GiB or more"),
        (("--memory-gb", "6"), "7.5 GiB or more"),
        (
            ("--engine", "fastdeploy", "--model", "ERNIE-4.5-VL-424B-A47B", "--gpu", "A100"),
            "needs 8 GPUs; there are 1",
        ),
        (("--engine", "vllm", "--model", "ERNIE-4.5-0.3B", "--gpu", "A100"), "served here by fastdeploy"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason_and_status_1(plan, cli, words, why):
    answer = plan(*words)
    assert answer["fits"] is False
    assert any(why in problem for problem in answer["problems"])
    assert cli.status == 1


def test_the_gpu_that_is_here_is_read(plan, nvidia_smi):
    nvidia_smi(GPU_4090)
    answer = plan()
    assert answer["preset"] == "24gb"
    assert answer["gpu"] | {"total_gib": 0} == {
        "name": "NVIDIA GeForce RTX 4090", "total_gib": 0, "capability": 8.9, "used_gib": 0.5, "cuda": 12.9,
        "index": 0, "uuid": "GPU-aaaa",
    }  # fmt: skip


@pytest.mark.parametrize("device", ["1", "GPU-bbbb"])
def test_one_of_several_gpus_is_chosen_by_index_or_uuid(plan, nvidia_smi, device):
    nvidia_smi(GPU_4090, GPU_5060.replace("0, NV", "1, NV"))
    assert plan("--device", device)["preset"] == "blackwell-8gb"
    assert "There is no GPU `7` here" in plan("--device", "7")["problems"][0]


def test_memory_that_other_programs_hold_counts(plan, nvidia_smi):
    nvidia_smi(GPU_5060)
    # 6.4 GiB for the engine, 0.9 for a desktop: layout detection has 0.7.
    assert plan()["preset"] == "blackwell-8gb"
    assert "Layout detection has 0.7 GiB left of the 1.4" in plan()["advice"][0]
    assert "lower --gpu-memory-utilization to 0.71" in plan()["advice"][0]
    assert not any("Layout" in advice for advice in plan("--layout-elsewhere")["advice"])
    nvidia_smi(GPU_4090.replace("512", "20000"))
    assert "do not fit into 24.0 GiB" in plan()["problems"][0]


def test_a_driver_too_old_for_blackwell_is_said(plan, nvidia_smi):
    nvidia_smi(GPU_5060.replace("900", "0"), cuda="12.6")
    answer = plan()
    assert answer["preset"] == "8gb"
    problems = next(each["problems"] for each in answer["presets"] if each["name"] == "blackwell-8gb")
    assert "The driver runs CUDA 12.6; this preset needs 12.9" in problems[0]


def test_a_driver_that_does_not_tell_the_compute_capability_is_helped_by_the_name(plan, nvidia_smi):
    nvidia_smi(GPU_4090.replace("8.9", "[N/A]"))
    assert plan()["gpu"]["capability"] == 8.9


@pytest.mark.parametrize(
    ("lines", "options", "why"),
    [
        ((), {}, "lists no GPU"),
        (("what?",), {}, "cannot be read"),
        ((), {"script": "#!/bin/sh\necho 'Driver/library version mismatch' >&2\nexit 18\n"}, "version mismatch"),
    ],
)  # fmt: skip
def test_an_nvidia_smi_that_fails_is_reported(plan, nvidia_smi, lines, options, why):
    nvidia_smi(*lines, **options)
    assert why in plan()["problems"][0]


def test_no_nvidia_smi_is_said_with_what_to_do(plan, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Name a GPU with --gpu, or use --engine embedded" in plan()["problems"][0]


def test_without_a_preset_an_engine_gets_the_one_that_fits_the_gpu(cli, nvidia_smi):
    nvidia_smi(GPU_4090)
    assert "--gpu-memory-utilization 0.7 " in cli.printed("--engine", "vllm")
    nvidia_smi(GPU_4090.replace("8.9", "7.5"))
    assert "needs 8.0" in cli.refused("--engine", "vllm")


def test_people_read_where_the_memory_goes_and_what_to_start(cli):
    assert cli("plan", "--gpu", "RTX 5060").status == 0
    formula = "18,432 bytes (2 x 18 layers x 2 KV heads x 128 x 2 bytes)"
    for words in (
        "- weights",
        "- KV cache",
        formula,
        "layout ",
        "MAX_OUTPUT_TOKENS=6220",
        "--preset blackwell-8gb",
    ):
        assert words in cli.out
    assert cli("plan", "--gpu", "T4").status == 1
    assert "cannot run here" in cli.out


# The formulas.


def test_weights_and_cache_follow_from_the_models_shape():
    model = load_models()["PaddleOCR-VL-0.9B"]
    assert weight_bytes(model, "") == 958_588_736 * 2
    assert kv_bytes_per_token(model) == 18_432
    large = load_models()["ERNIE-4.5-VL-424B-A47B"]
    assert weight_bytes(large, "wint4") * 4 == weight_bytes(large, "wint8") * 2 == weight_bytes(large, "")


@pytest.mark.parametrize("within", [True, False])
def test_every_byte_of_the_gpu_is_somewhere_once(within):
    memory = split_memory(
        load_models()["PaddleOCR-VL-0.9B"], total_gib=24, share=0.5, context=16384, batched_tokens=16384,
        sequences=256, share_holds_activations=within, outside_gib=0.5, layout_gib=1.4,
    )  # fmt: skip
    working = memory.activations + memory.overhead
    inside = memory.weights + memory.kv_cache + (working if within else 0)
    assert inside == pytest.approx(memory.budget)
    assert memory.budget + memory.outside + memory.layout + memory.spare == pytest.approx(24)
    assert memory.kv_tokens == int(memory.kv_cache * GIB / 18_432)


@pytest.mark.parametrize("word", ["CUDA", "CUDA UMD"])
def test_the_cuda_of_a_driver_is_read_by_its_older_and_its_newer_name(nvidia_smi, word):
    nvidia_smi(GPU_4090, cuda="13.1", word=word)
    assert [gpu.cuda for gpu in read_gpus()] == [13.1]
