"""Writes lora/NAME: adapters made by PEFT for small models of the reference files, and what PEFT and torch compute with them.

    APO_SHARED=... python make_lora.py

Of each: adapter_config.json and adapter_model.safetensors as PEFT saves them, and expected.safetensors with logits of one
sequence, gradients of the A*-PO loss (inputs: ref.json of the base model) and the factors after three steps of AdamW.
Made with peft 0.21.2, torch 2.15, transformers 5.23.
"""

import json
import os
import warnings

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

warnings.filterwarnings("ignore")
here = os.path.dirname(os.path.abspath(__file__))
models = os.path.join(os.environ["APO_SHARED"], "fixtures/models")
ADAPTERS = {
    "tiny-qwen2-tied": (dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]), torch.float32),
    "tiny-llama-mha": (dict(r=2, lora_alpha=3, target_modules="all-linear", use_rslora=True), torch.float32),
    "tiny-qwen3": (dict(
        r=4, lora_alpha=4, target_modules=["k_proj", "o_proj", "down_proj"], lora_dropout=0.1,
        rank_pattern={"layers.1.mlp.down_proj": 2}, alpha_pattern={"o_proj": 6}), torch.bfloat16),
    "tiny-gpt2": (dict(r=3, lora_alpha=6, target_modules=["c_attn", "c_proj"]), torch.float16),
}


def stored_name(name):
    return name.replace(".default", "")


def factors(model):
    return {name: p for name, p in model.named_parameters() if "lora_" in name}


def loss(model, base, fields):
    """mean (beta2 (sum logp - sum ref_logp) + v_star - r)^2, sums over the response's tokens."""
    apo, ids, mask = fields
    logits = model(
        input_ids=ids, attention_mask=mask, position_ids=(mask.cumsum(1) - 1).clamp(min=0)).logits
    width = apo["response_width"]
    logp = logits[:, -width - 1:-1].log_softmax(-1).gather(2, ids[:, -width:, None])[..., 0]
    logp = (logp * mask[:, -width:]).sum(1)
    reference = torch.tensor(apo["ref_logprobs"]).sum(1)
    value, reward = torch.tensor(apo["v_star"]), torch.tensor(apo["reward"])
    return ((apo["beta2"] * (logp - reference) + value - reward) ** 2).mean()


def make(name, settings, dtype):
    folder = os.path.join(here, "lora", name)
    base = AutoModelForCausalLM.from_pretrained(
        os.path.join(models, name), dtype=torch.float32, attn_implementation="eager")
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", **settings)).eval()
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    with torch.no_grad():
        for p in factors(model).values():
            # Rounded, so that float32 models compute with what is stored.
            p.copy_((torch.randn(p.shape, generator=generator) * 0.2).to(dtype).float())
    model.base_model.model.config.name_or_path = name
    model.peft_config["default"].base_model_name_or_path = name
    model.save_pretrained(folder)
    os.remove(os.path.join(folder, "README.md"))
    path = os.path.join(folder, "adapter_model.safetensors")
    save_file({k: v.to(dtype) for k, v in load_file(path).items()}, path, {"format": "pt"})

    forward = load_file(os.path.join(models, name, "ref/forward.safetensors"))
    with open(os.path.join(models, name, "ref/ref.json")) as file:
        reference = json.load(file)
    ids, mask = forward["train.input_ids"], forward["train.attention_mask"]
    expected = {"logits": model(input_ids=forward["single.input_ids"]).logits[0].detach()}
    optimizer = torch.optim.AdamW(factors(model).values(), lr=1e-3, weight_decay=0.01)
    losses, norms = [], []
    for step in range(3):
        value = loss(model, name, (reference["apo"], ids, mask))
        value.backward()
        if step == 0:
            expected |= {f"grad.{stored_name(n)}": p.grad.clone() for n, p in factors(model).items()}
        norms.append(torch.nn.utils.clip_grad_norm_(factors(model).values(), 1.0).item())
        losses.append(value.item())
        optimizer.step()
        optimizer.zero_grad()
    expected |= {f"step3.{stored_name(n)}": p.detach() for n, p in factors(model).items()}
    expected |= {"losses": torch.tensor(losses), "norms": torch.tensor(norms)}
    save_file({k: v.contiguous() for k, v in expected.items()}, os.path.join(folder, "expected.safetensors"))
    print(name, losses, norms)


for name, (settings, dtype) in ADAPTERS.items():
    make(name, settings, dtype)
