import gzip
from collections.abc import AsyncIterator

import pytest

from tests.fakes.web import FakeWeb, running_web
from tests.gateway.conftest import PNG, Gateway, assert_error


@pytest.fixture
async def web() -> AsyncIterator[FakeWeb]:
    async with running_web() as fake:
        yield fake


@pytest.fixture
async def fetching(start_gateway) -> Gateway:
    return await start_gateway(
        url_allowed_networks=("127.0.0.1/32",), url_timeout_seconds=5, max_document_bytes=4096
    )


async def test_a_document_behind_a_url_is_parsed(fetching, web, triton):
    web.serve("/page", PNG)
    answer = await fetching.parse({"file": web.at("/page?signature=secret")})
    assert answer.status_code == 200
    assert triton.requests[0].document == PNG
    assert web.visits == ["/page?signature=secret"]


async def test_redirects_are_followed(fetching, web):
    web.serve("/page", PNG)
    web.redirect("/old", web.at("/older"))
    web.redirect("/older", "/page")
    assert (await fetching.parse({"file": web.at("/old")})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.2",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.2]",
        "user:pass@127.0.0.2",
        "0.0.0.0",
        "127.0.0.1@127.0.0.2",
    ],
)
async def test_addresses_that_are_not_public_are_not_visited(start_gateway, web, host):
    gateway = await start_gateway()
    web.serve("/page", PNG)
    answer = await gateway.parse({"file": web.at("/page?signature=secret", host)})
    assert_error(answer, 422, "`file`", "not public")
    assert "secret" not in answer.text
    assert not web.visits
    await gateway.assert_still_good()


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
async def test_odd_spellings_of_loopback_are_not_visited(start_gateway, web, host):
    gateway = await start_gateway()
    web.serve("/page", PNG)
    assert_error(await gateway.parse({"file": web.at("/page", host)}), 422, "`file`")
    assert not web.visits


@pytest.mark.parametrize("target", ["http://127.0.0.2:{port}/page", "http://[::ffff:127.0.0.2]:{port}/page"])
async def test_a_redirect_to_a_private_address_is_not_followed(fetching, web, target):
    web.serve("/page", PNG)
    web.redirect("/old", target.format(port=web.port))
    assert_error(await fetching.parse({"file": web.at("/old")}), 422, "`file`", "not public")
    assert web.visits == ["/old"]
    await fetching.assert_still_good()


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "http://", ""])
async def test_a_redirect_to_something_else_is_not_followed(fetching, web, target):
    web.redirect("/old", target)
    assert_error(await fetching.parse({"file": web.at("/old")}), 422, "`file`", "redirects")


async def test_redirects_end(fetching, web):
    web.redirect("/round", web.at("/round"))
    assert_error(await fetching.parse({"file": web.at("/round")}), 422, "`file`", "redirects more than")


@pytest.mark.parametrize(
    "path",
    [
        "/page?X-Amz-Credential=AK%2F2024%2Fus&sig=a%2Bb%3D%2F%7E",
        "/a%2Fb/%41/%7e?x=~y",
        "/a/../b.png?a=b+c&d=%20",
    ],
)
async def test_a_url_is_asked_for_as_it_is_written_for_its_signature_may_be_over_that(fetching, web, path):
    answer = await fetching.parse({"file": web.at(path)})
    assert_error(answer, 422, "404")  # nothing is there
    web.redirect("/old", web.at(path))
    assert_error(await fetching.parse({"file": web.at("/old")}), 422, "404")
    assert web.visits == [path, "/old", path]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/ä b?c=ü", "/%C3%A4%20b?c=%C3%BC"),
        ("/100%.pdf", "/100%25.pdf"),
        ('/a|b{c}"<>', "/a%7Cb%7Bc%7D%22%3C%3E"),
    ],
)
async def test_a_url_with_characters_that_none_has_is_quoted(fetching, web, path, asked):
    assert_error(await fetching.parse({"file": web.at(path)}), 422, "404")
    assert web.visits == [asked]


async def test_a_redirect_may_leave_the_scheme_out(fetching, web, triton):
    web.serve("/page", PNG)
    web.redirect("/old", web.at("/page").removeprefix("http:"))
    assert (await fetching.parse({"file": web.at("/old")})).status_code == 200


