import json
from pathlib import Path

import pytest

from docparse.errors import DocparseError, InvalidOption, InvalidPages
from docparse.protocol import decode_restructure_request, error_event, result_message
from docparse.restructuring import restructure_pages
from docparse.restructuring.request import RestructureOptions

WIRE = Path(__file__).parents[1] / "golden" / "wire"


def read(name):
    return (WIRE / name).read_bytes()


def test_a_request_as_the_gateway_writes_it_is_read_and_its_options_are_all_there_are():
    request = decode_restructure_request(read("restructure-request.bin"))
    assert (request.log_id, request.timeout_seconds) == ("abc", 12.5)
    assert set(request.options) == set(RestructureOptions.model_fields)
    (element,) = json.loads(restructure_pages(request.pages, request.options))["layoutParsingResults"]
    assert element["markdown"] == {"text": "## 1 文字"}
    assert element["prunedResult"]["page_count"] == 1
    assert element["exports"]["docx"]["fileName"].endswith(".docx")


def test_answers_are_written_as_the_gateway_reads_them():
    result = read("restructure-result.bin")
    assert result_message(result.partition(b"\n")[2]) == result
    assert error_event(InvalidPages("`pages[0].prunedResult.width`: field required.")) == read(
        "restructure-error.bin"
    )


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", InvalidOption),
        (b"nonsense\n{}", InvalidOption),
        (b'{"version":2}\n{"pages":[]}', InvalidOption),
        (b'{"version":1,"timeoutSeconds":1}', InvalidPages),
        (b'{"version":1,"timeoutSeconds":1}\nnonsense', InvalidPages),
        (b'{"version":1,"timeoutSeconds":1}\n[]', InvalidPages),
        (b'{"version":1,"timeoutSeconds":1}\n{"pages":{}}', InvalidPages),
    ],
)
def test_what_is_no_request_is_refused(raw, error):
    with pytest.raises(DocparseError) as caught:
        decode_restructure_request(raw)
    assert type(caught.value) is error
