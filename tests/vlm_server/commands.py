"""The presets, and the commands that they become."""

import pytest

from vlm_server.__main__ import main
from vlm_server.catalogue import Preset, load_models, load_presets

MODELS = {model.family: model.name for model in reversed(load_models().values())}


def name_of(preset: Preset) -> str:
    """Of its golden file."""
    return f"{preset.engine}-{MODELS[preset.family]}-{preset.name}"


def arguments_of(preset: Preset) -> list[str]:
    return [
        *("--engine", preset.engine, "--model", MODELS[preset.family]),
        *("--preset", preset.name, "--cores", "16"),
    ]


every_preset = pytest.mark.parametrize("preset", load_presets(), ids=name_of)


class Cli:
    """Runs the command line in this process, with what it prints kept."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.status = 0
        self.out = ""
        self.err = ""

    def __call__(self, *words: str) -> "Cli":
        try:
            self.status = main(list(words))
        except SystemExit as exit_:  # argparse's own refusals
            self.status = int(exit_.code or 0)
        self.out, self.err = self._capsys.readouterr()
        return self

    def printed(self, *words: str) -> str:
        """The command for `words`, which must be allowed."""
        assert self(*words, "--print").status == 0, self.err
        return self.out

    def refused(self, *words: str) -> str:
        """Why `words` are not."""
        assert self(*words, "--print").status == 2, self.out
        assert self.out == ""
        return self.err
