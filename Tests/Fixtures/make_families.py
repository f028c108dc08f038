"""Writes families/NAME: small random models and what Hugging Face transformers (5.23.0) computes from them.

    python make_families.py [NAME …]

ref.safetensors holds `ids` [T]; `logits` [T, V]; `logprobs` and `entropies` of ids 2 … T [T - 1]; the gradient of the mean
of -logprobs as `grad.PARAMETER`; and `greedy`, the continuation of the first 6 ids. All in float32 with eager attention.
"""

import json
import os
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "../../scripts"))
from families import randomise  # noqa: E402

SIZES = {"vocab_size": 24, "hidden_size": 12, "intermediate_size": 14, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64}
MODELS = {
    "llama-yarn-biases": SIZES | {
        "model_type": "llama", "attention_bias": True, "mlp_bias": True, "head_dim": 4, "rms_norm_eps": 1e-5,
        "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 8}},
    "llama-linear": SIZES | {
        "model_type": "llama", "num_key_value_heads": None, "head_dim": 6, "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "linear", "factor": 2.5, "rope_theta": 500.0}},
    "qwen2-windows": SIZES | {
        "model_type": "qwen2", "head_dim": 4, "use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1,
        "rope_theta": 1e6},
    "qwen3-layers": SIZES | {
        "model_type": "qwen3", "head_dim": 8, "attention_bias": True, "use_sliding_window": True, "sliding_window": 4,
        "layer_types": ["sliding_attention", "full_attention"], "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "yarn", "factor": 2.0, "rope_theta": 1e4, "attention_factor": 1.1}},
    "olmo2": SIZES | {
        "model_type": "olmo2", "head_dim": 4, "rope_theta": 5e5, "attention_bias": True, "pad_token_id": None},
    "smollm3": SIZES | {
        "model_type": "smollm3", "num_hidden_layers": 3, "head_dim": 4, "no_rope_layer_interval": 2,
        "bos_token_id": None, "eos_token_id": 5, "pad_token_id": None},
    "gpt2-scaled": {
        "model_type": "gpt2", "vocab_size": 24, "n_embd": 12, "n_head": 2, "n_layer": 2, "n_positions": 64, "n_inner": 20,
        "activation_function": "gelu", "scale_attn_weights": False, "scale_attn_by_inverse_layer_idx": True,
        "tie_word_embeddings": False},
}


def make(name, config):
    folder = f"{here}/families/{name}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/config.json", "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    randomise(model, seed=len(name))
    tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
    save_file({k: v for k, v in model.state_dict().items() if k not in tied}, f"{folder}/model.safetensors",
              metadata={"format": "pt"})
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    generator = torch.Generator().manual_seed(7)
    ids = torch.randint(config["vocab_size"], (1, 14), generator=generator)
    logits = model(ids).logits[0]
    distribution = torch.log_softmax(logits[:-1], -1)
    logprobs = distribution.gather(-1, ids[0, 1:, None])[:, 0]
    (-logprobs.mean()).backward()
    model.generation_config.eos_token_id = None
    greedy = model.generate(ids[:, :6], attention_mask=torch.ones_like(ids[:, :6]), do_sample=False, use_cache=False,
                            min_new_tokens=12, max_new_tokens=12, pad_token_id=0)[0, 6:]
    result = {"ids": ids[0], "logits": logits, "logprobs": logprobs, "greedy": greedy,
              "entropies": -(distribution.exp() * distribution).sum(-1)}
    result |= {f"grad.{k}": v.grad for k, v in model.named_parameters()}
    save_file({k: v.detach().contiguous() for k, v in result.items()}, f"{folder}/ref.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or MODELS:
        make(name, MODELS[name])
