"""make.py FOLDER < scripts.json: write a PaddleOCR-VL checkpoint that "reads" exactly what the scripts say.

`{"OCR:": {"white": "some text", "*": {"loop": "no end, "}}, "*": {"*": "to any other prompt"}}`: a text for each prompt
and dominant colour of the picture. Runs where torch and transformers are, in a few seconds; 30 MB.
"""

import json
import sys
from pathlib import Path

from tokens import Script, build_tokenizer, build_vocabulary
from weights import build_model

# The image processor's settings are the published weights' own.
_PREPROCESSOR = {
    "image_processor_type": "PaddleOCRVLImageProcessor",
    "processor_class": "PaddleOCRVLProcessor",
    "do_convert_rgb": True, "do_normalize": True, "do_rescale": True, "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "rescale_factor": 1 / 255, "resample": 3,
    "patch_size": 14, "temporal_patch_size": 1, "merge_size": 2,
    "size": {"shortest_edge": 147_384, "longest_edge": 2_822_400},
}  # fmt: skip


def main() -> None:
    folder = Path(sys.argv[1])
    vocabulary = build_vocabulary(Script.read_all(json.load(sys.stdin)))
    tokenizer = build_tokenizer(vocabulary)
    build_model(vocabulary, tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(_PREPROCESSOR))
    (folder / "processor_config.json").unlink(missing_ok=True)
    (folder / "generation_config.json").write_text(
        '{"eos_token_id": 2, "bos_token_id": 1, "pad_token_id": 0}'
    )
    (folder / "inference.yml").write_text("Global:\n  model_name: PaddleOCR-VL-0.9B\n")


if __name__ == "__main__":
    main()
