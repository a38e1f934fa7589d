"""How the pipeline treats the classes of a region; the classes themselves are `layout.labels`."""

# Pictures: kept as image files, read only when the request asks for text inside pictures.
IMAGE_LABELS: tuple[str, ...] = ("image", "header_image", "footer_image")

# Left out of the Markdown unless the request says otherwise. Source: PaddleX's PaddleOCR-VL.yaml.
DEFAULT_IGNORED_LABELS: tuple[str, ...] = (
    "number",
    "footnote",
    "header",
    "header_image",
    "footer",
    "footer_image",
    "aside_text",
)

# What a page is called when layout detection is off: the whole page is one region of that label.
PROMPT_LABELS: tuple[str, ...] = ("ocr", "formula", "table", "chart", "seal", "spotting")
