"""Generation by llama.cpp, through the C interface of llama-cpp-python. See worker.lua for the protocol.

All sequences are decoded in one batch with the library's defaults (a key-value cache of float16, flash attention where
it chooses so). Nothing is sampled: logits of all sequences are computed at each step, and fixed tokens go in.
"""

import os
import subprocess
import sys

import llama_cpp.llama_cpp as api
import protocol


def gguf(spec):
    path = f"{spec['folder']}/{spec['dtype']}.gguf"
    if not os.path.exists(path):  # in a process of its own, whose memory is not counted
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gguf_file.py")
        subprocess.run([sys.executable, script, spec["folder"], spec["dtype"], path], check=True)
    return path


class Engine:
    def __init__(self, path, sequences, length):
        api.llama_backend_init()
        self.model = api.llama_model_load_from_file(path.encode(), api.llama_model_default_params())
        self.vocabulary = api.llama_vocab_n_tokens(api.llama_model_get_vocab(self.model))
        params = api.llama_context_default_params()
        params.n_ctx, params.n_seq_max = sequences * length, sequences
        params.n_threads = params.n_threads_batch = protocol.threads()
        self.context = api.llama_init_from_model(self.model, params)
        self.limit = params.n_batch
        self.batch = api.llama_batch_init(self.limit, 0, 1)

    def decode(self, entries):
        """Entries are (token, position, sequence, whether its logits are wanted)."""
        b = self.batch
        for first in range(0, len(entries), self.limit):
            part = entries[first : first + self.limit]
            b.n_tokens = len(part)
            for i, (token, position, sequence, wanted) in enumerate(part):
                b.token[i], b.pos[i], b.logits[i] = token, position, wanted
                b.n_seq_id[i], b.seq_id[i][0] = 1, sequence
            status = api.llama_decode(self.context, b)
            if status != 0:
                raise RuntimeError(f"llama_decode: status {status}")
        api.llama_synchronize(self.context)

    def logits(self, index):
        return api.llama_get_logits_ith(self.context, index)[: self.vocabulary]

    def clear(self):
        api.llama_memory_clear(api.llama_get_memory(self.context), True)


def generator(spec):
    length = spec["prompt"] + spec["new"]
    engine = Engine(gguf(spec), spec["batch"], length)
    prompts = protocol.prompts(spec, engine.vocabulary)

    def run():
        engine.clear()
        engine.decode([
            (token, position, sequence, position == len(ids) - 1)
            for sequence, ids in enumerate(prompts) for position, token in enumerate(ids)])
        for position in range(spec["prompt"], length - 1):
            engine.decode([(ids[position % len(ids)], position, i, True) for i, ids in enumerate(prompts)])

    return run


if __name__ == "__main__":
    protocol.serve(generator(protocol.specification()))
