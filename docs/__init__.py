"""`python -m docs`: write API.md and SETTINGS.md anew from the code. The tests see that they are up to date."""

from pathlib import Path

PAGES_FOLDER = Path(__file__).parent
