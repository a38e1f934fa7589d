"""What compose.yaml, the files in deploy/compose and prepare.sh read from .env besides the tiers' own settings.

Docker Compose reads them, not this class: it describes the variables for docs/SETTINGS.md and .env.example, and tests
hold it to the files.
"""

from typing import Literal

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Stack = Literal["gpu", "fastdeploy", "sglang", "cpu"]


class ContainerSettings(BaseSettings):
    """Variables of the containers."""

    model_config = SettingsConfigDict(env_prefix="HPS_", frozen=True, extra="ignore", env_ignore_empty=True)

    stack: Stack = Field("gpu", description="What this host runs: a file in deploy/compose.")
    gpu_device_id: str = Field(
        "0",
        validation_alias=AliasChoices("GPU_DEVICE_ID", "HPS_DEVICE_ID"),
        description="GPU for layout detection and the VLM server: index, UUID or MIG UUID, as `nvidia-smi -L` lists "
        "them. HPS_DEVICE_ID goes before it.",
    )
    publish_address: str = Field(
        "0.0.0.0",  # noqa: S104  as PaddleOCR's own compose files; API keys or this variable close it
        description="Address of this host that the API listens on; 127.0.0.1 for this host only. Without "
        "HPS_API_KEYS whoever reaches it may use it.",
    )
    port: int = Field(8080, ge=1, le=65535, description="Port of this host that the API listens on.")
    models_dir: str = Field("models", description="Folder of the weights, below that of compose.yaml.")
    vlm_weights: str = Field(
        "PaddleOCR-VL",
        description="Folder in there that the VLM server serves: PaddleOCR-VL, PaddleOCR-VL-1.5, PaddleOCR-VL-1.6 or "
        "weights of your own.",
    )
    vlm_preset: str = Field(
        "",
        description="Preset of the VLM server (vlm_server/presets.toml). Default: the one that fits the GPU.",
    )
    vlm_backend_config: str = Field(
        "",
        description="File with further flags of the engine, as for `paddleocr genai_server`: "
        "/config/NAME for deploy/config/NAME. Default: none.",
    )
    vlm_extra_args: str = Field("", description="Further arguments for the engine. Default: none.")
    internal_network: bool = Field(
        default=True,
        description="Whether Triton and the VLM server have no route out. `false` for HPS_IMAGE_STORE=s3 and for "
        "VLM servers elsewhere.",
    )
    shm_size: str = Field("4gb", description="Shared memory of Triton and of the VLM server.")
    gateway_stop_grace: str = Field(
        "20s", description="Time to stop for the gateway; more than HPS_SHUTDOWN_GRACE_SECONDS."
    )
    triton_stop_grace: str = Field(
        "45s", description="Time to stop for Triton; more than HPS_TRITON_EXIT_TIMEOUT."
    )
    vlm_gpu_1: str = Field("1", description="GPU of the second VLM server (deploy/compose/multi-gpu.yaml).")
    vlm_gpu_2: str = Field("2", description="GPU of the third.")
    vlm_gpu_3: str = Field("3", description="GPU of the fourth.")
    vlm_gpu_4: str = Field("4", description="GPU of the fifth.")
    vlm_gpu_5: str = Field("5", description="GPU of the sixth.")
    vlm_gpu_6: str = Field("6", description="GPU of the seventh.")
    vlm_gpu_7: str = Field("7", description="GPU of the eighth.")
    gateway_image: str = Field("paddleocr-vl-hps/gateway:0.1.0", description="Image of the gateway.")
    triton_image: str = Field("paddleocr-vl-hps/triton:0.1.0-gpu or -cpu", description="Image of Triton.")
    vlm_embedded_image: str = Field(
        "paddleocr-vl-hps/vlm-embedded:0.1.0", description="Image of the VLM server of the stack `cpu`."
    )
    basic_image: str = Field(
        "paddleocr-vl-hps/basic:0.1.0", description="Image of PaddleX's service of the stack `basic`."
    )
    vllm_image: str = Field(
        "vllm/vllm-openai:v0.30.0-cu129",
        description="Image of vLLM, by tag or by digest (NAME@sha256:...). Without -cu129 it is built for CUDA 13.",
    )
    fastdeploy_image: str = Field(
        "ccr-2vdh3abv-pub.cnc.bj.baidubce.com/paddlepaddle/fastdeploy-cuda-12.6:2.3.2",
        description="Image of FastDeploy.",
    )
    sglang_image: str = Field("lmsysorg/sglang:v0.5.18", description="Image of SGLang.")
    triton_target: Literal["gpu", "gpu-slim"] = Field(
        "gpu",
        description="Target of Dockerfile.triton for stacks with a GPU; `gpu-slim` needs no image of NVIDIA's.",
    )
    triton_base_image: str = Field(
        "nvcr.io/nvidia/tritonserver:24.10-py3", description="What the target `gpu` is built on."
    )
    python_image: str = Field("python:3.11-slim-bookworm", description="What the other images are built on.")
    build_network: str = Field(
        "default", description="Network for building; `host` where containers have no DNS."
    )
    pip_index_url: str = Field(
        "",
        validation_alias="PIP_INDEX_URL",
        description="Package index for building. Default: pip's own.",
    )
