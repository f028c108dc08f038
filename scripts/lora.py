"""Lets PEFT and transformers load the adapters and the merged models that apo-lua writes, and compares the logits.

    APO_SHARED=... python lora.py PROGRAM
"""

import json
import os
import subprocess
import sys
import tempfile

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, logging

SCRIPT = """
local apo = require "apo"
local base, folder = arg[1], arg[2]
local model = apo.load(base):add_adapter(apo.json.decode(arg[3]))
apo.seed(1)
apo.no_grad(function()
  for _, tensor in ipairs(model:parameters()) do
    tensor:copy_(apo.randn(table.unpack(tensor:shape())) * 0.2)
  end
end)
model:save_adapter(folder .. "/adapter")
model:save(folder .. "/merged")
apo.json.write(folder .. "/logits.json", model:logits{3, 14, 15, 92, 65, 35, 89}:totable())
"""
IDS = torch.tensor([[3, 14, 15, 92, 65, 35, 89]])
CASES = {
    "tiny-qwen2-tied": [{}, {"r": 4, "target_modules": "all-linear", "lora_alpha": 5}],
    "tiny-llama-mha": [{"r": 3, "target_modules": ["o_proj", "mlp.up_proj"], "use_rslora": True}],
    "tiny-qwen3": [{"target_modules": ["q_proj", "k_proj"], "rank_pattern": {"k_proj": 2},
                    "alpha_pattern": {"layers.0.self_attn.q_proj": 3}}],
    "tiny-mistral-swa": [{"r": 64, "lora_alpha": 4.5}],
    "tiny-gpt2": [{}, {"target_modules": "all-linear"}],
}


def base(folder):
    return AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager").eval()


def difference(model, expected):
    with torch.no_grad():
        return (model(input_ids=IDS).logits[0] - expected).abs().max().item()


def compare(program, model, settings):
    """The largest differences of the adapter and of the merged model."""
    path = os.path.join(os.environ["APO_SHARED"], "fixtures/models", model)
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "script.lua")
        with open(script, "w") as file:
            file.write(SCRIPT)
        subprocess.run([program, script, path, folder, json.dumps(settings)], check=True)
        with open(os.path.join(folder, "logits.json")) as file:
            expected = torch.tensor(json.load(file))
        adapted = PeftModel.from_pretrained(base(path), os.path.join(folder, "adapter")).eval()
        changed = difference(base(path), expected)
        assert changed > 1e-2, f"{model}: the adapter changes nothing ({changed})"
        return difference(adapted, expected), difference(base(os.path.join(folder, "merged")), expected)


logging.set_verbosity_error()
logging.disable_progress_bar()
worst = 0
for model, cases in CASES.items():
    for settings in cases:
        adapter, merged = compare(sys.argv[1], model, settings)
        worst = max(worst, adapter, merged)
        print(f"{model:18} adapter {adapter:.1e}  merged {merged:.1e}  {json.dumps(settings)}", flush=True)
sys.exit(f"differences above 1e-4: {worst}" if worst > 1e-4 else 0)
