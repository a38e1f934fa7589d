import gc
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from docparse.page_memory import BadReference, PageMemory, PageReference, open_page, open_room, reference_of


def open_files() -> set[int]:
    """Memory of pages that this process has open, by the kernel's own numbers; `mmap` keeps a handle too."""
    files = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            if "memfd:hps-page" in str(link.readlink()):
                files.add(link.stat().st_ino)
        except FileNotFoundError:  # that of the listing itself
            continue
    return files


def test_what_one_process_writes_another_sees_without_a_copy():
    page = PageMemory().lease(40, 30).array(40, 30)
    reference = reference_of(page)
    with multiprocessing.get_context("spawn").Pool(1) as others:
        others.apply(paint, (reference,))
        assert (page == 7).all()
        page[0, 0] = (1, 2, 3)
        assert others.apply(first_pixel, (reference,)) == [1, 2, 3]


def paint(reference: PageReference) -> None:
    open_room(reference)[:] = 7


def first_pixel(reference: PageReference) -> list[int]:
    return open_page(reference)[0, 0].tolist()


def test_a_page_of_another_process_can_only_be_looked_at():
    page = PageMemory().lease(4, 4).array(4, 4)
    with pytest.raises(ValueError, match="read-only"):
        open_page(reference_of(page))[:] = 1


def test_memory_is_used_again_once_the_page_and_all_its_views_are_gone():
    memory = PageMemory()
    page = memory.lease(40, 30).array(40, 30)
    path = reference_of(page).path
    view = page[3:10, :, ::-1][:, 2:]
    del page
    assert memory.lease(40, 30).path != path  # the view is there still
    gc.collect()
    del view
    paths = {lease.path for lease in [memory.lease(40, 30) for _ in range(2)]}
    assert path in paths


def test_there_are_as_many_files_as_pages_at_a_time_whatever_their_sizes():
    memory = PageMemory()
    before = open_files()
    for number in range(200):
        sizes = [(10 + (number * 7 + each) % 90, 50) for each in range(3)]
        pages = [memory.lease(*size).array(*size) for size in sizes]
        assert len(open_files() - before) <= 3
        del pages
    memory.close()
    assert open_files() == before


def test_memory_of_a_huge_page_is_not_kept():
    memory = PageMemory()
    before = open_files()
    memory.lease(3000, 3000).array(3000, 3000)
    page = memory.lease(10, 10).array(10, 10)
    assert len(open_files() - before) == 1
    assert page.shape == (10, 10, 3)


def test_only_whole_pages_have_a_reference():
    page = PageMemory().lease(10, 10).array(10, 10)
    assert reference_of(page) == PageReference(reference_of(page).path, 10, 10)
    for other in (page[1:], page[:, ::-1], page.copy(), page[:, :, 0], np.zeros((10, 10, 3), np.uint8)):
        assert reference_of(other) is None


def test_a_page_must_fit():
    lease = PageMemory().lease(10, 10)
    with pytest.raises(BadReference):
        lease.array(10, 11)
    with pytest.raises(BadReference, match="smaller"):
        open_room(PageReference(lease.path, 1000, 1000))
    assert lease.array(5, 20).shape == (5, 20, 3)


@pytest.mark.parametrize("size", [(0, 5), (-1, 5), (-2, -2)])
def test_a_page_without_pixels_is_none(size):
    lease = PageMemory().lease(10, 10)
    with pytest.raises(BadReference):
        open_page(PageReference(lease.path, *size))


def test_nothing_but_memory_of_pages_is_opened(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(1000))
    handle = os.open(secret, os.O_RDWR)
    foreign = os.memfd_create("something-else")
    os.ftruncate(foreign, 1000)
    try:
        for path in (
            str(secret), f"/proc/self/fd/{handle}", f"/proc/{os.getpid()}/fd/{handle}",
            f"/proc/{os.getpid()}/fd/{foreign}", f"/proc/{os.getpid()}/fd/99999", "/proc/1/fd/../mem", "",
        ):  # fmt: skip
            with pytest.raises(BadReference):
                open_page(PageReference(path, 10, 10))
    finally:
        os.close(handle)
        os.close(foreign)
