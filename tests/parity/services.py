"""The two services: PaddleX's own application, and our gateway with our pipeline behind it; no models in either."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import orjson

from docparse.deadline import Deadline
from docparse.documents import RenderPool
from docparse.errors import DocparseError, RegionFailure
from docparse.layout.detector import LayoutBox, LayoutOptions
from docparse.pipeline import DocumentPipeline
from docparse.protocol import decode_request, decode_restructure_request, error_event, result_message
from docparse.recognition import Recognition
from docparse.regions import RegionRequest
from docparse.restructuring import restructure_pages
from docparse.scheduling import FairLimiter, Turn
from docparse.settings import Settings
from gateway.main import create_app
from gateway.settings import Settings as GatewaySettings
from tests.docparse.paddlex_oracle import (
    Reader,
    StubVlm,
    digest_of,
    layout_result,
    question,
    read,
    stub_pipeline,
)
from tests.docparse.paddlex_service import ask_paddlex_service
from tests.fakes.triton import FakeTriton, Received, ReceivedPages


class Models:
    """What both services take for their models: the same regions for a page, the same text for a crop."""

    def __init__(self, pages: list[list[LayoutBox]], reader: Reader = read) -> None:
        self.pages = pages
        self.reader = reader
        self.vlm = StubVlm(reader)
        self.asked: list[Any] = []
        self.paddlex_layout_options: dict[str, Any] = {}
        self.layout_options: LayoutOptions | None = None
        self.sampling: dict[str, Any] = {}
        self.limiter = FairLimiter(1)  # nobody waits in it
        self._numbers: dict[int, int] = {}

    class batch_sampler:  # noqa: N801  PaddleX looks for it on a layout model
        batch_size = 8

    def __call__(self, images: list[np.ndarray], **options: Any) -> Any:
        """As PaddleX's layout model; the pages come in their order and are known again by their pixels."""
        self.paddlex_layout_options = options
        for number, image in enumerate(images):
            assert self._numbers.setdefault(digest_of(image), number) == number, "two pages look the same"
            yield layout_result(image, self.pages[number], options["layout_shape_mode"])

    async def detect(self, image: np.ndarray, options: LayoutOptions) -> list[LayoutBox]:
        """As our layout model. A page that differs by one pixel from PaddleX's is not known."""
        self.layout_options = options
        return self.pages[0] if len(self.pages) == 1 else self.pages[self._numbers[digest_of(image)]]

    def encode(self, requests: list[RegionRequest]) -> list[RegionRequest]:
        """As our `Recognizer`; the reader wants to see pixels."""
        return list(requests)

    async def recognise(
        self,
        requests: list[RegionRequest],
        sampling: dict[str, Any],
        turn: Turn,
        deadline: Deadline,
        on_asked: Callable[[], None],
    ) -> dict[int, Recognition]:
        """As our `Recognizer`."""
        on_asked()
        self.sampling = dict(sampling)
        return {request.index: self._recognise(request) for request in requests}

    def _recognise(self, request: RegionRequest) -> Recognition:
        limits = request.min_pixels, request.max_pixels
        self.asked.append(question(request.prompt, request.image, limits, request.skip_special_tokens))
        try:
            return Recognition(self.reader(request.prompt, request.image), "stop")
        except RegionFailure as failure:
            return Recognition("", "error", failure=str(failure))


async def ask_paddlex(
    models: Models, body: Any, *, preprocessor: Any = None, **settings: Any
) -> httpx.Response:
    pipeline = stub_pipeline(models, models.vlm)
    if preprocessor is not None:
        pipeline.use_doc_preprocessor = True
        pipeline.doc_preprocessor_pipeline = preprocessor
    return await ask_paddlex_service("/layout-parsing", body, pipeline, **settings)


async def ask_ours(
    models: Any, body: Any, pool: RenderPool, *, stages: Mapping[str, Any] | None = None, **settings: Any
) -> httpx.Response:
    """`stages` are further parts of the pipeline, by their names."""
    async with our_service(models.detect, models, pool, stages=stages, **settings) as http:
        if isinstance(body, bytes):
            return await http.post("/layout-parsing", content=body)
        return await http.post("/layout-parsing", json=body)


@asynccontextmanager
async def our_service(
    detect: Any,
    recognizer: Any,
    pool: RenderPool,
    *,
    stages: Mapping[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[httpx.AsyncClient]:
    """Our gateway, and over gRPC our pipeline where Triton runs it."""
    pipeline = DocumentPipeline(Settings(**settings), pool, detect, recognizer, **(stages or {}))
    triton = FakeTriton()
    put_behind(triton, pipeline)
    await triton.start()
    app = create_app(GatewaySettings(triton_url=triton.url))
    try:
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://ours", timeout=60) as client:
                yield client
    finally:
        await triton.stop()


def put_behind(triton: FakeTriton, pipeline: DocumentPipeline) -> None:
    """Have our pipeline, and our restructuring, answer where the scripts of tests do."""

    async def restructure(received: ReceivedPages) -> bytes:
        """As `triton_adapter.restructuring` answers."""
        try:
            asked = decode_restructure_request(orjson.dumps(received.header) + b"\n" + received.body)
            return result_message(await asyncio.to_thread(restructure_pages, asked.pages, asked.options))
        except DocparseError as error:
            return error_event(error)

    triton.script = lambda received: _events(pipeline, received)
    triton.restructure_script = restructure


async def _events(pipeline: DocumentPipeline, received: Received) -> AsyncIterator[bytes]:
    """As `triton_adapter.parsing` sends them."""
    events: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def parse() -> None:
        try:
            request = decode_request(orjson.dumps(received.options))
            await pipeline.parse(received.document, request, events.put_nowait)
        except DocparseError as error:
            events.put_nowait(error_event(error))
        finally:
            events.put_nowait(None)

    work = asyncio.create_task(parse())
    while (event := await events.get()) is not None:
        yield event
    await work
