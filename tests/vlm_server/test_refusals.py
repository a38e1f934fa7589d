"""What is not started, and the reason that is given."""

import pytest

VL = ("--engine", "fastdeploy", "--model", "ERNIE-4.5-VL-424B-A47B")
TEXT = ("--engine", "fastdeploy", "--model", "ERNIE-4.5-0.3B")
OCR = ("--engine", "vllm", "--preset", "24gb")


@pytest.mark.parametrize(
    ("words", "extra", "why"),
    [
        (OCR, "--max-model-len 16385", "more than the 16,384 tokens"),
        (("--engine", "sglang", "--preset", "24gb"), "--context-length 32768", "more than the 16,384 tokens"),
        (OCR, "--no-such-flag 1", "--no-such-flag is no flag of vLLM 0.32.0"),
        (OCR, "--max-num-seqs", "--max-num-seqs of vLLM needs a value"),
        (OCR, "--max-num-seqs 1 2", "takes one value"),
        (OCR, "--enforce-eager 1", "takes no value"),
        (OCR, "stray", "is no flag"),
        (OCR, "--max-num-seqs many", "must be a number"),
        (OCR, "--max-num-seqs 0", "whole number above 0"),
        (OCR, "--gpu-memory-utilization 0", "above 0 and up to 1"),
        (("--engine", "sglang", "--preset", "8gb"), "--mem-fraction-static 0.9", "do not fit into 7.5 GiB"),
        (OCR, "--gpu-memory-utilization 0.1", "does not fit"),
        (OCR, "--gpu-memory-utilization 0.17", "less than one context"),
        (("--engine", "vllm", "--preset", "cpu"), "--api-server-count 2", "Only the command `vllm serve`"),
        (("--engine", "fastdeploy", "--preset", "a100"), "--max-num-seqs 512", "FastDeploy takes 1 to 256"),
        (("--engine", "fastdeploy", "--preset", "a100"), "--metrics-port 8185", "are both 8185"),
        (("--engine", "fastdeploy", "--preset", "a100"), "--metrics-port 70000", "is no port"),
        ((*TEXT, "--preset", "cuda-graph"), "--enable-chunked-prefill", "--use-cudagraph and --enable-chunked-prefill"),
        ((*TEXT, "--preset", "cuda-graph"), "--enable-prefix-caching", "--use-cudagraph and --enable-prefix-caching"),
        ((*TEXT, "--preset", "cuda-graph"), "--tensor-parallel-size 2", "runs on one GPU only"),
        ((*TEXT, "--preset", "wint4"), "--swap-space 50", "needs --enable-prefix-caching"),
        ((*TEXT, "--preset", "wint4"), "--max-model-len 131073", "more than the 131,072 tokens"),
        ((*VL, "--preset", "wint4"), "--tensor-parallel-size 4 --quantization wint8", "does not fit"),
    ],
)  # fmt: skip
def test_flags_that_cannot_be_are_refused_with_the_reason(cli, words, extra, why):
    assert cli(*words, "--print", "--", *extra.split()).status == 2
    assert why in cli.err
    assert cli.out == ""


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((*OCR, "--gpu", "T4"), "compute capability 7.5"),
        ((*OCR, "--gpu", "V100"), "needs 8.0"),
        ((*OCR, "--gpu", "RTX 3060"), "Preset 24gb is for GPUs of 21 GiB or more; RTX 3060 has 12.0"),
        (("--engine", "vllm", "--preset", "blackwell-8gb", "--gpu", "RTX 4060"), "12.0 to 12.9; RTX 4060 has 8.9"),
        (("--engine", "fastdeploy", "--preset", "h100", "--gpu", "A100"), "9.0 to 10.9; A100 has 8.0"),
        (("--engine", "fastdeploy", "--preset", "h100", "--gpu", "A100"), "FLAGS_flash_attn_version=3 is for Hopper"),
        (("--engine", "fastdeploy", "--preset", "h100", "--gpu", "RTX PRO 6000"), "not for RTX PRO 6000"),
        ((*TEXT, "--preset", "fp8", "--gpu", "A800"), "block_wise_fp8 needs a Hopper GPU"),
        ((*TEXT, "--preset", "fp8", "--gpu", "A800"), "has no block_wise_fp8 for ERNIE-4.5-0.3B on A800"),
        ((*TEXT, "--preset", "fp8", "--gpu", "L20"), "block_wise_fp8 needs a Hopper GPU"),
        ((*VL, "--preset", "bf16", "--gpu", "A100", "--gpu-count", "8"), "has no bfloat16"),
        ((*VL, "--preset", "bf16", "--gpu", "H20", "--gpu-count", "8"), "130 GiB or more"),
        ((*VL, "--preset", "wint4", "--gpu", "H800", "--gpu-count", "4"), "needs 8 GPUs; there are 4"),
        (("--engine", "vllm", "--model", "ERNIE-4.5-0.3B", "--preset", "x"), "served here by fastdeploy, not by vllm"),
        (("--engine", "vllm", "--preset", "9gb"), "there are: recipe, 8gb,"),
        (("--engine", "vllm", "--model", "Qwen/Qwen3-0.6B", "--preset", "24gb"), "No presets for the model"),
        (("--engine", "fastdeploy", "--preset", "a100", "--engine-version", "2.2"), "needs fastdeploy 2.3 or newer"),
        (("--engine", "sglang", "--preset", "24gb", "--engine-version", "0.5.2"), "needs sglang 0.5.7 or newer"),
        (("--engine", "sglang", "--preset", "24gb", "--engine-version", "new"), "numbers and dots"),
        ((*OCR, "--gpu", "Voodoo 2"), "Nothing is known of the GPU `Voodoo 2`"),
    ],
)  # fmt: skip
def test_combinations_that_the_documentation_rules_out_are_refused_with_the_reason(cli, words, why):
    assert why in cli.refused(*words)


def test_fewer_gpus_than_the_documentation_asks_for_are_refused(cli):
    words = (*VL, "--preset", "wint4", "--gpu", "H800", "--gpu-count", "8", "--print")
    assert cli(*words, "--", "--tensor-parallel-size", "4").status == 2
    assert "needs 8 x H800, not 4" in cli.err


def test_bf16_of_the_large_model_is_allowed_where_the_documentation_has_it(cli):
    printed = cli.printed(*VL, "--preset", "bf16", "--gpu", "H20", "--memory-gb", "141", "--gpu-count", "8")
    assert "--quantization" not in printed


def test_all_problems_are_said_at_once(cli):
    assert cli(*OCR, "--print", "--", "--max-model-len", "99999", "--bogus", "--port", "0").status == 2
    assert len(cli.err.splitlines()) == 4


def test_force_starts_it_all_the_same_and_warns(cli):
    assert cli(*OCR, "--print", "--force", "--", "--brand-new-flag", "3").status == 0
    assert "warning: --brand-new-flag is no flag" in cli.err
    assert "--brand-new-flag 3" in cli.out


def test_a_share_that_leaves_layout_detection_little_is_allowed_with_a_note(cli):
    words = (*OCR, "--print", "--gpu", "RTX 4090")
    extra = ("--", "--gpu-memory-utilization", "0.97")
    assert cli(*words, *extra).status == 0
    assert "Layout detection has 0.7 GiB left" in cli.err
    assert cli(*words, "--layout-elsewhere", *extra).status == 0
    assert cli.err == ""


def test_the_embedded_engine_takes_no_flags_of_engines(cli):
    assert cli("--engine", "embedded", "--", "--max-num-seqs", "3").status == 2
    assert "takes no further flags" in cli.err
