"""Which tritonserver is started, and whose Python backend it gets."""

import subprocess
import sys
from pathlib import Path

import pytest

from launch.problems import CannotStart
from launch.server import STUB, find_server, python_version, stub_python

# The release that the wheel carries.
WHEEL_RELEASE = "2.51.0"


@pytest.fixture(autouse=True)
def _no_server_on_the_path(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


def install_server(root: Path, *, python: str, release: str = WHEEL_RELEASE) -> Path:
    """Files where NVIDIA's image has them."""
    backend = root / "backends" / "python"
    for folder in (root / "bin", backend):
        folder.mkdir(parents=True)
    (root / "bin" / "tritonserver").touch(mode=0o755)
    (root / "TRITON_VERSION").write_text(f"{release}\n")
    (backend / "libtriton_python.so").touch()
    (backend / STUB).write_bytes(b"\x7fELF\0libc.so.6\0libpython" + python.encode() + b".so.1.0\0")
    return root


def stub_of(server) -> Path:
    (stub,) = (file for file in server.backend_files if file.name == STUB)
    return stub


def test_without_an_installed_server_it_is_the_wheels(tmp_path):
    server = find_server(tmp_path / "no image")
    assert "pytriton" in server.binary.parts
    assert server.binary.is_file()
    assert stub_python(stub_of(server)) == python_version()
    assert server.library_folders[0].is_dir()


def test_an_image_for_this_python_is_taken_as_it_is(tmp_path):
    root = install_server(tmp_path / "image", python=python_version(), release="9.9.9")
    server = find_server(root)
    assert server.binary == root / "bin" / "tritonserver"
    assert {file.parent for file in server.backend_files} == {root / "backends" / "python"}
    assert server.library_folders == ()


@pytest.mark.parametrize("python", ["3.10", "3.12"])
def test_an_image_for_another_python_takes_the_stub_of_the_wheel_of_its_release(tmp_path, python):
    root = install_server(tmp_path / "image", python=python)
    server = find_server(root)
    assert server.binary == root / "bin" / "tritonserver"
    assert stub_python(stub_of(server)) == python_version()
    assert root / "backends" / "python" / "libtriton_python.so" in server.backend_files
    assert server.library_folders[0].name == "nvidia_pytriton.libs"


def test_an_image_of_another_release_is_passed_over(tmp_path):
    root = install_server(tmp_path / "image", python="3.12", release="2.60.0")
    assert "pytriton" in find_server(root).binary.parts


def test_a_server_on_the_path_goes_before_the_image(tmp_path, monkeypatch):
    mine = install_server(tmp_path / "mine", python=python_version())
    image = install_server(tmp_path / "image", python=python_version())
    monkeypatch.setenv("PATH", str(mine / "bin"))
    assert find_server(image).binary == mine / "bin" / "tritonserver"


def test_a_server_without_the_python_backend_is_passed_over(tmp_path):
    root = install_server(tmp_path / "image", python=python_version())
    (root / "backends" / "python" / STUB).unlink()
    assert "pytriton" in find_server(root).binary.parts


def test_what_was_found_and_does_not_fit_is_said(tmp_path):
    root = install_server(tmp_path / "image", python="3.12", release="2.60.0")
    code = (
        "import sys, pathlib; sys.modules['pytriton'] = None\n"  # as if the wheel were not installed
        "from launch.server import find_server\n"
        f"find_server(pathlib.Path({str(root)!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": ""},
    )  # fmt: skip
    message = done.stderr.splitlines()[-1]
    assert f"{root}/bin/tritonserver (2.60.0) has a Python backend for Python 3.12" in message
    assert f"this is {python_version()}" in message
    assert "nvidia-pytriton, which carries one, is not installed" in message
    assert CannotStart.__name__ in message


def test_this_pythons_library_comes_before_the_systems_and_its_programs_before_others(tmp_path):
    server = find_server(tmp_path / "no image")
    environment = server.environment({"LD_LIBRARY_PATH": "/cuda/lib", "PATH": "/usr/bin"})
    libraries = environment["LD_LIBRARY_PATH"].split(":")
    assert list(Path(libraries[0]).glob(f"libpython{python_version()}.so*"))
    assert libraries[-1] == "/cuda/lib"
    assert environment["PATH"] == f"{Path(sys.executable).parent}:/usr/bin"
