"""Pages as clients send them to be restructured, and what comes back."""

import base64
import io
import json

from PIL import Image

from docparse.restructuring import restructure_pages

PLAIN = "imgs/img_in_image_box_10_10_90_90.jpg"


def picture_file(colour="red", kind="JPEG", width=8, height=8, mode="RGB"):
    buffer = io.BytesIO()
    Image.new(mode, (width, height), colour).save(buffer, kind)
    return buffer.getvalue()


def picture(colour="red", kind="JPEG"):
    return base64.b64encode(picture_file(colour, kind)).decode()


def block(label="text", content="a text", bbox=(10, 10, 90, 90), **more):
    return {"block_label": label, "block_content": content, "block_bbox": list(bbox), **more}


def page(*blocks, images=None, **more):
    return {
        "prunedResult": {
            "width": 100, "height": 100, "page_count": None,
            "model_settings": {"use_doc_preprocessor": False, "use_layout_detection": True},
            "parsing_res_list": list(blocks), "layout_det_res": {"boxes": []}, **more,
        },
        "markdownImages": images,
    }  # fmt: skip


def restructured(*pages, **options):
    return json.loads(restructure_pages(pages, options))["layoutParsingResults"]
