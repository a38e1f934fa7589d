from gateway.models.options import EXPORT_FORMATS
from gateway.models.requests import LayoutParsingOptions, LayoutParsingRequest
from tests.gateway.conftest import PNG


async def operation(gateway):
    return (await gateway.http.get("/openapi.json")).json()["paths"]["/layout-parsing"]["post"]


async def test_every_field_is_shown_with_its_meaning_and_default(gateway):
    content = (await operation(gateway))["requestBody"]["content"]
    for media_type, model in (
        ("application/json", LayoutParsingRequest),
        ("multipart/form-data", LayoutParsingOptions),
    ):
        shown = content[media_type]["schema"]["properties"]
        assert {field.alias for field in model.model_fields.values()} | {"file"} == set(shown)
        for name, field in shown.items():
            assert field["description"], name
            assert name == "file" or "default" in field or "default:" in field["description"].lower(), name


async def test_bounds_and_choices_are_shown(gateway):
    schema = (await operation(gateway))["requestBody"]["content"]["application/json"]["schema"]
    fields = schema["properties"]
    assert fields["topP"]["anyOf"][0] == {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
    assert fields["layoutThreshold"]["anyOf"][0] == {"type": "number", "minimum": 0, "maximum": 1}
    assert fields["layoutShapeMode"]["enum"] == ["rect", "quad", "poly", "auto"]
    assert fields["fileType"]["anyOf"][0]["enum"] == [0, 1]
    assert schema["required"] == ["file"]
    assert EXPORT_FORMATS == ("docx",)


async def test_the_example_works_when_pasted(gateway, triton):
    content = (await operation(gateway))["requestBody"]["content"]
    example = content["application/json"]["example"]
    assert (await gateway.parse(example)).status_code == 200
    assert triton.requests[0].document == PNG


async def test_answers_and_errors_are_described(gateway):
    responses = (await operation(gateway))["responses"]
    assert set(responses) == {"200", "400", "408", "413", "415", "422", "429", "500", "503", "504"}
    assert set(responses["200"]["content"]) == {"application/json", "application/x-ndjson"}
    for status in set(responses) - {"200"}:
        schema = responses[status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorBody"}


async def test_swagger_and_redoc_bring_their_own_scripts(gateway):
    for page in ("/docs", "/redoc"):
        answer = await gateway.http.get(page)
        assert answer.status_code == 200
        scripts = [part.split('"')[0] for part in answer.text.split('src="')[1:]]
        assert scripts
        for script in scripts:
            assert script.startswith("/")
            assert (await gateway.http.get(script)).status_code == 200
