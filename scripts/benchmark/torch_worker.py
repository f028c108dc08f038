"""The rows in PyTorch and Hugging Face transformers on the CPU. See worker.lua for the protocol.

Generation is `model.generate`, or the loop in tight_loop.py; both sample. Scoring computes logits at completion
positions only; training is forward, backward, clipping and the fused torch.optim.AdamW. Lengths are equal, so nothing
is padded. bfloat16 means autocast.
"""

import contextlib
import copy
import time

import protocol
import torch


def load(spec):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(spec["folder"], dtype=torch.float32)


def precision(spec):
    if spec.get("dtype") == "bfloat16":
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def generator(spec, model, prompts):
    if spec.get("loop") == "tight":
        from tight_loop import Decoder

        decoder = Decoder(model, len(prompts), spec["prompt"] + spec["new"])
        return lambda: decoder.generate(prompts, spec["new"])
    return lambda: model.generate(
        prompts, attention_mask=torch.ones_like(prompts), do_sample=True, top_k=0,
        min_new_tokens=spec["new"], max_new_tokens=spec["new"], pad_token_id=0)


def generate(spec):
    model = load(spec).eval()
    prompts = torch.tensor(protocol.prompts(spec, model.config.vocab_size))
    sample = generator(spec, model, prompts)

    def run():
        sample()

    return run


def log_probabilities(model, tokens, prompt):
    hidden = model.model(tokens).last_hidden_state[:, prompt - 1 : -1]
    logits = model.lm_head(hidden).float()
    chosen = logits.gather(-1, tokens[:, prompt:, None]).squeeze(-1)
    return (chosen - logits.logsumexp(-1)).sum(-1)


def recorded(spec, vocabulary):
    return torch.tensor([
        protocol.ids(spec["prompt"], vocabulary, i) + protocol.ids(spec["new"], vocabulary, i + 1)
        for i in range(1, spec["batch"] + 1)])


def score(spec):
    model = load(spec)
    tokens = recorded(spec, model.config.vocab_size)

    def run():
        with torch.no_grad(), precision(spec):
            log_probabilities(model, tokens, spec["prompt"])

    return run


def updater(model, lr):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, fused=True)

    def update(loss):
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return update


def train(spec):
    model = load(spec)
    tokens = recorded(spec, model.config.vocab_size)
    update = updater(model, 1e-4)

    def run():
        with precision(spec):
            loss = log_probabilities(model, tokens, spec["prompt"]).mean()
        update(loss)

    return run


def rl(spec):
    """A*-PO with `model.generate`: one sample for each prompt, log-probabilities of the reference, one update."""
    model = load(spec)
    reference = copy.deepcopy(model).requires_grad_(False)
    prompts = torch.tensor(protocol.prompts(spec, model.config.vocab_size))
    sample, update = generator(spec, model, prompts), updater(model, 1e-6)

    def run():
        tokens = sample()
        advantage = (tokens[:, spec["prompt"]] % 2).float() - 0.5
        with torch.no_grad(), precision(spec):
            of_reference = log_probabilities(reference, tokens, spec["prompt"])
        with precision(spec):
            of_policy = log_probabilities(model, tokens, spec["prompt"])
        update(((1e-3 * (of_policy - of_reference) - advantage) ** 2).mean())

    return run


def call(spec):
    t = torch.rand(64)

    def run():
        for _ in range(spec["count"]):
            t.numel()

    return run


def tensor(spec):
    a, b = torch.rand(64), torch.rand(64)

    def run():
        for _ in range(spec["count"]):
            a + b

    return run


def limits(spec):
    width = spec["width"]
    a, b = torch.rand(width, width), torch.rand(width, width)
    low = a.bfloat16(), b.bfloat16()

    def rate(x, y):
        start = time.perf_counter()
        x @ y
        return 2 * width**3 / (time.perf_counter() - start)

    return lambda: {"torch": rate(a, b), "torch_bf16": rate(*low)}


if __name__ == "__main__":
    torch.set_num_threads(protocol.threads())
    torch.manual_seed(1)
    given = protocol.specification()
    protocol.serve(globals()[given["kind"]](given))
