"""The pipeline configuration file: what people have is read, what is wrong is named by its path."""

from pathlib import Path

import paddlex
import pytest

from docparse.layout.labels import LABELS
from docparse.pipeline_config import PipelineConfigError, read_pipeline_config
from docparse.pipeline_config.reading import find_unused_keys

# As PaddleOCR's own compose file mounts it, with a server's key.
VLLM = """
pipeline_name: PaddleOCR-VL

batch_size: 64

use_queues: True

use_doc_preprocessor: False
use_layout_detection: True
use_chart_recognition: False
format_block_content: False

SubModules:
  LayoutDetection:
    module_name: layout_detection
    model_name: PP-DocLayoutV2
    model_dir: null
    batch_size: 4
    threshold:
      0: 0.5
      22: 0.35
    layout_nms: True
    layout_unclip_ratio: [1.0, 1.05]
    layout_merge_bboxes_mode:
      3: "union"
      "21": "large"
  VLRecognition:
    module_name: vl_recognition
    model_name: PaddleOCR-VL-0.9B
    model_dir: null
    batch_size: 4096
    genai_config:
      backend: vllm-server
      server_url: http://paddleocr-genai-vllm-server:8080/v1
      max_concurrency: 64
      client_kwargs:
        api_key: secret

SubPipelines:
  DocPreprocessor:
    pipeline_name: doc_preprocessor
    batch_size: 8
    use_doc_orientation_classify: True
    use_doc_unwarping: False
    SubModules:
      DocOrientationClassify:
        module_name: doc_text_orientation
        model_name: PP-LCNet_x1_0_doc_ori
        model_dir: null
        batch_size: 8
"""


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "pipeline.yaml"
        path.write_text(text)
        return path

    return write


def problems_of(path: Path) -> list[str]:
    with pytest.raises(PipelineConfigError) as refused:
        read_pipeline_config(path)
    assert all(problem.startswith(f"HPS_PIPELINE_CONFIG ({path}): ") for problem in refused.value.problems)
    return [problem.split("): ", 1)[1] for problem in refused.value.problems]


def test_a_file_as_people_have_it_is_read(write):
    config = read_pipeline_config(write(VLLM))
    assert config.layout.batch_size == 4
    assert config.layout.layout_unclip_ratio == (1.0, 1.05)
    assert config.genai.server_url == "http://paddleocr-genai-vllm-server:8080/v1"
    assert config.genai.max_concurrency == 64
    assert config.genai.client_kwargs.api_key == "secret"
    assert config.preprocessor.use_doc_unwarping is False


def test_what_the_file_leaves_out_is_what_paddleocr_vl_ships(write):
    shipped, config = read_pipeline_config(None), read_pipeline_config(write(VLLM))
    assert config.merge_layout_blocks is True
    assert config.markdown_ignore_labels == shipped.markdown_ignore_labels
    assert config.serving == shipped.serving
    # Classes that a table does not name keep their values, whether it names them by number or by name.
    assert config.layout.threshold == shipped.layout.threshold | {"abstract": 0.5, "text": 0.35}
    modes = shipped.layout.layout_merge_bboxes_mode | {"chart": "union", "table": "large"}
    assert config.layout.layout_merge_bboxes_mode == modes


def test_an_empty_file_changes_nothing(write):
    assert read_pipeline_config(write("# nothing\n")) == read_pipeline_config(None)
    assert read_pipeline_config(write("SubModules:\nServing: {}\n")) == read_pipeline_config(None)


def test_what_is_shipped_goes_by_the_layout_model(write):
    for text in (
        "pipeline_name: PaddleOCR-VL-1.6",
        "SubModules: {LayoutDetection: {model_name: PP-DocLayoutV3}}",
    ):
        config = read_pipeline_config(write(text))
        assert (config.layout.model_name, config.layout.threshold) == ("PP-DocLayoutV3", 0.3)
    assert read_pipeline_config(None, "PP-DocLayoutV3").layout.threshold == 0.3
    assert read_pipeline_config(None).layout.threshold["text"] == 0.4


def test_a_class_apart_from_one_value_for_all(write):
    text = "{pipeline_name: PaddleOCR-VL-1.5, SubModules: {LayoutDetection: {threshold: {seal: 0.9}}}}"
    threshold = read_pipeline_config(write(text)).layout.threshold
    assert threshold == dict.fromkeys(LABELS, 0.3) | {"seal": 0.9}


@pytest.mark.parametrize("name", ["PaddleOCR-VL", "PaddleOCR-VL-1.5", "PaddleOCR-VL-1.6"])
def test_paddlexs_own_files_are_read(name):
    config = read_pipeline_config(Path(paddlex.__file__).parent / "configs" / "pipelines" / f"{name}.yaml")
    assert config.pipeline_name == name
    assert config.sub_modules.vl_recognition.model_name.startswith("PaddleOCR-VL")


def layout(text: str) -> str:
    return f"SubModules: {{LayoutDetection: {{{text}}}}}"


def genai(text: str) -> str:
    return f"SubModules: {{VLRecognition: {{genai_config: {{{text}}}}}}}"


