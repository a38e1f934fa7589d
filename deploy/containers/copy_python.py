"""Copy the running Python 3.11 (program, library, standard library) to a folder, as a tree to lay over another root.

Run while an image is built: `python3.11 copy_python.py FOLDER`. The result works on a system whose glibc is not older
than what the program asks for, with the usual shared libraries (OpenSSL 3, libffi 8, zlib, bzip2, lzma).
"""

import shutil
import sys
import sysconfig
from pathlib import Path


def copy_python(folder: Path) -> None:
    """Copy each part to the same path below `folder`."""
    program = Path(sys.executable).resolve()
    standard_library = Path(sysconfig.get_path("stdlib"))
    libraries = sorted(Path(sysconfig.get_config_var("LIBDIR")).glob("libpython3.11.so*"))
    libraries += sorted(
        Path(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("MULTIARCH") or "").glob(
            "libpython3.11.so*"
        )
    )
    for file in {program, *libraries}:
        target = folder / file.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target, follow_symlinks=False)
    shutil.copytree(
        standard_library,
        folder / standard_library.relative_to("/"),
        symlinks=True,
        ignore=shutil.ignore_patterns(
            "__pycache__", "test", "site-packages", "dist-packages", "config-3.11*"
        ),
    )


if __name__ == "__main__":
    copy_python(Path(sys.argv[1]))
