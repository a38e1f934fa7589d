"""Settings whose defaults come from the pipeline configuration file; the environment's variables go before it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from docparse.pipeline_config.reading import read_pipeline_config
from docparse.pipeline_config.schema import PipelineConfig


class PipelineFileSettings(BaseSettings):
    """Which file it is."""

    model_config = SettingsConfigDict(env_prefix="HPS_", frozen=True, extra="ignore", env_ignore_empty=True)

    pipeline_config: Path | None = Field(
        None,
        description="Pipeline configuration file of PaddleX (`pipeline_config_vllm.yaml`, `PaddleOCR-VL.yaml`). "
        "Variables go before what it says, and it before what PaddleOCR-VL ships. Default: what PaddleOCR-VL ships.",
    )


class ConfiguredSettings(BaseSettings):
    """A class of settings that the file may set, too."""

    model_config = SettingsConfigDict(
        env_prefix="HPS_", frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True
    )

    @classmethod
    def from_file(cls, config: PipelineConfig, known: Mapping[str, Any], *, is_named: bool) -> dict[str, Any]:
        """Values of fields, by their names; None for those about which the file says nothing.

        Args:
            config: the file, over what PaddleOCR-VL ships.
            known: what the environment has set, as it stands there.
            is_named: whether there is a file, or the shipped values only.
        """
        raise NotImplementedError

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The file last."""
        return init_settings, env_settings, dotenv_settings, file_secret_settings, _FileSource(settings_cls)


class _FileSource(PydanticBaseSettingsSource):
    """What the file says of a class's fields."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002  the interface's; `__call__` does it
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        path = PipelineFileSettings().pipeline_config
        known = {name.lower().removeprefix("hps_"): value for name, value in self.current_state.items()}
        config = read_pipeline_config(path, known.get("layout_model"))
        assert issubclass(self.settings_cls, ConfiguredSettings)  # noqa: S101  see settings_customise_sources
        values = self.settings_cls.from_file(config, known, is_named=path is not None)
        # One under whatever name: pydantic would else find both, the variable's and the file's.
        return {name: value for name, value in values.items() if value is not None and name not in known}
