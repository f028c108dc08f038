"""Where a decoding step stops scaling: a simulation of its loops on more cores than there are.

    python scaling.py [name=value ...] [cores ...]      (for example memory=300e9 grain=50000 1 16 64)

A step is a list of loops in the order of the engine. Each is cut as `Team.forEach` cuts it, from the same grains, and its
ranges go to the cores one by one. With enough sequences each core decodes some of its own instead (`lanes`, see
Generator+Lanes.swift): no loop is shared, but each core reads all weights. What is measured, on one core, stands in MEASURED; what a larger machine would have
(bandwidth, cost of passing a cache line on) is assumed there too, and can be given by name. Printed: the speed-up over one
core, and where the time goes: cores without a range, starting loops, loops too small to be shared out and what is outside
of loops, waiting for memory.
"""

import sys
from dataclasses import dataclass

MEASURED = {
    "flops": 210e9,  # of one core in products of 16 to 64 rows
    "cache": 90e9,  # bytes per second that a core reads weights with, one row, from the shared cache
    "memory": 45e9,  # bytes per second of all cores from memory; a server has several times that
    "shared_cache": 32e6,
    "element": 0.25e-9,  # seconds for a number in norms, sums, rotations
    "pair": 0.11e-9,  # seconds for a number of a key or value that a head sees
    "sampled": 0.7e-9,  # seconds for a logit that is sampled from
    "alone": 35e-6,  # seconds of a step outside of all loops
    "loop": 0.1e-6,  # seconds to start a loop and to see its end
    "claim": 0.026e-6,  # seconds for a core to take a range
    "passed": 0.06e-6,  # seconds more where another core took the one before
    "grain": 300e3,  # products of a range; reading a weight counts as ten (`grain` in LinearGradients.swift)
}
PANEL, RANGES = 32, 4  # outputs of a panel of weights; ranges per core


@dataclass
class Model:
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    inner: int
    vocabulary: int
    size: int = 64

    @property
    def weights(self):
        kv = 2 * self.kv_heads * self.size
        layer = self.hidden * (2 * self.heads * self.size + kv + 3 * self.inner)
        return self.layers * layer + self.vocabulary * self.hidden


@dataclass
class Loop:
    count: int  # what is divided
    grain: int  # the smallest range worth a core
    seconds: float  # for all of it on one core


def product(m, rows, outputs, inputs):
    bandwidth = m["cache"] if rows < 8 else float("inf")
    seconds = max(2 * rows * outputs * inputs / m["flops"], 4 * outputs * inputs / bandwidth)
    return Loop(-(-outputs // PANEL), max(1, int(m["grain"]) // (max(rows, 10) * inputs * PANEL)), seconds)


def elements(m, rows, width, grain):
    return Loop(rows, max(1, grain // width), rows * width * m["element"])


def joined(product, element):
    """A product whose loop also does what follows it."""
    return Loop(product.count, product.grain, product.seconds + element.seconds)


def step(c, rows, context, m):
    width, kv = c.heads * c.size, c.kv_heads * c.size
    norm = elements(m, rows, c.hidden, 32_768)
    layer = [norm, product(m, rows, width + 2 * kv, c.hidden)]
    layer += [elements(m, rows, width, 32_768), elements(m, rows, kv, 32_768)]
    attention = Loop(rows, max(1, 65_536 // (width * context)), 2 * rows * width * context * m["pair"])
    layer += [joined(attention, elements(m, rows, 2 * kv, 1))]
    layer += [joined(product(m, rows, c.hidden, width), elements(m, rows, c.hidden, 1)), norm]
    layer += [joined(product(m, rows, 2 * c.inner, c.hidden), elements(m, rows, 4 * c.inner, 1))]
    layer += [joined(product(m, rows, c.hidden, c.inner), elements(m, rows, c.hidden, 1))]
    head = [norm, product(m, rows, c.vocabulary, c.hidden)]
    sampling = [Loop(rows, max(1, 8_192 // c.vocabulary), rows * c.vocabulary * m["sampled"])]
    return layer * c.layers + head + sampling


def makespan(loop, cores, m):
    """Seconds of a loop, and of them what is spent on sharing it out."""
    ranges = min(RANGES * cores, loop.count // loop.grain)
    if cores == 1 or ranges < 2:
        return loop.seconds, 0.0, True
    sizes = [loop.count * (i + 1) // ranges - loop.count * i // ranges for i in range(ranges)]
    finish = [0.0] * cores
    for size in sizes:
        first = finish.index(min(finish))
        finish[first] += loop.seconds * size / loop.count
    return max(finish), m["loop"] + ranges * (m["claim"] + (m["passed"] if cores > 2 else 0)), False


def simulate(name, c, rows, context=128):
    m = MEASURED
    loops = step(c, rows, context, m)
    streamed = 4 * c.weights / m["memory"] if 4 * c.weights > m["shared_cache"] else 0.0
    one = max(streamed, m["alone"] + sum(loop.seconds for loop in loops))
    print(f"{name}: {one * 1e3:.2f} ms on one core, {len(loops)} loops")
    for cores in CORES:
        busy = ideal = sharing = alone = 0.0
        for loop in loops:
            seconds, overhead, is_alone = makespan(loop, cores, m)
            sharing += overhead
            if is_alone:
                alone += seconds
            else:
                busy += seconds
                ideal += loop.seconds / cores
        computing = m["alone"] + alone + busy + sharing
        total = max(computing, streamed)
        waits = total - computing
        parts = {"idle": busy - ideal, "loops": sharing, "alone": m["alone"] + alone, "memory": waits}
        shares = "  ".join(f"{key} {100 * value / total:3.0f} %" for key, value in parts.items())
        print(f"  {cores:3} cores: {one / total:5.1f} times   {shares}")
        if cores > 1 and rows >= cores * (8 if streamed == 0 else 32):
            own = m["alone"] + sum(loop.seconds for loop in step(c, rows // cores, context, m))
            total = max(own, cores * streamed)
            print(f"      in lanes: {one / total:5.1f} times   memory {100 * (total - own) / total:3.0f} %")


given = dict(text.split("=") for text in sys.argv[1:] if "=" in text)
MEASURED |= {name: float(value) for name, value in given.items()}
CORES = [int(text) for text in sys.argv[1:] if "=" not in text] or [1, 2, 4, 16, 64]
T = Model(256, 4, 4, 2, 1024, 512)
S = Model(512, 8, 8, 4, 1408, 8192)
for rows in (1, 16, 64):
    simulate(f"T, {rows} sequences", T, rows)
for rows in (1, 64):
    simulate(f"S, {rows} sequences", S, rows)
