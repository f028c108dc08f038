"""Writes rope_frequencies.jsonl: rotary frequencies by Hugging Face transformers (5.23.0).

Each row holds a config.json and what the library's own functions make of it. They run on numpy, through the few
functions of torch that they call, so torch need not be installed. Usage: python make_rope_frequencies.py > FILE
"""
import json
import numpy as np
import transformers.modeling_rope_utils as rope
from transformers import LlamaConfig


class Numbers(np.ndarray):
    def to(self, *_, dtype=None, **__):
        return self if dtype is None else self.astype(dtype)

    def float(self):
        return self.astype(np.float32)


class Torch:
    int64, float, float32 = np.int64, np.float32, np.float32
    Tensor = Numbers
    clamp, where = staticmethod(np.clip), staticmethod(np.where)

    @staticmethod
    def arange(*bounds, dtype=None, device=None):
        return np.arange(*bounds, dtype=dtype).view(Numbers)


rope.torch = Torch
base = {"model_type": "llama", "vocab_size": 32, "hidden_size": 64, "intermediate_size": 32,
        "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 512}
llama3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 8192, "rope_type": "llama3"}
yarn = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128}
cases = [
    {"rope_theta": 1e6},
    {"rope_theta": 5e5, "head_dim": 128, "rope_scaling": {"rope_type": "default"}},
    {"rope_scaling": {"type": "linear", "factor": 2.5}},
    {"rope_parameters": {"rope_type": "linear", "factor": 3.0, "rope_theta": 5e4}},
    {"rope_scaling": {"type": "dynamic", "factor": 2.0}},
    {"rope_scaling": llama3, "rope_theta": 5e5, "head_dim": 128},
    {"rope_scaling": llama3 | {"factor": 32.0, "original_max_position_embeddings": 64},
     "rope_theta": 5e5, "head_dim": 64},
    {"rope_parameters": llama3 | {"rope_theta": 1e4, "original_max_position_embeddings": 128}},
    {"rope_scaling": yarn},
    {"rope_scaling": yarn | {"original_max_position_embeddings": 32768}, "rope_theta": 1e6,
     "head_dim": 128},
    {"rope_scaling": yarn, "original_max_position_embeddings": 256},
    {"rope_scaling": {"rope_type": "yarn", "factor": 16.0}, "rope_theta": 1e4},
    {"rope_scaling": yarn | {"beta_fast": 20, "beta_slow": 2, "truncate": False}},
    {"rope_scaling": yarn | {"attention_factor": 1.25}},
    {"rope_scaling": yarn | {"mscale": 0.7, "mscale_all_dim": 1.3}},
    {"rope_scaling": yarn | {"mscale": 0.7}},
    {"rope_parameters": yarn | {"rope_type": "yarn", "rope_theta": 2e5, "factor": 1.0}},
    {"rope_scaling": {}, "rope_parameters": {"rope_type": "linear", "factor": 2.0}},
]
for case in cases:
    config = LlamaConfig(**{k: v for k, v in json.loads(json.dumps(base | case)).items()
                            if k != "model_type"})
    kind = config.rope_parameters["rope_type"]
    if kind == "default":
        theta, size = config.rope_parameters["rope_theta"], config.head_dim
        frequencies = 1.0 / (theta ** (Torch.arange(0, size, 2).astype(np.float32) / size))
        factor = 1.0
    else:
        frequencies, factor = rope.ROPE_INIT_FUNCTIONS[kind](config, None)
    assert frequencies.dtype == np.float32
    print(json.dumps({"config": base | case, "attention_factor": factor,
                      "frequencies": [float(f) for f in frequencies]}))
