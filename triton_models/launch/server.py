"""Finds a tritonserver on this host whose Python backend runs our Python.

NVIDIA's images have one in /opt/tritonserver, with a backend built for the image's own Python: 3.10 up to the
release 24.10, 3.12 from 24.11 on. The wheel `nvidia-pytriton` carries the same server, and its backend's stub (the
program that a model runs in) for every Python from 3.8 on. So a server can take the stub of the wheel when both are
of one release: they speak through shared memory, in a form of that release.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from launch.problems import CannotStart

IMAGE_ROOT = Path("/opt/tritonserver")
STUB = "triton_python_backend_stub"

# Triton's version in each version of the wheel, which does not say it itself.
_WHEEL_RELEASES: Mapping[str, str] = {"0.7.0": "2.51.0"}

_PYTHON_LIBRARY = re.compile(rb"libpython(3\.\d+)\.so")


@dataclass(frozen=True, slots=True)
class Server:
    """A tritonserver that can be started.

    Attributes:
        binary: the program.
        backend_files: the Python backend, its stub for this Python among them.
        library_folders: where their shared libraries lie besides the system's.
    """

    binary: Path
    backend_files: tuple[Path, ...]
    library_folders: tuple[Path, ...] = ()

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """Variables that the server and its stubs need, around those of `outer`."""
        # This Python's own library first: the stub would else load the system's under our standard library.
        folders = [sysconfig.get_config_var("LIBDIR"), *map(str, self.library_folders)]
        libraries = [*folders, *filter(None, [outer.get("LD_LIBRARY_PATH")])]
        return {
            "LD_LIBRARY_PATH": ":".join(libraries),
            # The stub's interpreter is isolated: it does not read PYTHONPATH. It takes the first `python3` on the
            # PATH for its own program, and so finds the virtual environment that lies around it.
            "PATH": ":".join([str(Path(sys.executable).parent), outer.get("PATH", os.defpath)]),
        }


def find_server(image_root: Path = IMAGE_ROOT) -> Server:
    """The first that fits: on the PATH, in NVIDIA's image, in the wheel.

    Raises:
        CannotStart: none fits.
    """
    wheel = _Wheel.find()
    problems: list[str] = []
    for root in _installed_roots(image_root):
        try:
            return _installed_server(root, wheel)
        except CannotStart as problem:
            problems += problem.problems
    if wheel is None:
        problems.append("the package nvidia-pytriton, which carries one, is not installed")
    elif wheel.stub is None:
        problems.append(
            f"nvidia-pytriton {wheel.version} has no Python backend for Python {python_version()}"
        )
    else:
        return wheel.server()
    raise CannotStart("No tritonserver can be started: " + "; ".join(problems) + ".")


def python_version() -> str:
    """Of this interpreter, such as `3.11`."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _installed_roots(image_root: Path) -> Iterator[Path]:
    """Folders with bin/tritonserver in them."""
    on_path = shutil.which("tritonserver")
    if on_path is not None:
        yield Path(on_path).resolve().parents[1]
    if (image_root / "bin" / "tritonserver").is_file():
        yield image_root


def _installed_server(root: Path, wheel: "_Wheel | None") -> Server:
    binary, backend = root / "bin" / "tritonserver", root / "backends" / "python"
    files = tuple(file for file in sorted(backend.glob("*.*")) if file.is_file())
    own_stub = backend / STUB
    if not own_stub.is_file():
        raise CannotStart(f"{binary} has no Python backend beside it")
    built_for = stub_python(own_stub)
    if built_for == python_version():
        return Server(binary, (*files, own_stub))
    release_file = root / "TRITON_VERSION"
    release = release_file.read_text().strip() if release_file.is_file() else "of unknown release"
    if wheel is not None and wheel.stub is not None and wheel.release == release:
        return Server(binary, (*files, wheel.stub), (wheel.libraries,))
    raise CannotStart(
        f"{binary} ({release}) has a Python backend for Python {built_for or 'of unknown version'}, this is "
        f"{python_version()}, and no nvidia-pytriton of that release is installed to take one from"
    )


def stub_python(stub: Path) -> str | None:
    """The version of Python that a stub is linked to."""
    library = _PYTHON_LIBRARY.search(stub.read_bytes())
    return library[1].decode() if library else None


@dataclass(frozen=True, slots=True)
class _Wheel:
    """The package `nvidia-pytriton`, of which only the binaries are used."""

    folder: Path
    version: str

    @classmethod
    def find(cls) -> "_Wheel | None":
        spec = importlib.util.find_spec("pytriton")
        if spec is None or not spec.submodule_search_locations:
            return None
        return cls(Path(spec.submodule_search_locations[0]), importlib.metadata.version("nvidia-pytriton"))

    @property
    def release(self) -> str | None:
        return _WHEEL_RELEASES.get(self.version)

    @property
    def libraries(self) -> Path:
        return self.folder.parent / "nvidia_pytriton.libs"

    @property
    def stub(self) -> Path | None:
        stub = self.folder / "tritonserver" / "python_backend_stubs" / python_version() / STUB
        return stub if stub.is_file() else None

    def server(self) -> Server:
        root = self.folder / "tritonserver"
        files = tuple(file for file in sorted((root / "backends" / "python").glob("*.*")) if file.is_file())
        return Server(root / "bin" / "tritonserver", (*files, *filter(None, [self.stub])), (self.libraries,))
