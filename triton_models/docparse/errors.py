"""Everything that can go wrong with a document, a page or a region, with the code that clients get."""

from typing import ClassVar


class DocparseError(Exception):
    """A document that could not be parsed; ends its stream.

    The message is a sentence fit for a client.

    Attributes:
        code: name on the wire; the gateway turns it into an HTTP status, and knows which may succeed later.
    """

    code: ClassVar[str] = "internal"


class InvalidDocument(DocparseError):
    """The bytes are damaged, or not what the request says they are."""

    code = "invalid_document"


class EncryptedDocument(DocparseError):
    """A PDF that asks for a password."""

    code = "encrypted_document"


class EmptyDocument(DocparseError):
    """No bytes, or no pages."""

    code = "empty_document"


class UnsupportedDocument(DocparseError):
    """A kind of file that the pipeline does not read."""

    code = "unsupported_document"


class ImageTooLarge(DocparseError):
    """More pixels than HPS_MAX_PIXELS."""

    code = "image_too_large"


class TooManyPages(DocparseError):
    """More pages than HPS_MAX_PAGES."""

    code = "too_many_pages"


class InvalidOption(DocparseError):
    """An option has a wrong value, or asks for what the loaded models cannot do.

    The message names the option as clients know it, in camelCase.
    """

    code = "invalid_option"


class InvalidPages(DocparseError):
    """Pages to restructure that are not as they were answered; the message names the field."""

    code = "invalid_pages"


class VlmUnavailable(DocparseError):
    """No VLM server can be reached."""

    code = "vlm_unavailable"


class LayoutUnavailable(DocparseError):
    """The layout model cannot be reached."""

    code = "layout_unavailable"


class PreprocessingUnavailable(DocparseError):
    """The model that preprocesses pages cannot be reached."""

    code = "preprocessing_unavailable"


class DeadlineExceeded(DocparseError):
    """The request's clock ran out."""

    code = "deadline_exceeded"


class InternalError(DocparseError):
    """Our fault; the message says nothing of the inside."""

    code = "internal"


class PageFailure(Exception):
    """One page could not be rendered or laid out; the document's other pages go on.

    The message becomes a warning of the page, under `code`.
    """

    code: ClassVar[str] = "page_failed"


class RegionFailure(Exception):
    """One region could not be recognised; the page's other regions go on.

    The message becomes a warning of the page, under `code`.

    Attributes:
        retries: how often it was tried again before it was given up.
    """

    code: ClassVar[str] = "region_failed"

    def __init__(self, message: str, *, retries: int = 0) -> None:
        super().__init__(message)
        self.retries = retries
