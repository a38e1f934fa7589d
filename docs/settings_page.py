"""SETTINGS.md: every environment variable of the tiers, from their settings classes."""

from typing import Any

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from deploy.containers.settings import ContainerSettings
from deploy.local.settings import StackSettings
from docparse.image_store.settings import ImageStoreSettings
from docparse.layout.settings import LayoutSettings
from docparse.pipeline_config.settings import PipelineFileSettings
from docparse.preprocessing.settings import PreprocessingSettings
from docparse.settings import Settings as PipelineSettings
from docs.wording import split_default, table, type_in_words
from gateway.settings import Settings as GatewaySettings
from launch.settings import LaunchSettings

INTRODUCTION = """# Settings

Written by `make api-docs` from the settings classes; change it there.

All are environment variables, read once when a tier starts. A bad value stops that tier with a sentence that names the
variable. Lists are written with commas. A variable that stands under two tiers is meant for both.
"""
SECTIONS: tuple[tuple[str, str, type[BaseSettings]], ...] = (
    (
        "Gateway",
        "Read by `python -m gateway` and `uvicorn --factory gateway.main:create_app`.",
        GatewaySettings,
    ),
    ("Pipeline configuration file", "Read by Triton's models.", PipelineFileSettings),
    ("Pipeline in Triton", "Read by Triton's models.", PipelineSettings),
    ("Layout detection", "Read by the model `layout-detection`.", LayoutSettings),
    (
        "Document preprocessing",
        "Read by the models `document-preprocessing` and `layout-parsing`.",
        PreprocessingSettings,
    ),
    ("Image store", "Read by the models `layout-parsing` and `restructure-pages`.", ImageStoreSettings),
    (
        "Triton's launcher",
        "Read by `python -m launch`, which starts Triton in every installation; it checks those above, too.",
        LaunchSettings,
    ),
    (
        "`make serve`",
        "Read by the runner of the local stack; the rest is passed on to the tiers.",
        StackSettings,
    ),
)
CONTAINERS: tuple[str, str, type[BaseSettings]] = (
    "Containers",
    "Read by `docker compose` and `prepare.sh`, from `.env`; the tiers do not read them.",
    ContainerSettings,
)
MIB = 1024 * 1024


def render_settings_page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for title, text, settings in (*SECTIONS, CONTAINERS):
        parts.append(f"## {title}\n\n{text}\n\n{_table_of(settings)}\n")
    return "\n".join(parts)


def names_of(settings: type[BaseSettings], name: str, field: FieldInfo) -> list[str]:
    """Names of a field in the environment, the first one preferred."""
    alias = field.validation_alias
    if alias is None:
        return [f"{settings.model_config.get('env_prefix', '')}{name}".upper()]
    return [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [str(alias)]


def _table_of(settings: type[BaseSettings]) -> str:
    schemas = settings.model_json_schema(by_alias=False)["properties"]
    rows = [
        _row(names_of(settings, name, field), schemas[name]) for name, field in settings.model_fields.items()
    ]
    return table(["variable", "type", "default", "meaning"], rows)


def _row(names: list[str], schema: dict[str, Any]) -> list[str]:
    meaning, default = split_default(schema)
    value = schema.get("default")
    if isinstance(value, list):
        default = ", ".join(f"`{item}`" for item in value)
    elif isinstance(value, int) and value >= MIB and value % MIB == 0:
        default = f"`{value}` ({value // MIB} MiB)"
    others = f" Also: {', '.join(f'`{name}`' for name in names[1:])}." if names[1:] else ""
    return [f"`{names[0]}`", type_in_words(schema), default or "none", meaning + others]


def plain_default(schema: dict[str, Any]) -> tuple[str, str]:
    """Meaning and default of a setting as a line of `NAME=value` has it, empty where it is told in words."""
    value = schema.get("default")
    if isinstance(value, bool):
        value = str(value).lower()
    elif isinstance(value, list):
        value = ",".join(map(str, value))
    return " ".join(schema["description"].replace("`", "").split()), "" if value is None else str(value)
