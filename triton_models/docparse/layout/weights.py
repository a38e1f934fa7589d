"""Opens networks whose weights lie inside an installed wheel; nothing is ever downloaded."""

from importlib.util import find_spec
from pathlib import Path

import onnxruntime


def open_session(package: str, file: str, intra_op_threads: int) -> onnxruntime.InferenceSession:
    """Open an ONNX file of an installed package, without importing the package.

    Args:
        package: Name of the importable package, such as `rapidocr`.
        file: Path of the weights inside it.
        intra_op_threads: CPU threads for one run; runs from several threads share the session safely.

    Raises:
        FileNotFoundError: The package is not installed, or this version does not carry the weights.
    """
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0]) / file if folders else None
    if path is None or not path.is_file():
        raise FileNotFoundError(f"{file} of package {package} is not installed")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = intra_op_threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    # The arena keeps the largest page's memory for ever; pages come in all sizes.
    settings.enable_cpu_mem_arena = False
    # A spinning pool would burn a core between pages that the recogniser could use.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
