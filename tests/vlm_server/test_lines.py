import numpy as np

from vlm_server.embedded.lines import Line, arrange, running_text


def line(text, left, top, width, height=20):
    right, bottom = left + width, top + height
    quad = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return Line(text, 1.0, quad)


def paragraph(*texts, left=0, width=300):
    return [line(text, left, 30 * index, width) for index, text in enumerate(texts)]


def test_nothing_is_empty_text():
    assert running_text([]) == ""


def test_a_hyphenated_word_is_put_together():
    assert (
        running_text(paragraph("the water tempera-", "ture in the pond"))
        == "the water temperature in the pond"
    )


def test_a_hyphen_before_a_capital_or_a_digit_stays():
    assert (
        running_text(paragraph("a journey to Baden-", "Baden in March"))
        == "a journey to Baden- Baden in March"
    )


def test_chinese_lines_join_without_a_space():
    assert running_text(paragraph("本季度共借出", "图书一万册")) == "本季度共借出图书一万册"


def test_lines_are_ordered_whatever_order_they_come_in():
    lines = paragraph("one and one", "two and two", "three three")
    assert running_text(lines[::-1]) == "one and one two and two three three"


def test_pieces_of_a_row_go_from_left_to_right():
    row = [line("right", 200, 2, 80), line("left", 0, 0, 80)]
    assert running_text(row) == "left right"


def test_columns_of_text_are_read_one_after_the_other():
    title = line("title over both columns", 100, 0, 460)
    left = [line(f"left {index}", 0, 60 + 30 * index, 300) for index in range(5)]
    right = [line(f"right {index}", 340, 64 + 30 * index, 300) for index in range(5)]
    order = [piece.text for row in arrange([*right, title, *left]) for piece in row]
    assert order == [title.text, *(x.text for x in left), *(x.text for x in right)]


def test_labels_and_values_stay_in_rows():
    labels = [line(f"label {index}", 0, 30 * index, 80) for index in range(5)]
    values = [line(f"value {index}", 300, 30 * index, 80) for index in range(5)]
    assert [len(row) for row in arrange([*labels, *values])] == [2] * 5
