"""Which preset a GPU can run, and why not the others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vlm_server.catalogue import Preset, presets_for
from vlm_server.command import EngineCommand, Wish, build_command
from vlm_server.gpus import Gpu
from vlm_server.memory import Split
from vlm_server.rules import find_problems, memory_of


@dataclass(frozen=True, slots=True)
class Candidate:
    """A preset, tried on a GPU.

    Attributes:
        problems: why it cannot run there; empty when it can.
    """

    preset: Preset
    command: EngineCommand
    memory: Split
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run on a GPU.

    Attributes:
        chosen: the best preset that fits; None when none does.
        candidates: every preset of engine and model.
    """

    gpu: Gpu
    chosen: Candidate | None
    candidates: Sequence[Candidate]

    @property
    def problems(self) -> list[str]:
        """Why nothing fits: what keeps the smallest preset from running; empty when one fits."""
        if self.chosen is not None:
            return []
        by_size = [each for each in self.candidates if not each.preset.by_name_only] or self.candidates
        return list(min(by_size, key=lambda each: each.preset.minimum_gib).problems)


def make_plan(wish: Wish, gpu: Gpu, gpu_count: int, *, layout_here: bool) -> Plan:
    """Try every preset for the engine and model of `wish`; its own preset does not matter.

    Raises:
        Refusal: there are no presets for them.
    """
    presets = [preset for preset in presets_for(wish.engine, wish.model) if preset.device == "cuda"]
    candidates = []
    for preset in presets:
        command = build_command(replace(wish, preset=preset))
        problems = find_problems(command, gpu, layout_here=layout_here)
        if preset.gpus > gpu_count:
            problems.insert(0, f"Preset {preset.name} needs {preset.gpus} GPUs; there are {gpu_count}.")
        memory = memory_of(command, gpu, layout_here=layout_here)
        candidates.append(Candidate(preset, command, memory, problems))
    fitting = [each for each in candidates if not each.problems and not each.preset.by_name_only]
    # The largest GPU that a preset is made for; of two, the one that is choosier about the GPU.
    chosen = max(
        fitting,
        key=lambda each: (each.preset.minimum_gib, each.preset.compute_capability[0]),
        default=None,
    )
    return Plan(gpu, chosen, candidates)
