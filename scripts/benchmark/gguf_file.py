"""Writes a Qwen2 folder of Hugging Face's with tied embeddings as a GGUF file for llama.cpp.

    python gguf_file.py FOLDER float32|bfloat16 FILE

Matrices as float32 or bfloat16, norms and biases as float32, no tokenizer.
"""

import json
import os
import sys

import gguf
from gguf import GGMLQuantizationType as Type
from safetensors import safe_open

NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def gguf_name(name):
    stem, kind = name.rsplit(".", 1)
    if stem.startswith("model.layers."):
        _, _, layer, part = stem.split(".", 3)
        return f"blk.{layer}.{NAMES[part]}.{kind}"
    return f"{NAMES[stem]}.{kind}"


def add_settings(writer, c, type_of_file):
    writer.add_block_count(c["num_hidden_layers"])
    writer.add_context_length(c["max_position_embeddings"])
    writer.add_embedding_length(c["hidden_size"])
    writer.add_feed_forward_length(c["intermediate_size"])
    writer.add_head_count(c["num_attention_heads"])
    writer.add_head_count_kv(c["num_key_value_heads"])
    writer.add_rope_freq_base(c.get("rope_theta", 10000.0))
    writer.add_layer_norm_rms_eps(c.get("rms_norm_eps", 1e-6))
    writer.add_vocab_size(c["vocab_size"])
    writer.add_file_type(type_of_file)
    writer.add_tokenizer_model("none")


def main(folder, dtype, path):
    with open(f"{folder}/config.json") as file:
        config = json.load(file)
    is_half = dtype == "bfloat16"
    writer = gguf.GGUFWriter(path + ".part", "qwen2")
    add_settings(writer, config, gguf.LlamaFileType.MOSTLY_BF16 if is_half else gguf.LlamaFileType.ALL_F32)
    with safe_open(f"{folder}/model.safetensors", "numpy") as weights:
        for name in weights.keys():
            data = weights.get_tensor(name)
            kind = Type.BF16 if is_half and data.ndim == 2 else Type.F32
            writer.add_tensor(gguf_name(name), gguf.quants.quantize(data, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(path + ".part", path)


main(*sys.argv[1:])
