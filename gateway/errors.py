"""Every way a request can fail, each with its own code, HTTP status and retry advice.

No framework is imported here. A message is a sentence fit for a client: it names the public field
and never carries document content, a URL's query or anything from inside the service.
"""

from typing import ClassVar


class GatewayError(Exception):
    """Base of all failures that are answered to a client."""

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_seconds = retry_after_seconds


class InternalError(GatewayError):
    """A defect on our side; the message says nothing of its inside."""

    def __init__(self, message: str = "Internal error; the log holds the details under this logId.") -> None:
        super().__init__(message)


class MalformedRequest(GatewayError):
    """The body cannot be read at all: not JSON, not a form, cut short."""

    code = "malformed_request"
    http_status = 400


class HeadTooLarge(GatewayError):
    """The request's first line and headers have more bytes than the limit."""

    code = "head_too_large"
    http_status = 431


class RequestTimeout(GatewayError):
    """The client did not send its request in time. Its connection cannot be used again."""

    code = "request_timeout"
    http_status = 408


class UnsupportedMediaType(GatewayError):
    """The body is in a format that this route does not read."""

    code = "unsupported_media_type"
    http_status = 415


class CompressedBody(UnsupportedMediaType):
    """The body is compressed."""

    accepted: ClassVar[str] = "identity"


class OriginRefused(GatewayError):
    """A browser asks whether a web page may send a request; it may not."""

    code = "origin_refused"
    http_status = 403


class MissingApiKey(GatewayError):
    """Keys are set, and the request shows none. HTTP wants to hear in which form: `challenge`."""

    code = "missing_api_key"
    http_status = 401
    challenge: ClassVar[str] = 'Bearer realm="PaddleOCR-VL"'


class UnknownApiKey(GatewayError):
    """The key is nobody's."""

    code = "unknown_api_key"
    http_status = 403


class InvalidLink(GatewayError):
    """The link to an image was not made by this service."""

    code = "invalid_link"
    http_status = 403


class LinkExpired(GatewayError):
    """The link to an image was good once."""

    code = "link_expired"
    http_status = 403


class ImageGone(GatewayError):
    """No image lies behind the link."""

    code = "image_gone"
    http_status = 404


class InvalidRequest(GatewayError):
    """A field is missing, has the wrong type or is out of bounds."""

    code = "invalid_request"
    http_status = 422


class InvalidOption(InvalidRequest):
    """The loaded models cannot serve this option or combination."""

    code = "invalid_option"


class InvalidPages(InvalidRequest):
    """The pages to restructure are not as they were answered."""

    code = "invalid_pages"


class InvalidDocument(GatewayError):
    """The bytes of `file` are not a document that can be read."""

    code = "invalid_document"
    http_status = 422


class EncryptedDocument(InvalidDocument):
    """The PDF needs a password."""

    code = "encrypted_document"


class EmptyDocument(InvalidDocument):
    """No bytes, or no pages."""

    code = "empty_document"


class UnsupportedDocument(InvalidDocument):
    """The bytes are of a kind that is not served."""

    code = "unsupported_document"


class ImageTooLarge(InvalidDocument):
    """More pixels than the limit."""

    code = "image_too_large"


class UrlRefused(InvalidDocument):
    """The URL leads somewhere that this service does not go."""

    code = "url_refused"


class UrlFailed(InvalidDocument):
    """The URL could not be fetched."""

    code = "url_failed"


class PayloadTooLarge(GatewayError):
    """The body or the document has more bytes than the limit."""

    code = "payload_too_large"
    http_status = 413


class TooManyPages(GatewayError):
    """The document has more pages than one request may ask for."""

    code = "too_many_pages"
    http_status = 413


class TooBusy(GatewayError):
    """All places, running and waiting, are taken."""

    code = "too_busy"
    http_status = 429


class ShuttingDown(GatewayError):
    """This gateway is stopping and takes or keeps no more work."""

    code = "shutting_down"
    http_status = 503


class TritonUnavailable(GatewayError):
    """Triton does not answer, went away, or lacks the model."""

    code = "triton_unavailable"
    http_status = 503


class LayoutUnavailable(GatewayError):
    """The layout model does not answer."""

    code = "layout_unavailable"
    http_status = 503


class PreprocessingUnavailable(GatewayError):
    """The model that preprocesses pages does not answer."""

    code = "preprocessing_unavailable"
    http_status = 503


class VlmUnavailable(GatewayError):
    """No VLM server answers."""

    code = "vlm_unavailable"
    http_status = 503


class NotReady(GatewayError):
    """Some part of the service is missing; the message names it."""

    code = "not_ready"
    http_status = 503


class ReaderTooSlow(GatewayError):
    """The client does not take its answer, and there is no room to keep the rest of it."""

    code = "reader_too_slow"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("The answer is read too slowly, and the service has no room to keep the rest of it.")


class DeadlineExceeded(GatewayError):
    """The request's clock ran out, in the queue or during inference."""

    code = "deadline_exceeded"
    http_status = 504


class ClientGone(GatewayError):
    """The client hung up; nobody reads this answer. 499 is nginx's number for it, used in logs only."""

    code = "client_gone"
    http_status = 499
