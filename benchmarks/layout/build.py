"""Writes PP-DocLayoutV2 of its real size, with random weights, as PaddleX's ONNX models are: `build.py FOLDER`.

Run by `make bench-layout-model` in an environment of its own, with torch and transformers. What it finds means nothing,
but it takes the time that the real one takes: the same operations on numbers of the same shapes.
"""

import sys
from pathlib import Path

import torch
import yaml
from transformers import PPDocLayoutV2Config, PPDocLayoutV2ForObjectDetection

LABELS = (
    "abstract", "algorithm", "aside_text", "chart", "content", "display_formula", "doc_title", "figure_title",
    "footer", "footer_image", "footnote", "formula_number", "header", "header_image", "image", "inline_formula",
    "number", "paragraph_title", "reference", "reference_content", "seal", "table", "text", "vertical_text",
    "vision_footnote",
)  # fmt: skip
INPUT = 800


def take_along_dim(values: torch.Tensor, index: torch.Tensor, dim: int) -> torch.Tensor:
    """As torch's own, which cannot be exported."""
    shape = [values.shape[d] if d != dim else index.shape[d] for d in range(values.dim())]
    return torch.gather(values, dim, index.expand(*shape))


class WithPaddlexInterface(torch.nn.Module):
    """The network, and behind it what PaddleX's export has: boxes in page pixels and their places in the order."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, im_shape: torch.Tensor, image: torch.Tensor, scale_factor: torch.Tensor) -> tuple:
        found = self.network(pixel_values=image)
        before = torch.sigmoid(found.order_logits)
        votes = torch.triu(before, 1).sum(1) + torch.tril(1 - before.transpose(1, 2), -1).sum(1)
        places = torch.argsort(torch.argsort(votes, dim=1), dim=1)
        centre, size = found.pred_boxes[..., :2], found.pred_boxes[..., 2:]
        corners = torch.cat([centre - size / 2, centre + size / 2], -1)
        page = torch.floor(im_shape / scale_factor + 0.5).flip(1)
        corners = corners * torch.cat([page, page], 1).unsqueeze(1)
        queries, classes = found.logits.shape[1:]
        scores, best = torch.topk(torch.sigmoid(found.logits).flatten(1), queries, dim=-1)
        query = torch.div(best, classes, rounding_mode="floor")
        columns = [
            (best % classes).unsqueeze(-1).float(), scores.unsqueeze(-1),
            corners.gather(1, query.unsqueeze(-1).expand(-1, -1, 4)), places.gather(1, query).unsqueeze(-1).float(),
            votes.gather(1, query).unsqueeze(-1),
        ]  # fmt: skip
        counts = torch.full((image.shape[0],), queries, dtype=torch.int32)
        return torch.cat(columns, -1).reshape(-1, 8), counts


def build() -> torch.nn.Module:
    """The architecture as transformers defines it by default; only the classes are ours."""
    torch.manual_seed(0)
    config = PPDocLayoutV2Config(
        num_labels=len(LABELS),
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
        class_thresholds=[0.5] * len(LABELS),
        class_order=[
            number % 16 for number in range(len(LABELS))
        ],  # as many kinds as the real one tells apart
        attn_implementation="eager",
    )
    return PPDocLayoutV2ForObjectDetection(config).eval()


def main(folder: Path) -> None:
    """Write inference.onnx and inference.yml."""
    torch.take_along_dim = torch.Tensor.take_along_dim = take_along_dim
    network = build()
    folder.mkdir(parents=True, exist_ok=True)
    batch = 2
    inputs = torch.full((batch, 2), float(INPUT)), torch.rand(batch, 3, INPUT, INPUT), torch.ones(batch, 2)
    names = ["im_shape", "image", "scale_factor"]
    with torch.no_grad():
        torch.onnx.export(
            WithPaddlexInterface(network),
            inputs,
            str(folder / "inference.onnx"),
            dynamo=False,
            opset_version=17,
            input_names=names,
            output_names=["boxes", "bbox_num"],
            dynamic_axes={**{name: {0: "B"} for name in names}, "boxes": {0: "N"}, "bbox_num": {0: "B"}},
        )
    config = {
        "mode": "paddle", "draw_threshold": 0.5, "arch": "DETR",
        "Preprocess": [
            {"type": "Resize", "target_size": [INPUT, INPUT], "keep_ratio": False, "interp": 2},
            {"type": "NormalizeImage", "mean": [0.0] * 3, "std": [1.0] * 3, "norm_type": "none"},
            {"type": "Permute"},
        ],
        "label_list": list(LABELS),
        "Global": {"model_name": "PP-DocLayoutV2"},
    }  # fmt: skip
    (folder / "inference.yml").write_text(yaml.safe_dump(config, sort_keys=False))
    parameters = sum(each.numel() for each in network.parameters())
    size = (folder / "inference.onnx").stat().st_size
    print(f"{folder}: {parameters / 1e6:.1f} million parameters, {size / 1e6:.0f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
