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

VOCABULARY, CONTEXT, LENGTH, NEW, TOLERANCE = 96, 64, 40, 20, 1e-4
FAMILIES = ["qwen2", "qwen3", "llama", "mistral", "olmo2", "smollm3", "gpt2"]


def maybe(rng, config, **settings):
    """Each setting with even chance; what is left out takes the family's default."""
    for key, value in settings.items():
        if rng.random() < 0.5:
            config[key] = value


def rope(rng, config):
    """The ways to say how positions are turned."""
    theta = rng.choice([100.0, 10000.0, 5e5, 1000000])
    kind = rng.choice(["none", "default", "linear", "dynamic", "llama3", "yarn", "yarn"])
    settings = {}
    if kind in ("linear", "dynamic", "llama3", "yarn"):
        settings["factor"] = rng.choice([1.0, 2, 2.5, 8.0])
    if kind == "llama3":
        settings |= {"low_freq_factor": rng.choice([1, 1.0, 0.5]), "high_freq_factor": rng.choice([4.0, 8])}
        maybe(rng, settings, original_max_position_embeddings=rng.choice([16, 32]))
    if kind == "yarn":
        maybe(rng, settings, original_max_position_embeddings=rng.choice([8, 16, 32]), beta_fast=rng.choice([4, 16.0]),
              beta_slow=rng.choice([0.5, 2]), truncate=rng.choice([True, False]))
        more = rng.choice(["none", "factor", "both", "mscale", "null"])
        if more == "factor":
            settings["attention_factor"] = rng.choice([0.8, 1.3])
        if more == "null":
            settings["attention_factor"] = None
        if more in ("both", "mscale"):
            settings["mscale"] = rng.choice([0.707, 1.0, 0])
        if more == "both":
            settings["mscale_all_dim"] = rng.choice([0.5, 1.2])
    place = rng.choice(["rope_scaling", "rope_parameters"])
    if kind == "none":
        if rng.random() < 0.3:
            config[place] = rng.choice([None, {}])
        maybe(rng, config, rope_theta=theta)
        return
    settings[rng.choice(["rope_type", "type"])] = kind
    if rng.random() < 0.2:
        settings["type"] = settings["rope_type"] = kind
    if rng.random() < 0.5:
        settings["rope_theta"] = theta
        if rng.random() < 0.2:
            config["rope_theta"] = 12345.0
    else:
        config["rope_theta"] = theta
    config[place] = settings
    if kind == "yarn" and rng.random() < 0.1:
        config["original_max_position_embeddings"] = 24


