"""What the programs of samples/ need to be built and run."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.clients.environments import KEPT_IN

SAMPLES = Path(__file__).parent / "samples"

# g++ takes 6 s for its two libraries on an idle core.
_BUILD_SECONDS = 300
_PROBE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Language:
    """A language that a sample is written in.

    Attributes:
        run: the command, before the sample's arguments; `{folder}` is where it was built.
        build: the command that builds it into `{folder}`.
        needs: commands that succeed where a package of Debian is installed, by its name.
    """

    run: Sequence[str | Path]
    build: Sequence[str | Path] = ()
    needs: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def missing(self) -> str | None:
        """The first package of `needs` that is not installed."""
        return next((package for package, probe in self.needs.items() if not _succeeds(probe)), None)

    def built(self, folder: Path) -> list[str]:
        """Builds the sample into `folder`; what to run."""
        if self.build:
            done = subprocess.run(
                _in_folder(self.build, folder),
                capture_output=True,
                text=True,
                timeout=_BUILD_SECONDS,
                env={**os.environ, **_GO},
                check=False,
            )
            assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
        return _in_folder(self.run, folder)


# Nothing but the library of Go itself, and nothing in the home folder.
_GO = {"GOCACHE": str(KEPT_IN / "go-build"), "GOPROXY": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}

LANGUAGES = {
    "python": Language((sys.executable, SAMPLES / "parse.py")),
    "curl": Language(
        ("bash", SAMPLES / "parse.sh"), needs={"curl": ("curl", "--version"), "jq": ("jq", "--version")}
    ),
    "node": Language(("node", SAMPLES / "parse.mjs"), needs={"nodejs": ("node", "--version")}),
    "php": Language(
        ("php", SAMPLES / "parse.php"),
        needs={
            "php-cli": ("php", "--version"),
            "php-curl": ("php", "-r", "exit(extension_loaded('curl') ? 0 : 1);"),
        },
    ),
    "go": Language(
        ("{folder}/parse",),
        build=("go", "build", "-o", "{folder}/parse", SAMPLES / "parse.go"),
        needs={"golang-go": ("go", "version")},
    ),
    "c++": Language(
        ("{folder}/parse",),
        build=(
            "sh",
            "-c",
            'g++ -std=c++17 -o "$1" "$2" $(pkg-config --cflags --libs cpp-httplib nlohmann_json)',
            "build",
            "{folder}/parse",
            SAMPLES / "parse.cpp",
        ),
        needs={
            "g++": ("g++", "--version"),
            "pkg-config": ("pkg-config", "--version"),
            "libcpp-httplib-dev": ("pkg-config", "--exists", "cpp-httplib"),
            "nlohmann-json3-dev": ("pkg-config", "--exists", "nlohmann_json"),
        },
    ),
    "c#": Language(
        ("mono", "{folder}/parse.exe"),
        build=(
            "mcs",
            "-out:{folder}/parse.exe",
            "-pkg:newtonsoft-json",
            "-r:System.Net.Http",
            SAMPLES / "Parse.cs",
        ),
        needs={
            "mono-runtime": ("mono", "--version"),
            "mono-mcs": ("mcs", "--version"),
            "pkg-config": ("pkg-config", "--version"),
            "libnewtonsoft-json-cil-dev": ("pkg-config", "--exists", "newtonsoft-json"),
            # It comes without a file of pkg-config's.
            "libmono-system-net-http4.0-cil": ("test", "-e", "/usr/lib/mono/4.5/System.Net.Http.dll"),
        },
    ),
    "java": Language(
        ("java", SAMPLES / "Parse.java"), needs={"default-jdk-headless": ("javac", "--version")}
    ),
}


def _succeeds(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PROBE_SECONDS, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


def _in_folder(command: Sequence[str | Path], folder: Path) -> list[str]:
    return [str(part).replace("{folder}", str(folder)) for part in command]
