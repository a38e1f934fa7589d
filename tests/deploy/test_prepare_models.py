"""`prepare.sh` downloads weights at pinned revisions, whole and right or not at all."""

import hashlib

import pytest

WEIGHTS = bytes(range(256)) * 400
FILES = {
    "config.json": b"{}",
    "model.safetensors": WEIGHTS,
    "README.md": b"words",
    ".gitattributes": b"",
    "img/a.png": b"p",
}
LOCK = """# a comment
model Model
source huggingface Org/Model c0ffee
source modelscope Org/Model master
{lines}
model Other
source huggingface Org/Other c0ffee
file - - inference.yml
"""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def fetching(host, hub):
    """A host that wants `Model` from the hub: prepares with the lines of its lock and returns what was said."""
    host.missing = {"nvidia-smi"}
    host.environment |= {"HF_ENDPOINT": hub.url, "MODELSCOPE_ENDPOINT": hub.url}
    hub.repositories["Org/Model"] = dict(FILES)

    def prepare(lines: str | None = None, *arguments: str):
        if lines is not None:
            (host.folder / "models.lock").write_text(LOCK.format(lines=lines))
        return host.run("--stack", "cpu", "--only", "Model", *arguments)

    return prepare


def kept(host) -> dict[str, bytes]:
    folder = host.folder / "models" / "Model"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


PINNED = f"file {sha256(b'{}')} 2 config.json\nfile {sha256(WEIGHTS)} {len(WEIGHTS)} model.safetensors\n"


def test_pinned_files_come_at_their_revision_and_are_not_asked_for_again(fetching, host, hub):
    done = fetching(PINNED)
    assert done.returncode == 0, done.stdout
    assert kept(host) == {"config.json": b"{}", "model.safetensors": WEIGHTS}
    assert {path for path, _ in hub.requests} == {
        "/Org/Model/resolve/c0ffee/config.json", "/Org/Model/resolve/c0ffee/model.safetensors",
    }  # fmt: skip
    hub.requests.clear()
    assert fetching(PINNED).returncode == 0
    assert hub.requests == []
    assert not (host.folder / "models" / "models.lock").exists()  # nothing was unknown


def test_containers_of_another_user_can_read_them(fetching, host):
    fetching(PINNED)
    for path in (host.folder / "models" / "Model").rglob("*"):
        assert path.stat().st_mode & 0o004


def test_files_that_the_lock_does_not_list_are_those_of_the_hub_without_what_serves_nobody(fetching, host):
    done = fetching("and-others\n")
    assert done.returncode == 0, done.stdout
    assert kept(host).keys() == {"config.json", "model.safetensors"}


def test_modelscope_gives_the_same_files_and_the_same_checksums_hold(fetching, host, hub):
    assert fetching(PINNED, "--source", "modelscope").returncode == 0
    assert kept(host)["model.safetensors"] == WEIGHTS
    assert hub.requests[0][0].startswith("/models/Org/Model/resolve/master/")
    (host.folder / "models" / "Model" / "config.json").unlink()
    hub.repositories["Org/Model"]["config.json"] = b"[]"
    assert "another SHA-256 than recorded" in fetching(PINNED, "--source", "modelscope").stdout


def test_a_file_with_another_checksum_is_thrown_away_and_named(fetching, host, hub):
    hub.repositories["Org/Model"]["model.safetensors"] = WEIGHTS[::-1]
    done = fetching(PINNED)
    assert done.returncode == 1
    assert "Model/model.safetensors as downloaded has another SHA-256" in done.stdout
    assert kept(host).keys() == {"config.json"}


def test_what_is_not_known_yet_is_recorded_and_may_not_change_afterwards(fetching, host, hub):
    assert fetching("file - - config.json\nfile - - model.safetensors\n").returncode == 0
    record = (host.folder / "models" / "models.lock").read_text()
    assert f"file {sha256(WEIGHTS)} {len(WEIGHTS)} model.safetensors" in record
    (host.folder / "models" / "Model" / "model.safetensors").unlink()
    hub.repositories["Org/Model"]["model.safetensors"] = WEIGHTS + b"!"
    done = fetching()
    assert done.returncode == 1
    assert "bytes, not" in done.stdout
    assert "model.safetensors" not in kept(host)


def test_a_file_that_was_changed_here_is_refused_and_left_alone(fetching, host):
    fetching(PINNED)
    changed = host.folder / "models" / "Model" / "model.safetensors"
    changed.write_bytes(WEIGHTS[:-1] + b"?")
    for done in (fetching(), host.run("--check", "--stack", "gpu")):
        assert done.returncode == 1
    assert "it was changed or is damaged" in fetching().stdout
    assert changed.read_bytes() == WEIGHTS[:-1] + b"?"


