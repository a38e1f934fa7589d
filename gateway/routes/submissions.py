"""Reading the request's body, JSON or form, once."""

import codecs
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic_core import from_json
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from gateway.errors import ClientGone, CompressedBody, InvalidRequest, MalformedRequest, UnsupportedMediaType
from gateway.models.records import RequestRecord
from gateway.models.requests import LONGEST_LOG_ID, LayoutParsingOptions, validate_options, validate_request
from gateway.models.restructuring import validate_restructuring

T = TypeVar("T")

_OPTION_FIELDS = frozenset(field.alias for field in LayoutParsingOptions.model_fields.values())
# Fields that stay text in a form; all others are read as JSON where they are JSON.
_TEXT_FIELDS = frozenset({"file", "logId", "pageRanges", "promptLabel", "layoutShapeMode"})
_LIST_FIELDS = frozenset({"markdownIgnoreLabels", "outputFormats"})
# Forms write a list by repeating its field; of these [width, height].
_PAIR_FIELDS = frozenset({"layoutUnclipRatio"})
# In which a form's fields may be, as Python names them. Others would make text that is none, such as half a character.
_CHARSETS = frozenset({"utf-8", "ascii", "iso8859-1"})
_COMPRESSIONS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"})
# There are some forty options; a form with more is no form for us.
MOST_FORM_FIELDS = 200


@dataclass(slots=True)
class Submission:
    """A checked request. `parse` is for the model; `file` is taken once, so that its text does not outlive decoding."""

    parse: Mapping[str, Any]
    file_type: int | None
    file: str | bytes | None

    def take_file(self) -> str | bytes:
        """Return `file` and forget it."""
        file, self.file = self.file, None
        assert file is not None  # noqa: S101 - taken once
        return file


@dataclass(frozen=True, slots=True)
class RestructuringSubmission:
    """A request to restructure pages, checked. `body` is what the client sent: the model reads the pages in it."""

    options: Mapping[str, Any]
    pages: int
    body: bytes


async def read_submission(request: Request, record: RequestRecord, *, max_bytes: int) -> Submission:
    """Read and check the body, by its Content-Type.

    The record gets the request's `logId`, even that of a bad request.

    Raises:
        UnsupportedMediaType, MalformedRequest, InvalidRequest, PayloadTooLarge: as they say.
        ClientGone: it hung up before the end of its body.
    """
    media_type = _media_type(request)
    try:
        if _is_json(media_type):
            return _from_json(await _read_body(request), record)
        if media_type == "multipart/form-data":
            form = await _read_form(request, max_bytes)
            try:
                return _from_form(form, record)
            finally:
                await form.close()
    except ClientDisconnect as error:
        raise ClientGone("The client hung up before the end of its request.") from error
    raise _unsupported(media_type, "application/json or multipart/form-data")


async def read_restructuring(request: Request, record: RequestRecord) -> RestructuringSubmission:
    """Read and check a body of pages to restructure.

    The record gets the request's `logId`, even that of a bad request.

    Raises:
        UnsupportedMediaType, MalformedRequest, InvalidRequest, PayloadTooLarge: as they say.
        ClientGone: it hung up before the end of its body.
    """
    media_type = _media_type(request)
    if not _is_json(media_type):
        raise _unsupported(media_type, "application/json")
    try:
        body = await _read_body(request)
    except ClientDisconnect as error:
        raise ClientGone("The client hung up before the end of its request.") from error
    asked = validate_restructuring(_parse_json(body, record, field="pages"))
    return RestructuringSubmission(asked.to_wire(), len(asked.pages), body)


def _media_type(request: Request) -> str:
    # Some clients write a charset there.
    codings = ",".join(request.headers.getlist("content-encoding")).lower().split(",")
    if _COMPRESSIONS.intersection(coding.strip() for coding in codings):
        raise CompressedBody("The body must not be compressed; send it without Content-Encoding.")
    return request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def _unsupported(media_type: str, served: str) -> UnsupportedMediaType:
    shown = "another" if len(media_type) > 100 or not media_type.isprintable() else media_type
    return UnsupportedMediaType(f"Content-Type must be {served}; this request's is {shown}.")


async def _read_body(request: Request) -> bytes:
    chunks = [chunk async for chunk in request.stream()]
    return _as_utf8(b"".join(chunks))


