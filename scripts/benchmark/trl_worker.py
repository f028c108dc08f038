"""A step of TRL's GRPOTrainer in float32 on the CPU. See worker.lua for the protocol.

The trainer's settings are its defaults but for what makes the work the same: all completions in one update, no end
token before the last position, no checkpointing of activations (which would compute the layers twice). No reference
model, as is its default. A step begins when one is wanted: a callback waits.
"""

import tempfile
import time

import protocol
import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer


class OneStepAtATime(TrainerCallback):
    def on_train_begin(self, args, state, control, **_):
        protocol.answer(ready=True)

    left = 0

    def on_step_begin(self, args, state, control, **_):
        if self.left == 0:
            self.times = self.left = protocol.wanted()
            self.start = time.perf_counter()
        if self.times == 0:
            raise SystemExit

    def on_step_end(self, args, state, control, **_):
        self.left -= 1
        if self.left == 0:
            protocol.answer(seconds=(time.perf_counter() - self.start) / self.times)


def tokenizer(vocabulary):
    words = Tokenizer(models.WordLevel({f"t{i}": i for i in range(vocabulary)}, unk_token="t0"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, eos_token="t0", pad_token="t0", padding_side="left")


def main():
    torch.set_num_threads(protocol.threads())
    spec = protocol.specification()
    model = AutoModelForCausalLM.from_pretrained(spec["folder"], dtype=torch.float32)
    vocabulary, batch, n = model.config.vocab_size, spec["batch"], spec["n"]
    texts = [" ".join(f"t{i}" for i in ids) for ids in protocol.prompts(spec, vocabulary)[::n]]
    with tempfile.TemporaryDirectory() as folder:
        settings = GRPOConfig(
            output_dir=folder, use_cpu=True, bf16=False, activation_checkpointing=False,
            per_device_train_batch_size=batch, num_generations=n, max_completion_length=spec["new"],
            generation_kwargs={"min_new_tokens": spec["new"]}, max_steps=10**6, logging_steps=10**6,
            save_strategy="no", report_to=[], disable_tqdm=True, seed=1)
        GRPOTrainer(
            model=model, args=settings, train_dataset=Dataset.from_dict({"prompt": texts}),
            processing_class=tokenizer(vocabulary), callbacks=[OneStepAtATime()],
            reward_funcs=lambda completions, completion_ids, **_: [float(ids[0] % 2) for ids in completion_ids],
        ).train()


main()
