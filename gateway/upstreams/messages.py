"""Triton's requests as protobuf bytes. Large tensors are copied once; protobuf's own classes would copy them more."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from tritonclient.grpc import service_pb2

_RAW_CONTENTS_FIELD = service_pb2.ModelInferRequest.DESCRIPTOR.fields_by_name["raw_input_contents"].number
_RAW_CONTENTS_TAG = bytes([_RAW_CONTENTS_FIELD << 3 | 2])  # 2: length-delimited
# A BYTES tensor holds each of its elements after four bytes of length.
BYTES_PREFIX = 4


@dataclass(frozen=True, slots=True)
class InputTensor:
    """One input, its contents in pieces that follow one another on the wire."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    pieces: tuple[bytes, ...]


def uint8_tensor(name: str, data: bytes) -> InputTensor:
    """`data` as UINT8 [n]."""
    return InputTensor(name, "UINT8", (len(data),), (data,))


def bytes_tensor(name: str, *pieces: bytes) -> InputTensor:
    """The pieces as the one element of BYTES [1]."""
    length = struct.pack("<I", sum(map(len, pieces)))
    return InputTensor(name, "BYTES", (1,), (length, *pieces))


def encode_request(
    model: str, request_id: str, inputs: Sequence[InputTensor], output: str, *, streamed: bool
) -> bytes:
    """The message of one request; `streamed` asks for an empty final response.

    Protobuf messages may be concatenated: protobuf encodes the small fields, the raw contents follow by hand.
    """
    request = service_pb2.ModelInferRequest(
        model_name=model,
        id=request_id,
        inputs=[
            service_pb2.ModelInferRequest.InferInputTensor(
                name=tensor.name, datatype=tensor.datatype, shape=tensor.shape
            )
            for tensor in inputs
        ],
        outputs=[service_pb2.ModelInferRequest.InferRequestedOutputTensor(name=output)],
    )
    if streamed:
        request.parameters["triton_enable_empty_final_response"].bool_param = True
    pieces: list[bytes] = [request.SerializeToString()]
    for tensor in inputs:
        pieces += [_RAW_CONTENTS_TAG, _varint(sum(map(len, tensor.pieces))), *tensor.pieces]
    return b"".join(pieces)


def _varint(number: int) -> bytes:
    """Protobuf's encoding of a length: seven bits a byte, low bits first, the top bit for more to come."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