@pytest.mark.parametrize("name", ["user%3A:p", "%E4%BD%A0:x"])
async def test_a_name_in_a_url_that_no_header_can_hold_is_told_so(fetching, web, name):
    assert_error(await fetching.parse({"file": web.at("/page").replace("//", f"//{name}@")}), 422, "`file`")
    await fetching.assert_still_good()


@pytest.mark.parametrize("status", [201, 203, 206])
async def test_a_document_may_come_with_another_status_of_success(fetching, web, triton, status):
    web.serve("/page", PNG, status)
    assert (await fetching.parse({"file": web.at("/page")})).status_code == 200
    assert triton.requests[0].document == PNG


async def test_a_url_that_times_out_is_told_so(start_gateway, web):
    gateway = await start_gateway(url_allowed_networks=("127.0.0.1/32",), url_timeout_seconds=0.2)
    web.hang("/slow")
    assert_error(await gateway.parse({"file": web.at("/slow")}), 422, "`file`", "0.2 seconds")
    await gateway.assert_still_good()


async def test_the_requests_own_clock_ends_a_download(start_gateway, web):
    gateway = await start_gateway(url_allowed_networks=("127.0.0.1/32",), inference_timeout_seconds=0.2)
    web.hang("/slow")
    assert_error(await gateway.parse({"file": web.at("/slow")}), 504)


async def test_a_url_that_serves_html_is_told_so(fetching, web):
    web.serve("/page", b"<!doctype html><title>Log in</title>", **{"Content-Type": "text/html"})
    assert_error(await fetching.parse({"file": web.at("/page")}), 422, "`file`", "HTML")
    await fetching.assert_still_good()


@pytest.mark.parametrize("status", [404, 403, 500, 204])
async def test_a_url_that_does_not_answer_200_is_told_so(fetching, web, status):
    web.serve("/page", b"" if status == 204 else PNG, status)
    answer = await fetching.parse({"file": web.at("/page?signature=secret")})
    assert_error(answer, 422, "`file`", str(status))
    assert "secret" not in answer.text


async def test_a_url_where_nobody_listens_is_told_so(fetching):
    answer = await fetching.parse({"file": "http://127.0.0.1:1/page?signature=secret"})
    assert_error(answer, 422, "`file`", "127.0.0.1:1")
    assert "secret" not in answer.text


async def test_a_name_that_does_not_exist_is_told_so(fetching):
    assert_error(
        await fetching.parse({"file": "http://no-such-host.invalid/x"}), 422, "`file`", "no-such-host"
    )


@pytest.mark.parametrize("url", ["http://", "https://", "http://[::1", "http://host:99999/", "http:///path"])
async def test_what_is_no_url_is_told_so(fetching, url):
    assert_error(await fetching.parse({"file": url}), 422, "`file`", "URL")


# What no resolver takes: empty labels, and those of over 63 characters.
NO_HOSTS = ["a..b", ".com", "...", "a" * 64 + ".com", "a\0b", "[::1%25a\0]"]


@pytest.mark.parametrize("host", NO_HOSTS)
async def test_what_is_no_host_is_told_so(fetching, host):
    assert_error(await fetching.parse({"file": f"http://{host}/page"}), 422, "`file`", "URL")
    await fetching.assert_still_good()


@pytest.mark.parametrize("host", [host for host in NO_HOSTS if "\0" not in host])
async def test_a_redirect_to_what_is_no_host_is_told_so(fetching, web, host):
    web.redirect("/old", f"http://{host}/page")
    assert_error(await fetching.parse({"file": web.at("/old")}), 422, "`file`", "redirects")


async def test_a_download_over_the_limit_is_refused(fetching, web):
    web.serve("/big", PNG + bytes(4096))
    assert_error(await fetching.parse({"file": web.at("/big")}), 413, "`file`", "4096")
    await fetching.assert_still_good()


async def test_a_compressed_answer_is_refused(fetching, web):
    web.serve("/page", gzip.compress(PNG), **{"Content-Encoding": "gzip"})
    assert_error(await fetching.parse({"file": web.at("/page")}), 422, "`file`", "compresses")
