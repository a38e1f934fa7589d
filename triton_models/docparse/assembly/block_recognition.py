"""How each block was read, said in the answer: the one field of a block that PaddleX does not have."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docparse.recognition import Recognition

FIELD = "block_recognition"

# Of PaddleX's block. Blocks that nobody read do not have it: pictures, and texts that were read with the block
# that they continue.
_ATTRIBUTE = "recognition"


def note_recognition(block: Any, recognition: "Recognition | None", *, was_cut: bool = False) -> None:
    """Keep on a block how it was read.

    Args:
        block: PaddleX's.
        recognition: None when it should have been read and was not.
        was_cut: that its text held repetition which was taken out.
    """
    finish_reason = "error" if recognition is None else recognition.finish_reason
    retries = 0 if recognition is None else recognition.retries + recognition.longer_attempts
    suspect = finish_reason != "stop" or was_cut
    setattr(block, _ATTRIBUTE, {"finish_reason": finish_reason, "retries": retries, "suspect": suspect})


def tell_recognitions(pruned_result: dict[str, Any], blocks: Sequence[Any]) -> None:
    """Add what was kept on `blocks` to their JSON in `parsing_res_list`."""
    for form, block in zip(pruned_result["parsing_res_list"], blocks, strict=True):
        if hasattr(block, _ATTRIBUTE):
            form[FIELD] = getattr(block, _ATTRIBUTE)
