"""Each bad input gets the contract's error body, a sentence that names the problem, and costs nobody else."""

import base64
import socket
from typing import Any

import httpx
import pytest

from deploy.local.settings import free_ports
from tests.fakes.web import running_web
from tests.samples import encrypted_pdf, image_bytes, noise_png, pdf_bytes, pdf_without_pages, png_header_of


@pytest.fixture(autouse=True)
def next_request_succeeds(client):
    yield
    answer = client.post("/layout-parsing", json={"file": base64.b64encode(image_bytes("png")).decode()})
    assert (answer.status_code, answer.json()["errorCode"]) == (200, 0)


def assert_error(answer: httpx.Response, status: int, *words: str) -> None:
    body = answer.json()
    assert set(body) == {"logId", "errorCode", "errorMsg"}
    assert (answer.status_code, body["errorCode"]) == (status, status), body
    assert all(word.lower() in body["errorMsg"].lower() for word in words), body["errorMsg"]


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_what_is_not_json_is_a_400(client):
    answer = client.post(
        "/layout-parsing", content=b"{not json", headers={"Content-Type": "application/json"}
    )
    assert_error(answer, 400, "JSON")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ["file"]),
        ({"file": 5}, ["file"]),
        ({"file": None}, ["file"]),
        ([], ["object"]),
        ({"file": "aGk=", "fileType": 7}, ["fileType"]),
        ({"file": "aGk=", "fileType": "1"}, ["fileType"]),
        ({"file": "aGk=", "visualize": "perhaps"}, ["visualize"]),
        ({"file": "aGk=", "layoutThreshold": 2}, ["layoutThreshold"]),
        ({"file": "aGk=", "layoutThreshold": {"nonsense": 0.5}}, ["layoutThreshold", "nonsense"]),
        ({"file": "aGk=", "topP": 0}, ["topP"]),
        ({"file": "aGk=", "minPixels": 10, "maxPixels": 5}, ["minPixels"]),
        ({"file": "aGk=", "promptLabel": "poem"}, ["promptLabel"]),
        ({"file": encoded(image_bytes("png")), "useDocUnwarping": True}, ["useDocUnwarping"]),
    ],
    ids=str,
)
def test_a_field_that_is_missing_or_wrong_is_a_422_that_names_it(client, body, words):
    assert_error(client.post("/layout-parsing", json=body), 422, *words)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("%%%not base64%%%", ["file", "base64"]),
        ("", ["file", "empty"]),
        (encoded(b"just some text, neither an image nor a PDF"), ["file"]),
        (encoded(noise_png()[:-4000]), ["file", "truncated"]),
        (encoded(image_bytes("png")[:30]), ["file"]),
        (encoded(encrypted_pdf()), ["file", "encrypted"]),
        (encoded(pdf_bytes(1)[:150]), ["file", "PDF"]),
        (encoded(pdf_without_pages()), ["file", "PDF"]),
        (encoded(png_header_of(60_000, 60_000)), ["file", "60000 x 60000"]),
    ],
    ids=[
        "bad base64", "empty", "neither", "truncated PNG", "PNG header",
        "encrypted", "truncated PDF", "no pages", "bomb",
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_read_is_a_422_that_says_why(client, file, words):
    assert_error(client.post("/layout-parsing", json={"file": file}), 422, *words)


def test_a_file_type_that_the_bytes_belie_is_a_422_that_says_what_they_are(client):
    body = {"file": encoded(image_bytes("png")), "fileType": 0}
    assert_error(client.post("/layout-parsing", json=body), 422, "fileType", "PNG")


def test_a_page_range_outside_the_document_is_a_422(client):
    body = {"file": encoded(pdf_bytes(2)), "pageRanges": "2-9"}
    assert_error(client.post("/layout-parsing", json=body), 422, "pageRanges", "2 pages")


def test_a_body_over_the_limit_is_a_413_before_it_is_read(stack):
    # Only the header is sent: a server that waited for the body would not answer.
    with socket.create_connection(
        ("127.0.0.1", int(stack.environment["HPS_PORT"])), timeout=30
    ) as connection:
        connection.sendall(
            b"POST /layout-parsing HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
            b"Content-Length: 9000000000\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


async def ask_for(stack: Any, url: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=stack.url, timeout=120) as client:
        return await client.post("/layout-parsing", json={"file": url})


async def test_a_url_that_is_refused_is_a_422(stack):
    (port,) = free_ports(1)
    assert_error(await ask_for(stack, f"http://127.0.0.2:{port}/a.png"), 422, "file")


async def test_a_url_on_a_private_or_loopback_address_is_a_422_and_is_not_visited(stack):
    async with running_web() as web:
        for host in ("127.0.0.1", "localhost", "2130706433", "[::1]", "10.0.0.1", "169.254.169.254"):
            assert_error(await ask_for(stack, web.at("/a.png", host)), 422, "file")
        assert web.visits == []


async def test_a_redirect_to_a_private_address_is_a_422_and_is_not_followed(stack):
    async with running_web() as web:
        web.redirect("/a.png", web.at("/secret.png", "127.0.0.1"))
        web.serve("/secret.png", image_bytes("png"))
        assert_error(await ask_for(stack, web.at("/a.png", "127.0.0.2")), 422, "file")
        assert web.visits == ["/a.png"]


async def test_a_url_that_serves_a_web_page_is_a_422_that_says_so(stack):
    async with running_web() as web:
        web.serve("/a.png", b"<!DOCTYPE html><html><body>Sign in</body></html>")
        assert_error(await ask_for(stack, web.at("/a.png?token=secret", "127.0.0.2")), 422, "file", "HTML")


async def test_a_url_that_serves_a_document_is_parsed(stack):
    async with running_web() as web:
        web.serve("/a.png", image_bytes("png"))
        assert (await ask_for(stack, web.at("/a.png", "127.0.0.2"))).status_code == 200
