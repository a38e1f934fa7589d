"""Parsed pages as clients send them back."""

PATH = "/restructure-pages"


def page(**more):
    pruned = {"width": 100, "height": 50, "model_settings": {}, "parsing_res_list": [block()]}
    return {"prunedResult": {**pruned, **more}}


def block(**more):
    return {"block_label": "text", "block_content": "a", "block_bbox": [0, 0, 9.5, 9], **more}


GOOD = {"pages": [page(), page()]}


async def restructure(gateway, body=None, **more):
    return await gateway.http.post(PATH, json=GOOD if body is None else body, **more)
