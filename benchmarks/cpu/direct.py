"""RapidOCR and RapidLayout in one process: paths come in a line each, the seconds for each page go out.

What a person would write who has the two packages and no service. Run in a process of its own.
"""

import logging
import sys
import time

import cv2
from rapid_layout import RapidLayout
from rapidocr import RapidOCR

# The settings that read the example pages fastest without losing characters; the embedded engine's too.
_SETTINGS = {
    "Det.limit_type": "max",
    "Det.limit_side_len": 1280,
    "Global.max_side_len": 4000,
    "Rec.rec_batch_num": 1,
    "Global.use_cls": False,
    "Global.log_level": "critical",
}


def main(threads: int) -> None:
    """Answer paths until the input ends."""
    logging.disable(logging.WARNING)
    cv2.setNumThreads(threads)
    read = RapidOCR(params={**_SETTINGS, "EngineConfig.onnxruntime.intra_op_num_threads": threads})
    lay_out = RapidLayout(
        model_type="pp_layout_cdla", engine_cfg={"intra_op_num_threads": threads, "inter_op_num_threads": 1}
    )
    for line in sys.stdin:
        page = cv2.imread(line.strip())
        started = time.perf_counter()
        lay_out(page)
        read(page)
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