def test_a_cut_connection_leaves_no_file_and_the_next_run_goes_on_from_there(fetching, host, hub):
    hub.broken_after = 5000
    host.environment["CURL_HOME"] = str(host.folder)
    (host.folder / ".curlrc").write_text("retry = 0\n")
    first = fetching(PINNED)
    part = host.folder / "models" / "Model" / "model.safetensors.part"
    if first.returncode != 0:  # curl did not try again by itself
        assert "model.safetensors" not in kept(host)
        assert part.stat().st_size == 5000
        hub.requests.clear()
        assert fetching().returncode == 0
    assert ("/Org/Model/resolve/c0ffee/model.safetensors", "bytes=5000-") in hub.requests
    assert kept(host) == {"config.json": b"{}", "model.safetensors": WEIGHTS}


@pytest.mark.parametrize(
    "left",
    [WEIGHTS, WEIGHTS[:10], WEIGHTS + b"!", b"other"],
    ids=["whole", "begun", "too long", "another file's"],
)
@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_whatever_a_broken_download_left_the_file_is_right_in_the_end(fetching, host, hub, left, ranges):
    hub.ranges = ranges
    folder = host.folder / "models" / "Model"
    folder.mkdir(parents=True)
    (folder / "model.safetensors.part").write_bytes(left)
    done = fetching(PINNED)
    assert done.returncode == 0, done.stdout
    assert kept(host) == {"config.json": b"{}", "model.safetensors": WEIGHTS}


def test_a_file_that_is_not_there_and_a_hub_that_does_not_answer_are_named(fetching, host, hub):
    assert "Model/gone.json could not be downloaded" in fetching(PINNED + "file - - gone.json\n").stdout
    host.environment["HF_ENDPOINT"] = "http://127.0.0.1:1"
    done = fetching("and-others\n")
    assert done.returncode == 1
    assert "the list of its files could not be had" in done.stdout


def test_check_says_what_is_missing(fetching, host):
    fetching(PINNED)
    host.env.unlink()
    host.environment["HPS_VLM_WEIGHTS"] = "Model"
    assert "ok    Model, 2 files" in host.run("--check", "--stack", "gpu").stdout
    (host.folder / "models" / "Model" / "config.json").unlink()
    assert "FAIL  Model: 1 of 2 files are missing" in host.run("--check", "--stack", "gpu").stdout


def test_weights_of_ones_own_need_a_config(host):
    host.missing, host.environment["HPS_VLM_WEIGHTS"] = {"nvidia-smi"}, "mine"
    assert "models/mine has no config.json" in host.run("--check", "--stack", "gpu").stdout
    (host.folder / "models" / "mine").mkdir(parents=True)
    (host.folder / "models" / "mine" / "config.json").write_text("{}")
    assert "ok    mine (not in models.lock" in host.run("--check", "--stack", "gpu").stdout


def test_a_hub_that_lists_a_path_out_of_the_folder_is_not_followed(fetching, host, hub):
    hub.repositories["Org/Model"]["../../escaped"] = b"x"
    done = fetching("and-others\n")
    assert done.returncode == 1
    assert "the hub lists a file called" in done.stdout
    assert not list(host.folder.rglob("escaped"))


def test_lock_pins_the_newest_revision_with_every_checksum_and_leaves_the_rest(fetching, host, hub):
    lock = host.folder / "models.lock"
    lock.write_text(LOCK.format(lines="and-others\n"))
    hub.revision = "decade"
    hub.repositories["Org/Other"] = {"inference.yml": b"a: 1", "inference.onnx": b"onnx"}
    done = host.run("--lock", "Model")
    assert done.returncode == 0, done.stdout
    expected = PINNED.replace("\nfile", "\nfile")
    assert lock.read_text() == LOCK.format(lines=expected).replace("Org/Model c0ffee", "Org/Model decade")
    assert fetching().returncode == 0  # at the new revision
    assert host.run("--lock").returncode == 0
    assert f"file {sha256(b'a: 1')} 4 inference.yml\n" in lock.read_text()  # listed ones only
    assert "inference.onnx" not in lock.read_text()
    assert "has no model called None" in host.run("--lock", "None").stdout


def test_the_projects_own_lock_is_well_formed(host):
    lines = [
        line.split()
        for line in (host.folder / "models.lock").read_text().splitlines()
        if line and line[0] != "#"
    ]
    kinds = {"model": 2, "source": 4, "file": 4, "and-others": 1}
    assert all(len(words) == kinds[words[0]] for words in lines)
    assert all(words[1] == "-" or len(words[1]) == 64 for words in lines if words[0] == "file")
    assert {words[1] for words in lines if words[0] == "model"} >= {"PaddleOCR-VL", "PP-DocLayoutV2", "UVDoc"}
