"""Writes the two pages beside this file."""

from docs import PAGES_FOLDER
from docs.api_page import render_api_page
from docs.settings_page import render_settings_page

PAGES = {"API.md": render_api_page, "SETTINGS.md": render_settings_page}

if __name__ == "__main__":
    for name, render in PAGES.items():
        (PAGES_FOLDER / name).write_text(render(), encoding="utf-8")
        print(f"wrote docs/{name}")
