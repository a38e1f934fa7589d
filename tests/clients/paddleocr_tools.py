"""PaddleOCR's own programs, unmodified, before a VLM server of ours. Their layout model is the tests' form."""

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import reportlab
import yaml

from deploy.local.settings import free_ports
from tests.clients.conftest import PROGRAM_SECONDS, PROGRAMS, run_program

# What PaddleOCR draws its results with; its own font would be downloaded.
FONT = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"


class PaddleOcrTools:
    """The programs in `bin_folder`, told of the server at `vlm_url`; they write to `folder`."""

    def __init__(self, bin_folder: Path, folder: Path, vlm_url: str) -> None:
        self._bin = bin_folder
        self._folder = folder
        self._server = {"vl_rec_backend": "vllm-server", "vl_rec_server_url": f"{vlm_url}/v1"}
        self._layout = folder / "PP-DocLayoutV2"
        self.environment = {
            "PADDLE_PDX_CACHE_HOME": str(folder / "paddlex"),
            "PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK": "True",
            "PADDLE_PDX_LOCAL_FONT_FILE_PATH": str(FONT),
        }

    def write_layout_model(self) -> None:
        program = PROGRAMS / "write_layout_model.py"
        subprocess.run([self._bin / "python", program, self._layout], check=True, timeout=PROGRAM_SECONDS)

    def doc_parser(self, file: Path, **options: object) -> list[dict[str, Any]]:
        """Pages as `paddleocr doc_parser` saves them, with their Markdown as `markdown`."""
        output = self._folder / f"output-{file.name}-{len(options)}"
        words = [str(self._bin / "paddleocr"), "doc_parser", "-i", str(file), "--save_path", str(output)]
        for name, value in {**self._server, "device": "cpu", **options}.items():
            words += [f"--{name}", str(value)]
        self._run(words)
        pages = []
        for path in sorted(output.glob("*_res.json")):
            markdown = path.with_name(path.name.replace("_res.json", ".md"))
            pages.append({**json.loads(path.read_text()), "markdown": markdown.read_text()})
        return pages

    def pipeline(self, file: Path, **options: object) -> list[dict[str, Any]]:
        """Pages as `PaddleOCRVL(...)` gives them to a program."""
        order = {"file": str(file), "options": {**self._server, "device": "cpu", **options}}
        pages: list[dict[str, Any]] = run_program(
            self._bin / "python", "paddleocr_pipeline.py", order, self.environment
        )
        return pages

    @property
    def layout_options(self) -> dict[str, object]:
        """What names the layout model on their command line and in their constructor."""
        return {
            "pipeline_version": "v1",
            "layout_detection_model_name": "PP-DocLayoutV2",
            "layout_detection_model_dir": str(self._layout),
            "engine": "onnxruntime",
        }

    @contextmanager
    def serving(self) -> Iterator[str]:
        """`paddlex --serve` with a pipeline configuration as people have it; its address."""
        (port,) = free_ports(1)
        path = self._folder / "pipeline_config_vllm.yaml"
        path.write_text(yaml.safe_dump(self._pipeline_config()))
        words = [str(self._bin / "paddlex"), "--serve", "--pipeline", str(path)]
        words += ["--engine", "onnxruntime", "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
        with (self._folder / "serve.log").open("wb") as log:
            process = subprocess.Popen(
                words, env={**os.environ, **self.environment}, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            transport = httpx.HTTPTransport(retries=10)  # refused connections only, with growing pauses
            with httpx.Client(transport=transport, timeout=60) as client:
                assert client.get(f"http://127.0.0.1:{port}/health").status_code == 200
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()

    def ask(self, url: str, file: Path) -> list[dict[str, Any]]:
        """Pages that a service at `url` answers."""
        body = {"file": base64.b64encode(file.read_bytes()).decode(), "fileType": int(file.suffix == ".png")}
        answer = httpx.post(f"{url}/layout-parsing", json=body, timeout=PROGRAM_SECONDS)
        assert answer.status_code == 200, answer.text
        pages: list[dict[str, Any]] = answer.json()["result"]["layoutParsingResults"]
        return pages

    def _pipeline_config(self) -> dict[str, Any]:
        layout = {
            "module_name": "layout_detection", "model_name": "PP-DocLayoutV2", "model_dir": str(self._layout),
            "batch_size": 8, "threshold": {21: 0.5, 22: 0.4}, "layout_nms": True, "layout_unclip_ratio": [1.0, 1.0],
            "layout_merge_bboxes_mode": {21: "union", 22: "union"},
        }  # fmt: skip
        recognition = {
            "module_name": "vl_recognition", "model_name": "PaddleOCR-VL-0.9B", "model_dir": None, "batch_size": 4096,
            "genai_config": {"backend": "vllm-server", "server_url": self._server["vl_rec_server_url"]},
        }  # fmt: skip
        return {
            "pipeline_name": "PaddleOCR-VL", "batch_size": 64, "use_queues": True, "use_doc_preprocessor": False,
            "use_layout_detection": True, "use_chart_recognition": False, "format_block_content": False,
            "SubModules": {"LayoutDetection": layout, "VLRecognition": recognition},
        }  # fmt: skip

    def _run(self, words: list[str]) -> None:
        done = subprocess.run(
            words,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=PROGRAM_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]


def contents(page: dict[str, Any]) -> dict[str, str]:
    """What each block of a page says, by its label."""
    pruned = page.get("prunedResult", page)
    return {block["block_label"]: block["block_content"] for block in pruned["parsing_res_list"]}
