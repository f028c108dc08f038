"""What the Python workers share: the protocol of worker.lua, and the token ids that all engines get."""

import json
import os
import sys
import time

# Answers go to what was standard output; what libraries print goes to standard error.
_answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


def threads():
    return int(os.environ["APO_THREADS"])


def ids(count, vocabulary, offset):
    return [(i * 7 + offset * 31) % min(vocabulary, 500) for i in range(1, count + 1)]


def prompts(spec, vocabulary):
    """A list of ids for each completion; those of one prompt follow each other."""
    n = spec.get("n", 1)
    return [ids(spec["prompt"], vocabulary, i // n + 1) for i in range(spec["batch"])]


def _peak():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def answer(**values):
    print(json.dumps({**values, "memory": _peak()}), file=_answers)


def specification():
    return json.loads(sys.stdin.readline())


def wanted():
    """Waits until runs are wanted, and gives how many; 0 at the end."""
    return int(sys.stdin.readline() or 0)


def serve(run):
    answer(ready=True)
    while times := wanted():
        start = time.perf_counter()
        for _ in range(times):
            rates = run()
        answer(seconds=(time.perf_counter() - start) / times, rates=rates)
