import asyncio
import json
import re
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from docparse.image_store import StoreFailed
from docparse.image_store.local import GRACE_SECONDS, LocalStore, sweep
from docparse.image_store.signing import FOLDER_SECONDS, picture_name, picture_path, signed_url

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "images" / "links.json").read_text())
NOW = 1_767_225_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    store = LocalStore(tmp_path / "a" / "b", base_url="http://x", secret=b"s", url_seconds=900, now=clock)
    yield store
    store.close()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def path_of(folder: Path, url: str) -> Path:
    return folder / picture_path(urlsplit(url).path.rpartition("/")[2])


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["base_url"])
def test_links_are_made_as_the_gateway_reads_them(golden):
    name = picture_name(golden["expires"], golden["token"])
    assert name == golden["name"]
    assert picture_path(name) == golden["path"]
    secret = golden["secret"].encode()
    assert signed_url(golden["base_url"], secret, name, golden["expires"]) == golden["url"]


async def test_each_picture_lies_under_the_name_in_its_link(store, tmp_path):
    pictures = [b"one", b"two", b"one"]
    urls = await store.keep(pictures)
    assert len(set(urls)) == 3
    assert [path_of(tmp_path / "a" / "b", url).read_bytes() for url in urls] == pictures
    for url in urls:
        assert f"expires={int(NOW) + 900}&" in url


async def test_names_tell_nothing_of_each_other(store):
    urls = await store.keep([b"same"] * 50)
    tokens = {re.search(r"-([0-9a-f]{32})\.jpg", url)[1] for url in urls}
    assert len(tokens) == 50
    assert len({token[:8] for token in tokens}) == 50


async def test_a_picture_that_is_there_is_never_replaced(store, tmp_path, monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda length: "0" * 2 * length)
    (url,) = await store.keep([b"first"])
    with pytest.raises(StoreFailed):
        await store.keep([b"second"])
    assert path_of(tmp_path / "a" / "b", url).read_bytes() == b"first"


async def test_a_folder_that_cannot_be_written_to_fails_the_store(store, tmp_path):
    (tmp_path / "a" / "b").rmdir()
    (tmp_path / "a" / "b").write_bytes(b"no folder")
    with pytest.raises(StoreFailed, match="cannot write to"):
        await store.keep([b"one"])


def test_a_store_without_a_folder_does_not_open(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailed, match="HPS_IMAGE_STORE_DIR"):
        LocalStore(tmp_path / "file" / "x", base_url="http://x", secret=b"s", url_seconds=60)


async def test_pictures_are_removed_after_their_time_and_not_before(store, tmp_path, clock):
    folder = tmp_path / "a" / "b"
    (url,) = await store.keep([b"one"])
    clock.now = NOW + 900 + GRACE_SECONDS
    assert sweep(folder, clock.now - 1) == 0
    assert path_of(folder, url).exists()
    assert sweep(folder, clock.now + FOLDER_SECONDS) == 1
    assert list(folder.iterdir()) == []


async def test_a_store_that_opens_removes_what_expired_while_none_was_open(store, tmp_path, clock):
    folder = tmp_path / "a" / "b"
    await store.keep([b"one"] * 3)
    store.close()
    clock.now += 86_400
    LocalStore(folder, base_url="http://x", secret=b"s", url_seconds=60, now=clock).close()
    assert files(folder) == []


async def test_what_no_store_made_is_left_alone(store, tmp_path, clock):
    folder = tmp_path / "a" / "b"
    await store.keep([b"one"])
    (old,) = folder.iterdir()
    others = [folder / "photo.jpg", folder / "1000000000.jpg", folder / "album" / "x.jpg", old / "photo.jpg"]
    for other in others:
        other.parent.mkdir(exist_ok=True)
        other.touch()
    assert sweep(folder, clock.now + 86_400) == 1
    assert files(folder) == sorted(others)


async def test_a_pass_removes_so_many_and_the_next_goes_on(store, tmp_path, clock):
    folder = tmp_path / "a" / "b"
    await store.keep([b"one"] * 5)
    assert [sweep(folder, clock.now + 86_400, most=2) for _ in range(4)] == [2, 2, 1, 0]
    assert list(folder.iterdir()) == []


async def test_several_processes_may_sweep_and_write_at_once(store, tmp_path, clock):
    folder = tmp_path / "a" / "b"
    await store.keep([b"old"] * 200)
    later = clock.now + 86_400
    start = threading.Barrier(4)

    def sweep_with_others() -> int:
        start.wait()
        return sweep(folder, later)

    sweeps = [asyncio.to_thread(sweep_with_others) for _ in range(4)]
    clock.now = later
    gathered = asyncio.gather(*sweeps)
    urls = await store.keep([b"new"] * 20)
    await gathered
    assert [path_of(folder, url).read_bytes() for url in urls] == [b"new"] * 20
    assert len(files(folder)) == 20
