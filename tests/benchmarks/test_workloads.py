"""What is sent, and what stands in for the pipelines."""

import base64
import io
import json

import pypdfium2
import pytest
from PIL import Image

from benchmarks.simulators.stand_in import held_seconds, hold_id, product_events, reference_answer
from benchmarks.stack.repository import lay_out_pipelines, lay_out_stand_ins
from benchmarks.workloads.documents import make_noise_image, make_pdf, make_scan, make_small_image
from benchmarks.workloads.requests import make_job
from gateway.models.events import DocumentEvent, PageEvent, parse_event


def test_a_pdf_has_its_pages_with_text_and_the_same_seed_gives_the_same_bytes():
    document = pypdfium2.PdfDocument(make_pdf(7, seed=3))
    assert len(document) == 7
    assert len(document[6].get_textpage().get_text_range()) > 1000
    assert make_pdf(7, seed=3) == make_pdf(7, seed=3) != make_pdf(7, seed=4)


def test_pages_of_a_pdf_differ_in_size_so_that_their_layouts_do():
    document = pypdfium2.PdfDocument(make_pdf(20, seed=1))
    assert len({page.get_size() for page in document}) > 10


def test_ballast_makes_a_pdf_large_and_leaves_it_sound():
    data = make_pdf(2, seed=1, ballast_bytes=1_000_000)
    assert len(data) > 1_000_000
    assert len(pypdfium2.PdfDocument(data)) == 2


def test_a_scan_is_as_large_as_a_page_of_a_pdf_is_rendered():
    page = pypdfium2.PdfDocument(make_pdf(1, seed=5))[0]
    scan = Image.open(io.BytesIO(make_scan(5)))
    assert scan.format == "JPEG"
    assert scan.size == pytest.approx([2 * side for side in page.get_size()], abs=1)


def test_images_are_of_the_size_that_was_asked_for():
    assert len(make_small_image(1)) < 60_000
    assert len(make_noise_image(750_000, seed=1)) == pytest.approx(750_000, rel=0.01)


def test_a_job_is_what_both_services_understand():
    body = json.loads(make_job(b"%PDF-", 3, is_pdf=True, log_id="a").body)
    assert body == {
        "file": base64.b64encode(b"%PDF-").decode(),
        "fileType": 0,
        "visualize": False,
        "logId": "a",
    }


def test_the_stand_in_speaks_the_wire_of_the_product():
    document, page = map(parse_event, product_events())
    assert isinstance(document, DocumentEvent)
    assert isinstance(page, PageEvent)
    answer = json.loads(reference_answer())
    assert answer["result"]["layoutParsingResults"] == [json.loads(page.result)]


def test_a_stand_in_holds_a_request_as_long_as_its_log_id_says():
    assert held_seconds(hold_id(2.5, 7)) == 2.5
    assert held_seconds("another") == 0.0


def test_overlays_hold_the_simulated_detector_and_what_is_wanted_beside_it(tmp_path):
    assert {each.name for each in lay_out_pipelines(tmp_path / "a", baseline=False).iterdir()} == {
        "layout-detection"
    }
    both = lay_out_pipelines(tmp_path / "b", baseline=True)
    assert (both / "reference-parsing" / "config.pbtxt").is_file()
    assert not (both / "layout-detection" / "config.pbtxt").exists()  # the product's own stays
    stand_ins = lay_out_stand_ins(tmp_path / "c")
    assert (stand_ins / "layout-parsing" / "1" / "model.py").is_file()