def _as_utf8(body: bytes) -> bytes:
    """JSON in UTF-8 as it is; in the other forms that Python's `json` takes, as PaddleOCR's own service does, in UTF-8.

    Windows' editors and shells put a mark before UTF-8, or write UTF-16.
    """
    encoding = json.detect_encoding(body)
    if encoding == "utf-8":
        return body
    try:
        return body.decode(encoding).encode()
    except UnicodeError:
        raise MalformedRequest(
            f"The body is not text in {encoding.upper()}, as its first bytes say."
        ) from None


def _parse_json(body: bytes, record: RequestRecord, *, field: str) -> object:
    if not body:
        raise MalformedRequest(f"The body is empty; send a JSON object with the field `{field}`.")
    try:
        # The parser of pydantic builds Python objects straight from the bytes, without a copy between.
        data = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedRequest(f"The body is not valid JSON: {error}.") from None
    if isinstance(data, dict):
        _note_log_id(record, data)
    return data


def _from_json(body: bytes, record: RequestRecord) -> Submission:
    data = _parse_json(body, record, field="file")
    del body  # the text of `file` is in `data` now
    request = validate_request(data)
    return Submission(request.to_parse_wire(), request.file_type, request.file)


class _InMemoryFormParser(MultiPartParser):
    """Starlette's parser without files on disk: the body limit bounds memory, disks may be read-only."""

    spool_max_size = 2**62


def _check_charset(content_type: str) -> None:
    _, parameters = parse_options_header(content_type)
    try:
        known = codecs.lookup(parameters.get(b"charset", b"utf-8").decode("ascii")).name in _CHARSETS
    except (LookupError, ValueError):
        known = False
    if not known:
        raise MalformedRequest(
            "The form's charset, in its Content-Type, must be UTF-8, US-ASCII or ISO-8859-1."
        )


async def _read_form(request: Request, max_bytes: int) -> FormData:
    _check_charset(request.headers["content-type"])
    try:
        return await _InMemoryFormParser(
            request.headers,
            request.stream(),
            max_files=1,
            max_fields=MOST_FORM_FIELDS,
            max_part_size=max_bytes,
        ).parse()
    except MultiPartException as error:
        raise MalformedRequest(f"The form cannot be read: {error.message.rstrip('.')}.") from None


def _from_form(form: FormData, record: RequestRecord) -> Submission:
    file = _only(form.getlist("file"), "file") if "file" in form else None
    data = {name: _form_value(name, form.getlist(name)) for name in form if name in _OPTION_FIELDS}
    data = {name: value for name, value in data.items() if value != ""}
    _note_log_id(record, data)
    options = validate_options(data)
    if file is None:
        raise InvalidRequest("`file` is required.")
    # An upload is in memory, so nothing waits for a disk here.
    content = file.file.read() if isinstance(file, UploadFile) else file
    return Submission(options.to_parse_wire(), options.file_type, content)


def _form_value(name: str, values: list[UploadFile | str]) -> Any:
    """Value of a form field: JSON where it is JSON, else its text. Lists also by repeating or commas."""
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) != len(values):
        raise InvalidRequest(f"`{name}` must be a plain form field; the document goes into `file`.")
    if name in _LIST_FIELDS and not (len(texts) == 1 and texts[0].lstrip().startswith(("[", "null"))):
        parts = [part.strip() for text in texts for part in text.split(",")]
        return [part for part in parts if part] or ""
    if name in _PAIR_FIELDS and len(texts) == 2:
        return [_json_or_text(text) for text in texts]
    text = _only(texts, name)
    if name in _TEXT_FIELDS:
        # A form has no null; this is how browsers and many libraries write it.
        return None if text == "null" and name != "logId" else text
    return _json_or_text(text)


def _json_or_text(text: str) -> Any:
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        return text


def _only(values: list[T], name: str) -> T:
    if len(values) != 1:
        raise InvalidRequest(f"`{name}` is given {len(values)} times.")
    return values[0]


def _note_log_id(record: RequestRecord, data: Mapping[str, Any]) -> None:
    log_id = data.get("logId")
    if isinstance(log_id, str) and 0 < len(log_id) <= LONGEST_LOG_ID:
        record.log_id = log_id
