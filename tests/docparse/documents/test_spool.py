"""What dead processes leave behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from docparse.documents.spool import spool_file, sweep

HOLDER = """
import sys, time
from pathlib import Path
from docparse.documents.spool import spool_file
with spool_file(Path(sys.argv[1])) as path:
    path.write_bytes(b"document")
    print(path, flush=True)
    time.sleep(600)
"""


def test_a_file_is_there_for_as_long_as_it_is_used(tmp_path):
    with spool_file(tmp_path) as path:
        path.write_bytes(b"document")
        assert sweep(tmp_path) == 0
        assert path.read_bytes() == b"document"
    assert list(tmp_path.iterdir()) == []
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(9):
        with spool_file(tmp_path):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_a_process_that_was_killed_has_left_is_swept_and_what_a_living_one_has_is_not(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": "triton_models"}, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        path = Path(holder.stdout.readline().strip())
        assert path.read_bytes() == b"document"
        assert sweep(tmp_path) == 0
        holder.send_signal(signal.SIGKILL)
    assert path.exists()
    assert sweep(tmp_path) == 1
    assert not path.exists()


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / "report.pdf").write_bytes(b"mine")
    (tmp_path / "hps-document-folder").mkdir()
    (tmp_path / "hps-document-link").symlink_to(tmp_path / "report.pdf")
    assert sweep(tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 3


def test_a_folder_that_is_not_there_has_nothing_to_sweep(tmp_path):
    assert sweep(tmp_path / "nothing") == 0
    with pytest.raises(FileNotFoundError), spool_file(tmp_path / "nothing"):
        pass
