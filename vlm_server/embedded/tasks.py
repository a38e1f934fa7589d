"""PaddleOCR-VL's prompts, and what this engine can say to each."""

from collections.abc import Awaitable, Callable

from vlm_server.embedded.engine import Engine
from vlm_server.embedded.errors import BadRequestError
from vlm_server.embedded.formulas import to_latex
from vlm_server.embedded.lines import arrange, join_row, running_text
from vlm_server.embedded.models import Image
from vlm_server.embedded.tables import read_table

Task = Callable[[Engine, Image], Awaitable[str]]
_LOCATIONS = 1000  # PaddleOCR-VL's locations are thousandths of the picture's sides


async def read_text(engine: Engine, image: Image) -> str:
    """Running text; see `lines.running_text`."""
    return running_text(await engine.read(image))


async def read_formula(engine: Engine, image: Image) -> str:
    r"""The characters of the formula between `\[` and `\]`: no fractions, no scripts, no structure."""
    text = " ".join(join_row(row) for row in arrange(await engine.read(image)))
    return rf"\[ {to_latex(text)} \]" if text else ""


async def read_chart(engine: Engine, image: Image) -> str:
    """The texts printed on the chart, row by row, `|` between: no values are guessed from the drawing."""
    rows = arrange(await engine.read(image))
    return "\n".join(" | ".join(line.text.strip().replace("|", "/") for line in row) for row in rows)


async def read_seal(engine: Engine, image: Image) -> str:
    """The seal's straight lines; what is written along a curve comes as far as the detector follows it."""
    return "\n".join(join_row(row) for row in arrange(await engine.read(image)))


async def spot_text(engine: Engine, image: Image) -> str:
    """Each line with its four corners, clockwise from the top left, as `<|LOC_n|>` tokens."""
    height, width = image.shape[:2]
    spots = []
    for row in arrange(await engine.read(image)):
        for line in row:
            corners = line.quad / (width, height) * _LOCATIONS
            numbers = corners.round().clip(0, _LOCATIONS).astype(int).ravel()
            spots.append(line.text.strip() + "".join(f"<|LOC_{number}|>" for number in numbers))
    return "\n".join(spots)


TASKS: dict[str, Task] = {
    "OCR:": read_text,
    "Table Recognition:": read_table,
    "Formula Recognition:": read_formula,
    "Chart Recognition:": read_chart,
    "Seal Recognition:": read_seal,
    "Spotting:": spot_text,
}


def find_task(prompt: str) -> Task:
    """The task that `prompt` begins with.

    Raises:
        BadRequestError: none. Guessing would hide a misspelt prompt behind a plausible answer.
    """
    for beginning, task in TASKS.items():
        if prompt.startswith(beginning):
            return task
    known = ", ".join(f"'{beginning}'" for beginning in TASKS)
    raise BadRequestError(f"The prompt must begin with one of {known}.", param="messages")
