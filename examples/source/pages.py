"""The three pictures: an invoice, a Chinese report page, and minutes that look scanned."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter
from source.pages_text import (
    CHINESE_CAPTION,
    CHINESE_INTRO,
    CHINESE_SECTIONS,
    CHINESE_TABLE,
    ITEMS,
    MINUTES,
    TERMS,
    THANKS,
)
from source.sheet import PictureSurface, Sheet

SCAN_ANGLE_DEGREES = 0.8


def make_invoice(path: Path) -> list[dict[str, Any]]:
    """Write the invoice: address blocks, a ruled table of items, totals, terms, footer."""
    sheet = Sheet(PictureSurface())
    plain, bold = {"font": "sans"}, {"font": "sans-bold"}
    sheet.paragraph(48, 42, 220, "INVOICE", label="doc_title", size=26, **bold)
    sheet.lines(
        370,
        44,
        [
            "Wendham Workshop Supplies",
            "Harbour Street 12",
            "Lower Wendham LW4 7QT",
            "accounts@wendham-supplies.example",
        ],
        label="text",
        size=10,
        width=180,
        **plain,
    )
    sheet.lines(
        48,
        118,
        ["Bill to:", "Brandt Conveyor Systems Ltd", "Mill Lane 45", "Upper Wendham UW1 4AB"],
        label="text",
        size=10.5,
        width=220,
        **plain,
    )
    sheet.lines(
        370,
        118,
        ["Invoice no.: 2026-00417", "Date: 14 March 2026", "Due date: 13 April 2026", "Customer no.: 30952"],
        label="text",
        size=10.5,
        width=180,
        **plain,
    )
    rows = [["Pos", "Description", "Qty", "Unit price", "Amount"]]
    rows += [
        [str(n), name, str(quantity), f"{price:.2f}", f"{quantity * price:.2f}"]
        for n, (name, quantity, price) in enumerate(ITEMS, 1)
    ]
    style = {"font": "sans", "bold": "sans-bold", "size": 10, "row_height": 21, "ruled": True}
    y = sheet.table(48, 206, [34, 235, 50, 85, 95], rows, right_aligned={2, 3, 4}, **style)
    subtotal = sum(quantity * price for _, quantity, price in ITEMS)
    totals = [
        ["Subtotal", f"{subtotal:.2f}"],
        ["VAT 19%", f"{subtotal * 0.19:.2f}"],
        ["Total EUR", f"{subtotal * 1.19:.2f}"],
    ]
    y = sheet.table(337, y + 24, [115, 95], totals, right_aligned={1}, **{**style, "bold": "sans"})
    y = sheet.paragraph(48, y + 40, 499, TERMS, label="text", size=10, **plain)
    sheet.paragraph(48, y + 14, 499, THANKS, label="text", size=10, **plain)
    sheet.paragraph(
        48,
        800,
        499,
        "Wendham Workshop Supplies - Registered at Wendham HRB 54321 - Director: M. Okafor",
        label="footer",
        size=8,
        align="center",
        **plain,
    )
    _save_png(sheet, path)
    return [sheet.truth()]


def make_chinese(path: Path) -> list[dict[str, Any]]:
    """Write a page of a Chinese quarterly report with a title, sections and a table."""
    sheet = Sheet(PictureSurface())
    left, width = 56.0, 483.0
    body = {"font": "song", "size": 12, "leading": 1.6}
    sheet.paragraph(left, 34, width, "社区文化简报　2026年第3期", label="header", font="song", size=9)
    y = sheet.paragraph(
        left,
        66,
        width,
        "青禾社区图书馆第二季度借阅报告",
        label="doc_title",
        font="hei",
        size=22,
        align="center",
    )
    y = sheet.paragraph(
        left, y + 12, width, "馆员　李文静　周海峰", label="text", font="song", size=11, align="center"
    )
    y = sheet.paragraph(left, y + 20, width, CHINESE_INTRO, label="text", indent=24, **body) + 18
    for title, paragraphs in CHINESE_SECTIONS:
        y = sheet.paragraph(left, y, width, title, label="paragraph_title", font="hei", size=14.5) + 10
        for text in paragraphs:
            y = sheet.paragraph(left, y, width, text, label="text", indent=24, **body) + 12
        if title.startswith("二"):
            y = sheet.paragraph(
                left,
                y + 2,
                width,
                CHINESE_CAPTION,
                label="figure_title",
                font="song",
                size=10.5,
                align="center",
            )
            y = (
                sheet.table(
                    left + 50,
                    y + 7,
                    [110, 95, 95, 83],
                    CHINESE_TABLE,
                    font="song",
                    bold="hei",
                    size=11,
                    row_height=23,
                    ruled=True,
                )
                + 14
            )
        y += 6
    sheet.paragraph(left, 800, width, "17", label="number", font="song", size=9.5, align="center")
    _save_png(sheet, path)
    return [sheet.truth()]


def make_scan(path: Path) -> list[dict[str, Any]]:
    """Write minutes of a meeting as a flatbed scanner would: crooked, soft, grey and noisy."""
    sheet = Sheet(PictureSurface())
    left, width = 74.0, 447.0
    y = sheet.paragraph(
        left,
        62,
        width,
        "Ferry Road Allotment Association",
        label="header",
        font="serif-italic",
        size=11,
        align="right",
    )
    y = sheet.paragraph(
        left, y + 26, width, "Minutes of the Spring Meeting", label="doc_title", font="serif-bold", size=21
    )
    y = (
        sheet.paragraph(
            left, y + 9, width, "held on Thursday 12 March 2026", label="text", font="serif", size=12
        )
        + 20
    )
    for title, paragraphs in MINUTES:
        y = sheet.paragraph(left, y, width, title, label="paragraph_title", font="serif-bold", size=13.5) + 7
        for text in paragraphs:
            y = sheet.paragraph(left, y, width, text, label="text", font="serif", size=12, leading=1.3) + 9
        y += 9
    y = sheet.paragraph(left, y + 8, width, "Signed: R. Dane, secretary", label="text", font="serif", size=12)
    sheet.paragraph(left, 790, width, "Page 1 of 1", label="footer", font="serif", size=10, align="center")
    _scanned(sheet.surface.image).save(path, "JPEG", quality=62, subsampling=2)
    _turn_boxes(sheet)
    return [sheet.truth()]


def _scanned(page: Image.Image) -> Image.Image:
    grey = page.convert("L").rotate(SCAN_ANGLE_DEGREES, Image.Resampling.BICUBIC, fillcolor=255)
    ink = np.asarray(grey.filter(ImageFilter.GaussianBlur(0.9)), dtype=np.float32) / 255
    height, width = ink.shape
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    paper = 243 - 14 * across - 6 * down - 40 * np.exp(-across * width / 9)  # uneven lamp, dark left edge
    noise = np.random.default_rng(7).normal(0, 4.5, ink.shape)
    coarse = Image.fromarray((noise * 12 + 128).clip(0, 255).astype(np.uint8))
    grain = np.asarray(coarse.filter(ImageFilter.GaussianBlur(1)))
    scanned = 38 + (paper - 38) * ink + (grain.astype(np.float32) - 128) / 5 + noise * 0.4
    return Image.fromarray(scanned.clip(0, 255).astype(np.uint8))


def _turn_boxes(sheet: Sheet) -> None:
    """Move the true boxes with the turned page: the upright rectangle round each turned one."""
    width, height = sheet.surface.size_px
    angle = math.radians(-SCAN_ANGLE_DEGREES)  # Pillow turns counter-clockwise, and y points down
    cos, sin, cx, cy = math.cos(angle), math.sin(angle), width / 2, height / 2
    for region in sheet.regions:
        x1, y1, x2, y2 = region["box"]
        corners = [(x - cx, y - cy) for x in (x1, x2) for y in (y1, y2)]
        xs = [cx + x * cos - y * sin for x, y in corners]
        ys = [cy + x * sin + y * cos for x, y in corners]
        region["box"] = [round(v, 1) for v in (min(xs), min(ys), max(xs), max(ys))]


def _save_png(sheet: Sheet, path: Path) -> None:
    """Black on white needs sixteen greys, and then a page is 100 KB instead of 300."""
    sheet.surface.image.convert("L").quantize(16).save(path, "PNG", optimize=True)