MUST = {
    "one": "must be a number from 0 to 1",
    "ratio": "must be a number above 0 or two of them, [width, height]",
    "mode": "must be one of: large, small, union",
}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (layout("threshold: 1.5"), f"SubModules.LayoutDetection.threshold: {MUST['one']}; got 1.5."),
        (layout("threshold: [0.5]"), f"SubModules.LayoutDetection.threshold: {MUST['one']}; got [0.5]."),
        (layout("threshold: true"), f"SubModules.LayoutDetection.threshold: {MUST['one']}; got True."),
        (layout("threshold: .nan"), f"SubModules.LayoutDetection.threshold: {MUST['one']}; got nan."),
        (layout("threshold: {5: '0.5'}"), f"SubModules.LayoutDetection.threshold.5: {MUST['one']}; got '0.5'."),
        (layout("threshold: {25: 0.5}"), "SubModules.LayoutDetection.threshold.25: is no layout class; they are "),
        (layout("threshold: {texts: 0.5}"), "SubModules.LayoutDetection.threshold.texts: is no layout class; "),
        (
            layout("threshold: {22: 0.5, text: 0.4}"),
            "SubModules.LayoutDetection.threshold.text: names the class text a second time",
        ),
        (layout("layout_unclip_ratio: 0"), f"SubModules.LayoutDetection.layout_unclip_ratio: {MUST['ratio']}; "),
        (
            layout("layout_unclip_ratio: {6: [1, 2, 3]}"),
            f"SubModules.LayoutDetection.layout_unclip_ratio.6: {MUST['ratio']}; got [1, 2, 3].",
        ),
        (
            layout("layout_merge_bboxes_mode: {0: huge}"),
            f"SubModules.LayoutDetection.layout_merge_bboxes_mode.0: {MUST['mode']}; got 'huge'.",
        ),
        (layout("layout_nms: 'yes'"), "SubModules.LayoutDetection.layout_nms: "),
        (layout("batch_size: 0"), "SubModules.LayoutDetection.batch_size: "),
        (layout("model_name: PP-DocLayout-L"), "SubModules.LayoutDetection.model_name: input should be 'PP-DocL"),
        (layout("treshold: 0.5"), "SubModules.LayoutDetection.treshold: unknown key; did you mean threshold?"),
        ("use_chart_recogniton: True", "use_chart_recogniton: unknown key; did you mean use_chart_recognition?"),
        ("Submodules: {}", "Submodules: unknown key; did you mean SubModules?"),
        ("something: 1", "something: unknown key."),
        ("SubModules: {LayoutDetection: 8}", "SubModules.LayoutDetection: must be a mapping; got 8."),
        ("pipeline_name: PP-StructureV3", "pipeline_name: input should be 'PaddleOCR-VL', "),
        ("markdown_ignore_labels: header", "markdown_ignore_labels: "),
        (genai("backend: vllm-server"), "SubModules.VLRecognition.genai_config.server_url: must name the server"),
        (genai("server_url: vlm:8080"), "SubModules.VLRecognition.genai_config.server_url: must start with http"),
        (genai("max_concurrency: many"), "SubModules.VLRecognition.genai_config.max_concurrency: "),
        (genai("backend: tensorrt"), "SubModules.VLRecognition.genai_config.backend: "),
        (
            genai("client_kwargs: {apikey: x}"),
            "SubModules.VLRecognition.genai_config.client_kwargs.apikey: unknown key; did you mean api_key?",
        ),
        ("Serving: {extra: {max_num_input_imgs: -1}}", "Serving.extra.max_num_input_imgs: "),
        ("a: [", "is no YAML: "),
        ("a: 1\na: 2", "is no YAML: the key 'a' stands twice"),
        ("SubModules:\n  LayoutDetection: {threshold: {5: 0.1, 5: 0.2}}", "is no YAML: the key 5 stands twice"),
        ("just words", "must be a mapping of keys to values."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_path(write, text, problem):
    (said,) = problems_of(write(text))
    assert said.startswith(problem)


def test_everything_that_is_wrong_is_said_at_once(write):
    said = problems_of(write(f"{layout('threshold: 3, layout_nms: 4')}\nuse_doc_preprocessor: 5\nnews: 6"))
    assert [each.split(":")[0] for each in said] == [
        "use_doc_preprocessor", "SubModules.LayoutDetection.threshold", "SubModules.LayoutDetection.layout_nms",
        "news",
    ]  # fmt: skip


def test_a_key_is_never_shown(write):
    (said,) = problems_of(write(genai("client_kwargs: {api_key: 12345}")))
    assert said.startswith("SubModules.VLRecognition.genai_config.client_kwargs.api_key: ")
    assert "12345" not in said


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    assert problems_of(tmp_path / "no such file") == ["cannot be read: No such file or directory."]
    assert problems_of(tmp_path) == ["cannot be read: Is a directory."]
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert problems_of(tmp_path / "binary")[0].startswith("is no YAML: ")


def test_keys_of_paddlex_that_do_nothing_here_are_named(write):
    assert find_unused_keys(write(VLLM)) == [
        "batch_size", "use_queues", "SubModules.LayoutDetection.module_name", "SubModules.VLRecognition.module_name",
        "SubModules.VLRecognition.model_dir", "SubModules.VLRecognition.batch_size",
        "SubPipelines.DocPreprocessor.pipeline_name",
        "SubPipelines.DocPreprocessor.SubModules.DocOrientationClassify.module_name",
        "SubPipelines.DocPreprocessor.SubModules.DocOrientationClassify.batch_size",
    ]  # fmt: skip
