"""Writes python.safetensors with the `safetensors` library (0.8.0): every number format we read."""
import ctypes
import struct

import numpy
from safetensors import TensorSpec, serialize_file

values = [0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, float("inf"), float("-inf"), 0.1]
float32 = numpy.array(values, dtype=numpy.float32)
tensors = {
    "f32": ("float32", [3, 3], float32.tobytes()),
    "f64": ("float64", [9], float32.astype(numpy.float64).tobytes()),
    "f16": ("float16", [9], float32.astype(numpy.float16).tobytes()),
    "bf16": ("bfloat16", [9], b"".join(struct.pack("<f", v)[2:] for v in float32)),
    "i64": ("int64", [2, 2], numpy.array([0, -1, 2**62, -(2**63)], dtype=numpy.int64).tobytes()),
    "i32": ("int32", [2], numpy.array([2**31 - 1, -(2**31)], dtype=numpy.int32).tobytes()),
    "i16": ("int16", [2], numpy.array([32767, -32768], dtype=numpy.int16).tobytes()),
    "i8": ("int8", [3], numpy.array([1, -128, 127], dtype=numpy.int8).tobytes()),
    "u8": ("uint8", [3], bytes([0, 128, 255])),
    "bool": ("bool", [2], bytes([1, 0])),
    "scalar": ("float32", [], struct.pack("<f", 7.0)),
    "empty": ("float32", [0, 4], b""),
}
buffers = {name: ctypes.create_string_buffer(b, max(1, len(b))) for name, (_, _, b) in tensors.items()}
specs = {
    name: TensorSpec(
        dtype=d, shape=s, data_ptr=ctypes.addressof(buffers[name]), data_len=len(b))
    for name, (d, s, b) in tensors.items()}
serialize_file(specs, "python.safetensors", metadata={"format": "pt", "note": "é"})
