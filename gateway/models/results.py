"""The answer of the model `restructure-pages`: a JSON header line, and for a result the finished JSON after it."""

import orjson

from gateway.models.events import BadEvent, ErrorEvent


def parse_result(message: bytes) -> bytes | ErrorEvent:
    """JSON of `result`, never re-parsed; or why there is none.

    Raises:
        BadEvent: it is not an answer.
    """
    line, _, body = message.partition(b"\n")
    try:
        header = orjson.loads(line)
        match header["type"]:
            case "result" if body:
                return body
            case "error":
                return ErrorEvent(code=str(header["code"]), message=str(header["message"]))
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise BadEvent(f"{type(error).__name__} in an answer's header") from error
    raise BadEvent("an answer of unknown type or without its body")
