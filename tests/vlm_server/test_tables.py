import pytest

from tests.vlm_server.asking import bgr
from tests.vlm_server.drawing import TableDrawing, blank
from vlm_server.embedded.tables import read_table

ROWS = [
    ["Pos", "Article", "Qty", "Price"],
    ["1", "Hex bolt", "250", "45.00"],
    ["2", "Steel hose, 2 m", "", "78.20"],
    ["3", "Safety switch", "4", "1,180.00"],
]
XS = [10, 90, 360, 470, 620]


def heights(count, step=50):
    return [12 + step * index for index in range(count + 1)]


def otsl(rows):
    return "".join("".join(f"<fcel>{cell}" if cell else "<ecel>" for cell in row) + "<nl>" for row in rows)


async def test_a_ruled_table_over_http(read):
    table = TableDrawing(XS, heights(4))
    table.rule_all()
    table.write_all(ROWS)
    assert await read(table.picture, "Table Recognition:") == otsl(ROWS)


async def test_a_three_line_table(engine):
    table = TableDrawing(XS, heights(4))
    for row in (0, 1, 4):
        table.across(row)
    table.write_all(ROWS)
    assert await read_table(engine, bgr(table.picture)) == otsl(ROWS)


async def test_a_table_without_any_rule(engine):
    table = TableDrawing(XS, heights(4))
    table.write_all(ROWS)
    assert await read_table(engine, bgr(table.picture)) == otsl(ROWS)


async def test_rules_between_rows_only(engine):
    table = TableDrawing(XS, heights(4))
    for row in range(5):
        table.across(row)
    table.write_all(ROWS)
    assert await read_table(engine, bgr(table.picture)) == otsl(ROWS)


async def test_inner_rules_without_a_frame(engine):
    table = TableDrawing(XS, heights(4))
    for row in (1, 2, 3):
        table.across(row)
    for column in (1, 2, 3):
        table.down(column)
    table.write_all(ROWS)
    assert await read_table(engine, bgr(table.picture)) == otsl(ROWS)


async def test_rules_down_and_one_below_the_head(engine):
    table = TableDrawing(XS, heights(4))
    for row in (0, 1, 4):
        table.across(row)
    for column in range(5):
        table.down(column)
    rows = [[cell or "0" for cell in row] for row in ROWS]
    table.write_all(rows)
    assert await read_table(engine, bgr(table.picture)) == otsl(rows)


async def test_spans_across_and_down_in_a_ruled_table(engine):
    table = TableDrawing([10, 160, 310, 460], heights(3))
    table.across(0)
    table.across(3)
    table.across(1, 1, 3)
    table.across(2)
    table.down(0)
    table.down(3)
    table.down(1)
    table.down(2, 1, 3)
    table.write(0, 0, "Month", dy=25)
    table.write(0, 1, "Litres lost")
    table.write_all([[], ["", "Pond A", "Pond B"], ["June", "40", "35"]])
    assert await read_table(engine, bgr(table.picture)) == (
        "<fcel>Month<fcel>Litres lost<lcel><nl>"
        "<ucel><fcel>Pond A<fcel>Pond B<nl>"
        "<fcel>June<fcel>40<fcel>35<nl>"
    )


async def test_a_block_span(engine):
    table = TableDrawing([10, 130, 250, 370], heights(3))
    table.rule_all()
    draw = table._draw
    draw.rectangle((134, 66, 366, 158), fill="white")
    table.write_all([["Ab", "Bd", "Eh"], ["Ma", "", ""], ["Na", "", ""]])
    table.write(1, 1, "Closed", dy=25)
    assert await read_table(engine, bgr(table.picture)) == (
        "<fcel>Ab<fcel>Bd<fcel>Eh<nl><fcel>Ma<fcel>Closed<lcel><nl><fcel>Na<ucel><xcel><nl>"
    )


async def test_a_heading_over_two_columns_of_a_three_line_table(engine):
    table = TableDrawing([10, 160, 310, 460], heights(4))
    table.across(0)
    table.across(1, 1, 3)
    table.across(2)
    table.across(4)
    table.write(0, 1, "Litres lost in week")
    table.write_all([[], ["Month", "One", "Two"], ["June", "40", "35"], ["July", "52", "47"]])
    assert await read_table(engine, bgr(table.picture)) == (
        "<ecel><fcel>Litres lost in week<lcel><nl><fcel>Month<fcel>One<fcel>Two<nl>"
        "<fcel>June<fcel>40<fcel>35<nl><fcel>July<fcel>52<fcel>47<nl>"
    )


async def test_a_dark_head_with_light_text(engine):
    table = TableDrawing(XS, heights(4))
    table.rule_all()
    table.fill(0, (20, 40, 90))
    for column, text in enumerate(ROWS[0]):
        table.write(0, column, text, colour="white")
    table.write_all([[], *ROWS[1:]])
    assert await read_table(engine, bgr(table.picture)) == otsl(ROWS)


async def test_a_shaded_row(engine):
    table = TableDrawing(XS, heights(4))
    table.fill(2, (215, 225, 235))
    table.rule_all()
    table.write_all(ROWS)
    assert await read_table(engine, bgr(table.picture)) == otsl(ROWS)


async def test_a_cell_of_two_lines_is_one_cell(engine):
    table = TableDrawing([10, 110, 420, 560], [12, 62, 150, 200])
    table.rule_all()
    table.write_all([["Pos", "Article", "Price"], [], ["2", "Hose", "78.20"]])
    table.write(1, 0, "1")
    table.write(1, 1, "Hex bolt M8, zinc", dy=-17)
    table.write(1, 1, "plated, in boxes", dy=17)
    table.write(1, 2, "45.00")
    assert await read_table(engine, bgr(table.picture)) == otsl(
        [
            ["Pos", "Article", "Price"],
            ["1", "Hex bolt M8, zinc plated, in boxes", "45.00"],
            ["2", "Hose", "78.20"],
        ]
    )


@pytest.mark.parametrize("angle", [-1.3, 0.8])
async def test_a_leaning_ruled_table(engine, angle):
    table = TableDrawing(XS, heights(4), margin=40)
    table.rule_all()
    table.write_all(ROWS)
    picture = table.picture.rotate(angle, resample=3, expand=True, fillcolor="white")
    assert await read_table(engine, bgr(picture)) == otsl(ROWS)


async def test_an_empty_frame_and_a_blank_picture_have_no_cells(engine):
    table = TableDrawing([10, 300], [12, 120])
    table.rule_all()
    assert await read_table(engine, bgr(table.picture)) == ""
    assert await read_table(engine, bgr(blank(200, 100))) == ""
