"""Hands command lines to vLLM's own parser; runs in vLLM's environment.

Reads a list of argument lists (without `vllm serve`) on stdin. Writes what the parser made of each or said against it,
and every flag that the parser has.
"""

import json
import sys

from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.utils.argparse_utils import FlexibleArgumentParser


class _Refused(Exception):
    pass


class _Parser(FlexibleArgumentParser):
    def error(self, message: str) -> None:
        raise _Refused(message)


def parse(parser: _Parser, words: list[str]) -> dict[str, object]:
    try:
        arguments = parser.parse_args(words)
        validate_parsed_serve_args(arguments)
    except (_Refused, ValueError, TypeError) as error:
        return {"refused": str(error)}
    return {"parsed": {name: repr(value) for name, value in vars(arguments).items()}}


parser = make_arg_parser(_Parser(prog="vllm serve"))
flags = {"switches": [], "values": [], "lists": []}
for action in parser._actions:
    kind = "switches" if action.nargs == 0 else "lists" if action.nargs == "+" else "values"
    flags[kind] += [option for option in action.option_strings if option.startswith("--")]
print(json.dumps({"answers": [parse(parser, words) for words in json.load(sys.stdin)], "flags": flags}))
