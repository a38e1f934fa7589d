"""A table as OTSL, PaddleOCR-VL's notation: one token per place of the grid, `<nl>` after each row."""

import asyncio

from vlm_server.embedded.engine import Engine
from vlm_server.embedded.grids import Cell, Grid, find_grid
from vlm_server.embedded.images import pad_to_minimum
from vlm_server.embedded.lines import running_text
from vlm_server.embedded.models import Image


async def read_table(engine: Engine, image: Image) -> str:
    """OTSL of the table in `image`; "" when there is nothing in it."""
    grid = await engine.step(find_grid, image)
    if grid is None:
        return ""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_read_cell(engine, grid.image, cell)) for cell in grid.cells]
    return to_otsl(grid, [task.result() for task in tasks])


def to_otsl(grid: Grid, texts: list[str]) -> str:
    """Write the grid; `texts` are those of `grid.cells`."""
    tokens = [["<ecel>"] * grid.columns for _ in range(grid.rows)]
    for cell, text in zip(grid.cells, texts, strict=True):
        for down in range(cell.rows):
            for across in range(cell.columns):
                tokens[cell.row + down][cell.column + across] = _token(down, across, text)
    return "".join("".join(row) + "<nl>" for row in tokens)


async def _read_cell(engine: Engine, image: Image, cell: Cell) -> str:
    if cell.box is None:
        return ""
    left, top, right, bottom = cell.box
    crop = pad_to_minimum(image[top:bottom, left:right])
    return running_text(await engine.read(crop)).replace("\n", " ")


def _token(down: int, across: int, text: str) -> str:
    if down and across:
        return "<xcel>"
    if down:
        return "<ucel>"
    if across:
        return "<lcel>"
    return f"<fcel>{text}" if text else "<ecel>"
