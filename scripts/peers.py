"""The rows of scripts/bench.lua in PyTorch and Hugging Face transformers, on the same model folder, float32, CPU.

    python peers.py MODEL_FOLDER

Generation is `model.generate` with a key-value cache and plain sampling; scoring computes logits at completion positions
only; training is forward, backward, clipping and torch.optim.AdamW. Sequences have equal lengths, so nothing is padded.
"""

import os
import statistics
import sys
import time

import torch
from transformers import AutoModelForCausalLM

PROMPT, COMPLETION = 64, 128
SETTINGS = {512: ([1, 16, 64], 128, 32), 8192: ([1, 16, 64], 128, 32), 151936: ([1, 8, 16], 32, 2)}


def median(times, function):
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def ids(rows, length, vocabulary):
    return torch.tensor([[(i * 7 + r * 31) % min(vocabulary, 500) for i in range(length)] for r in range(rows)])


def log_probabilities(model, tokens):
    hidden = model.model(tokens).last_hidden_state[:, PROMPT - 1 : -1]
    logits = model.lm_head(hidden)
    return torch.log_softmax(logits, -1).gather(-1, tokens[:, PROMPT:, None]).squeeze(-1)


def main(folder):
    torch.set_num_threads(int(os.environ.get("APO_THREADS", len(os.sched_getaffinity(0)))))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    vocabulary = model.config.vocab_size
    batches, new, rows = SETTINGS[vocabulary]
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    for batch in batches:
        prompt = ids(batch, PROMPT, vocabulary)
        seconds = median(3, lambda: model.generate(
            prompt, attention_mask=torch.ones_like(prompt), do_sample=True, top_k=0, min_new_tokens=new,
            max_new_tokens=new, pad_token_id=0))
        print(f"  generate, batch {batch:<6} {seconds:9.3f} s {batch * new / seconds:9.0f} tokens/s")
    tokens = ids(rows, PROMPT + COMPLETION, vocabulary)
    with torch.no_grad():
        seconds = median(3, lambda: log_probabilities(model, tokens))
    print(f"  score                  {seconds:9.3f} s {tokens.numel() / seconds:9.0f} tokens/s")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def step():
        log_probabilities(model, tokens).sum(-1).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    seconds = median(3, step)
    print(f"  train                  {seconds:9.3f} s {tokens.numel() / seconds:9.0f} tokens/s")


main(sys.argv[1])
