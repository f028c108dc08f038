"""Loads the folders that scripts/saved.lua wrote in Hugging Face transformers and compares what they compute.

    python saved.py FOLDER
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, logging

TOLERANCE = 1e-4


def compare(case):
    """The largest difference of a logit; raises where ids or texts differ or the folder does not fit the model."""
    model, report = AutoModelForCausalLM.from_pretrained(
        case["folder"], dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    faults = {key: value for key, value in report.items() if value}
    assert not faults, faults
    model.eval()
    model.generation_config.eos_token_id = None
    tokenizer = AutoTokenizer.from_pretrained(case["folder"])
    worst = 0.0
    for expected in case["texts"]:
        ids = tokenizer(expected["text"], return_tensors="pt").input_ids
        assert ids[0].tolist() == expected["ids"], f"ids of {expected['text']!r}: {ids[0].tolist()}"
        with torch.no_grad():
            logits = model(ids).logits.flatten()
            greedy = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, min_new_tokens=16,
                                    max_new_tokens=16, pad_token_id=0)[0, ids.shape[1]:]
        worst = max(worst, (logits - torch.tensor(expected["logits"])).abs().max().item())
        assert greedy.tolist() == expected["greedy"], f"greedy ids after {expected['text']!r}: {greedy.tolist()}"
        known = greedy[greedy < len(tokenizer)]  # A model may have rows that belong to no token.
        decoded = tokenizer.decode(known, clean_up_tokenization_spaces=False)
        assert decoded == expected["decoded"], f"{decoded!r} is {expected['decoded']!r} here"
    assert worst < TOLERANCE, f"logits are {worst:.1e} apart"
    return worst


def main(root):
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    with open(f"{root}/cases.json") as file:
        cases = json.load(file)
    failures = 0
    print("| model | saved as | largest difference of a logit | greedy, token ids, texts |\n|---|---|---|---|")
    for case in cases:
        try:
            row = f"{compare(case):.1e} | equal"
        except Exception as fault:  # Whatever transformers raises about a folder is a failure of that folder.
            failures += 1
            row = f"{type(fault).__name__}: {fault} |"
        print(f"| {case['name']} | {case['format']} | {row} |")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