def heads(rng, config):
    count = rng.choice([2, 4, 6])
    config["num_attention_heads"] = count
    config["hidden_size"] = count * rng.choice([4, 6, 8])
    choice = rng.choice(["one", "some", "all", "missing", "null"])
    if choice in ("one", "some", "all"):
        config["num_key_value_heads"] = {"one": 1, "some": count // 2, "all": count}[choice]
    if choice == "null":
        config["num_key_value_heads"] = None


def rotary_family(rng, kind):
    config = {"model_type": kind, "vocab_size": VOCABULARY, "intermediate_size": rng.choice([20, 37, 64]),
              "num_hidden_layers": rng.choice([1, 2, 3]), "max_position_embeddings": CONTEXT}
    heads(rng, config)
    maybe(rng, config, rms_norm_eps=rng.choice([1e-5, 1e-6, 1e-3]), hidden_act=rng.choice(["silu", "swish"]),
          tie_word_embeddings=rng.choice([True, False]), architectures=["X"], use_cache=rng.choice([True, False]),
          head_dim=rng.choice([4, 6, 16]), attention_dropout=0.1, initializer_range=0.01)
    if rng.random() < 0.2 and kind in ("llama", "mistral"):
        config["head_dim"] = None
    if kind == "qwen3":
        config.setdefault("head_dim", rng.choice([8, 10]))
    rope(rng, config)
    return config


def qwen_windows(rng, config):
    layers = config["num_hidden_layers"]
    maybe(rng, config, use_sliding_window=rng.choice([True, False]), sliding_window=rng.choice([1, 5, 16, None]),
          max_window_layers=rng.choice([0, 1, 2, 28]))
    if rng.random() < 0.3 and config.get("use_sliding_window") and config.get("sliding_window"):
        config["layer_types"] = [rng.choice(["sliding_attention", "full_attention"]) for _ in range(layers)]
    elif rng.random() < 0.1:
        config |= {"layer_types": ["full_attention"] * layers, "use_sliding_window": False}


def qwen2(rng):
    config = rotary_family(rng, "qwen2")
    if "num_key_value_heads" not in config:
        config["num_key_value_heads"] = config["num_attention_heads"]  # Its default, 32, fits none of these sizes.
    qwen_windows(rng, config)
    return config


def qwen3(rng):
    config = rotary_family(rng, "qwen3")
    if "num_key_value_heads" not in config:
        config["num_key_value_heads"] = 1
    maybe(rng, config, attention_bias=rng.choice([True, False]))
    qwen_windows(rng, config)
    return config


def llama(rng):
    config = rotary_family(rng, "llama")
    maybe(rng, config, attention_bias=rng.choice([True, False]), mlp_bias=rng.choice([True, False]), pretraining_tp=1)
    return config


def mistral(rng):
    config = rotary_family(rng, "mistral")
    if "num_key_value_heads" not in config and rng.random() < 0.7:
        config["num_attention_heads"], config["hidden_size"] = 8 * rng.choice([1, 2]), 32  # Its default is 8.
        config["head_dim"] = 4
    elif config.get("num_key_value_heads") is None:
        config["num_key_value_heads"] = 1
    maybe(rng, config, sliding_window=rng.choice([1, 2, 7, None, 4096]))
    return config


def olmo2(rng):
    config = rotary_family(rng, "olmo2")
    maybe(rng, config, attention_bias=rng.choice([True, False]))
    return config


def smollm3(rng):
    config = rotary_family(rng, "smollm3") | {"pad_token_id": None}
    if config.get("num_key_value_heads", 4) == 4:
        config["num_key_value_heads"] = 1  # Its default is 4.
    maybe(rng, config, attention_bias=rng.choice([True, False]), mlp_bias=rng.choice([True, False]),
          no_rope_layers=[rng.choice([0, 1]) for _ in range(config["num_hidden_layers"])],
          no_rope_layer_interval=rng.choice([1, 2, 3]), use_sliding_window=False)
    return config


def gpt2(rng):
    count = rng.choice([1, 2, 3, 4])
    config = {"model_type": "gpt2", "vocab_size": VOCABULARY, "n_embd": count * rng.choice([4, 5, 8]), "n_head": count,
              "n_layer": rng.choice([1, 2, 3]), "n_positions": CONTEXT}
    activation = rng.choice(["gelu_new", "gelu", "gelu_fast", "gelu_pytorch_tanh", "relu", "silu", "swish"])
    maybe(rng, config, n_inner=rng.choice([None, 20, 33]), activation_function=activation, n_ctx=CONTEXT,
          layer_norm_epsilon=rng.choice([1e-5, 1e-3]), tie_word_embeddings=rng.choice([True, False]),
          scale_attn_weights=rng.choice([True, False]), scale_attn_by_inverse_layer_idx=rng.choice([True, False]),
          reorder_and_upcast_attn=rng.choice([True, False]), resid_pdrop=0.1, embd_pdrop=0.1, attn_pdrop=0.1)
    return config


LLAMA = {"model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": 16, "intermediate_size": 24,
         "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": CONTEXT}
GPT2 = {"model_type": "gpt2", "vocab_size": VOCABULARY, "n_embd": 16, "n_head": 2, "n_layer": 1, "n_positions": CONTEXT}
REFUSED = [
    ("model_type", LLAMA | {"model_type": "qwen2_moe"}),
    ("model_type", LLAMA | {"model_type": "gemma2"}),
    ("rope_scaling.rope_type", LLAMA | {"rope_scaling": {"rope_type": "longrope", "factor": 2.0}}),
    ("rope_scaling.type", LLAMA | {"rope_scaling": {"type": "su", "factor": 2.0}}),
    ("rope_parameters.rope_type", LLAMA | {"rope_parameters": {"rope_type": "mrope"}}),
    ("rope_parameters.full_attention", LLAMA | {"rope_parameters": {"full_attention": {"rope_type": "default"}}}),
    ("rope_scaling.factor", LLAMA | {"rope_scaling": {"type": "linear"}}),
    ("partial_rotary_factor", LLAMA | {"partial_rotary_factor": 0.5}),
    ("hidden_act", LLAMA | {"hidden_act": "gelu"}),
    ("quantization_config", LLAMA | {"quantization_config": {"quant_method": "gptq", "bits": 4}}),
    ("sliding_window", LLAMA | {"sliding_window": 8}),
    ("mlp_bias", LLAMA | {"model_type": "qwen2", "mlp_bias": True}),
    ("attention_bias", LLAMA | {"model_type": "mistral", "attention_bias": True}),
    ("layer_types", LLAMA | {"model_type": "qwen3", "layer_types": ["sliding_attention"]}),
    ("activation_function", GPT2 | {"activation_function": "quick_gelu"}),
    ("add_cross_attention", GPT2 | {"add_cross_attention": True}),
]


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
    config = globals()[family](rng)
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
            case, logits = make(rng, family, number, f"{root}/{family}-{number}")
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
