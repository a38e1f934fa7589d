"""Which models Triton is to have, in how many processes and where, by the settings."""

from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from docparse.image_store import ImageStoreSettings
from docparse.settings import Settings
from launch.problems import CannotStart, describe
from launch.settings import LaunchSettings


@dataclass(frozen=True, slots=True)
class TritonModel:
    """A model as it is to be loaded.

    Attributes:
        name: of the model, and of its folder in the repository.
        instances: processes.
    """

    name: str
    instances: int = 1


@dataclass(frozen=True, slots=True)
class TierSettings:
    """Every setting of the middle tier, read and checked."""

    launch: LaunchSettings
    pipeline: Settings
    image_store: ImageStoreSettings

    @classmethod
    def from_environment(cls) -> "TierSettings":
        """Read all of them.

        Raises:
            CannotStart: values are wrong; all of them are named.
        """
        problems: list[str] = []
        read = {name: _read(kind, problems) for name, kind in get_type_hints(cls).items()}
        if problems:
            raise CannotStart(*dict.fromkeys(problems))  # a variable may be read by more than one
        return cls(**read)

    @property
    def models(self) -> tuple[TritonModel, ...]:
        """What the settings ask for."""
        return (
            TritonModel("layout-detection"),
            TritonModel("layout-parsing", self.pipeline.layout_parsing_instances),
            TritonModel("restructure-pages", self.launch.restructure_instances),
        )


def _read(kind: type[BaseSettings], problems: list[str]) -> Any:
    try:
        return kind()
    except ValidationError as error:
        problems += describe(error)
        return None
