"""Small random models over the options of every family, by Hugging Face transformers and by apo-lua.

    python families.py PROGRAM FOLDER [COUNT] [SEED]

COUNT configurations a family are drawn from SEED, their config.json written as files in the wild are: older and newer
names of keys, keys left out, names of tensors with and without a prefix, formats and shards. For each of them logits of
a sequence and a greedy continuation are compared; the rows of `REFUSED` have to be errors that name the field.
"""

import json
import os
import random
import shutil
import subprocess
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, logging

from family_options import CONTEXT, FAMILIES, REFUSED, VOCABULARY

LENGTH, NEW, TOLERANCE = 40, 20, 1e-4


def randomise(model, seed):
    """Weights large enough that a wrong formula shows."""
    generator = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        is_norm = weight.dim() == 1 and not name.endswith("bias")
        weight.data = 1 + 0.2 * noise if is_norm else (0.3 if weight.dim() == 1 else 0.25) * noise


def save(rng, model, config, folder):
    """The weights under one of the names, formats and cuts that files have."""
    prefix = model.base_model_prefix + "."
    tied = model.config.tie_word_embeddings
    tensors = {k: v.clone() for k, v in model.state_dict().items() if not (tied and k == "lm_head.weight")}
    if tied and rng.random() < 0.5:
        tensors = {k.removeprefix(prefix): v for k, v in tensors.items()}
        prefix = ""
    elif tied and rng.random() < 0.3:
        tensors["lm_head.weight"] = model.get_input_embeddings().weight.clone()
    if config["model_type"] == "gpt2" and rng.random() < 0.5:
        for i in range(config["n_layer"]):
            tensors[f"{prefix}h.{i}.attn.bias"] = torch.tril(torch.ones(1, 1, CONTEXT, CONTEXT, dtype=torch.uint8))
            tensors[f"{prefix}h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
    kind = rng.choice(["float32", "float32", "bfloat16", "float16"])
    if kind != "float32" or rng.random() < 0.5:
        config[rng.choice(["torch_dtype", "dtype"])] = kind
    tensors = {k: v.to(getattr(torch, kind)) if v.is_floating_point() else v for k, v in tensors.items()}
    names = sorted(tensors)
    if rng.random() < 0.3:
        parts = [names[i::3] for i in range(3)]
        files = [f"model-{i + 1:05}-of-00003.safetensors" for i in range(3)]
        for file, part in zip(files, parts):
            save_file({k: tensors[k] for k in part}, f"{folder}/{file}", metadata={"format": "pt"})
        index = {k: file for file, part in zip(files, parts) for k in part}
        write(f"{folder}/model.safetensors.index.json", {"metadata": {}, "weight_map": index})
    else:
        save_file(tensors, f"{folder}/model.safetensors", metadata={"format": "pt"})


def write(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=2)


def make(rng, family, number, folder):
    """A folder and what transformers computes from it."""
    config = FAMILIES[family](rng)
    os.makedirs(folder, exist_ok=True)
    write(f"{folder}/config.json", config)
    torch.manual_seed(number)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    randomise(model, number)
    save(rng, model, config, folder)
    write(f"{folder}/config.json", config)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ids = [rng.randrange(VOCABULARY) for _ in range(LENGTH)]
    prompt = torch.tensor([ids[:9]])
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
        model.generation_config.eos_token_id = None
        # Without its cache, which forgets nothing where the sliding window is 1.
        greedy = model.generate(prompt, use_cache=False, attention_mask=torch.ones_like(prompt), do_sample=False,
                                max_new_tokens=NEW, min_new_tokens=NEW, pad_token_id=0)[0, 9:].tolist()
    return {"folder": folder, "family": family, "ids": ids, "greedy": greedy}, logits


def main(program, root, count=40, seed=1):
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    shutil.rmtree(root, ignore_errors=True)
    cases, expected = [], []
    for family in FAMILIES:
        rng = random.Random(f"{family} {seed}")
        for number in range(count):
            folder = f"{root}/{family}-{number}"
            try:
                case, logits = make(rng, family, number, folder)
            except Exception as error:
                sys.exit(f"{folder}/config.json, drawn by family_options.py, fails in transformers: {error}")
            cases.append(case)
            expected.append(logits)
    for number, (_, config) in enumerate(REFUSED):
        os.makedirs(f"{root}/refused-{number}", exist_ok=True)
        write(f"{root}/refused-{number}/config.json", config)
        cases.append({"folder": f"{root}/refused-{number}"})
    write(f"{root}/cases.json", cases)
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "families.lua")
    subprocess.run([program, script, root], check=True)
    with open(f"{root}/results.jsonl") as file:
        results = [json.loads(line) for line in file]
    failures = 0
    for family in FAMILIES:
        worst = 0.0
        rows = [i for i, case in enumerate(cases) if case.get("family") == family]
        for i in rows:
            fault = results[i].get("error")
            if not fault:
                ours = torch.tensor(results[i]["logits"]).reshape(expected[i].shape)
                difference = (ours - expected[i]).abs().max().item()
                worst = max(worst, difference)
                if not difference < TOLERANCE:
                    fault = f"logits are {difference:.2e} apart"
                elif results[i]["greedy"] != cases[i]["greedy"]:
                    fault = f"greedy ids {results[i]['greedy']} expected {cases[i]['greedy']}"
            if fault:
                failures += 1
                print(f"{cases[i]['folder']}: {fault}")
        print(f"{family:<8} {len(rows)} models, largest difference of a logit {worst:.1e}")
    for (field, config), result in zip(REFUSED, results[len(expected):]):
        if f"field '{field}'" not in (result.get("error") or ""):
            failures += 1
            print(f"{config}: an error about '{field}' expected, got {result.get('error')}")
    print(f"refused  {len(REFUSED)} configurations by name")
    print(f"{failures} failures" if failures else "all agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
