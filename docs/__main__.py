"""Writes what is made from the code: the two pages beside this file, .env.example, and parts of compose.yaml."""

from docs import PAGES_FOLDER
from docs.api_page import render_api_page
from docs.containers import render_compose, render_env_example
from docs.settings_page import render_settings_page

PAGES = {
    "API.md": render_api_page,
    "SETTINGS.md": render_settings_page,
    "../.env.example": render_env_example,
    "../compose.yaml": render_compose,
}

if __name__ == "__main__":
    for name, render in PAGES.items():
        (PAGES_FOLDER / name).write_text(render(), encoding="utf-8")
        print(f"wrote docs/{name}")
