"""Request bodies as clients of both services send them."""

from dataclasses import dataclass

import orjson
import pybase64


@dataclass(frozen=True, slots=True)
class Job:
    """One document as a JSON body; `pages` says how many an answer has."""

    body: bytes
    pages: int


def make_job(document: bytes, pages: int, *, is_pdf: bool, log_id: str | None = None) -> Job:
    """The fields that both services know. Pictures of the page are left out of the answer: drawing and encoding them
    costs the host alone, and as much on either side."""
    fields = {
        "file": pybase64.b64encode_as_string(document),
        "fileType": 0 if is_pdf else 1,
        "visualize": False,
    }
    if log_id is not None:
        fields["logId"] = log_id
    return Job(orjson.dumps(fields), pages)
