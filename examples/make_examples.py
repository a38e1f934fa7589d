"""Makes the example documents and the list of what is truly on their pages.

Only for people who change the examples: the results are committed. It needs reportlab and Pillow and the
Debian packages fonts-liberation and fonts-noto-cjk:

    python examples/make_examples.py

It writes `examples/*.{pdf,png,jpg}` and `tests/data/examples/<name>.json`: for each page its size in pixels
as the pipeline sees it (a PDF at scale 2.0) and its regions in reading order, each with label, box, and text
or rows.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from source.pages import make_chinese, make_invoice, make_scan  # noqa: E402  (after the path is known)
from source.paper import make_paper  # noqa: E402

TRUTH = HERE.parent / "tests" / "data" / "examples"


def main() -> None:
    TRUTH.mkdir(parents=True, exist_ok=True)
    makers = {
        "paper.pdf": make_paper,
        "invoice.png": make_invoice,
        "chinese.png": make_chinese,
        "scan.jpg": make_scan,
    }
    for name, make in makers.items():
        pages = make(HERE / name)
        truth = json.dumps({"pages": pages}, ensure_ascii=False, indent=1)
        (TRUTH / f"{Path(name).stem}.json").write_text(truth + "\n", encoding="utf-8")
        regions = sum(len(page["regions"]) for page in pages)
        print(f"{name}: {len(pages)} page(s), {regions} regions, {(HERE / name).stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
