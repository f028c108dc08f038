"""What scripts/families.py draws: the config.json of every family as files in the wild write it, and what is refused."""

VOCABULARY, CONTEXT = 96, 64


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
# Fields whose name has to be in the error, and the configurations that have to give it.
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


FAMILIES = {"qwen2": qwen2, "qwen3": qwen3, "llama": llama, "mistral": mistral, "olmo2": olmo2, "smollm3": smollm3,
            "gpt2": gpt2}
