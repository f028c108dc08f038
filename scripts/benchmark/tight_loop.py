"""Generation in PyTorch without a framework around it: what a careful user would write.

The weights of a Qwen2 model from transformers, query, key and value maps in one matrix, gate and up maps in one, a
preallocated cache, grouped queries without copies of keys, plain tensor code, one multinomial draw a step.
"""

import torch
import torch.nn.functional as F


class Decoder:
    def __init__(self, model, batch, length):
        c, weights = model.config, model.state_dict()
        self.heads, self.groups = c.num_attention_heads, c.num_key_value_heads
        self.width, self.eps = c.hidden_size // c.num_attention_heads, c.rms_norm_eps
        self.table, self.norm = weights["model.embed_tokens.weight"], weights["model.norm.weight"]
        self.layers = [self.fused(weights, f"model.layers.{i}.") for i in range(c.num_hidden_layers)]
        shape = (len(self.layers), batch, self.groups, length, self.width)
        self.keys, self.values = torch.empty(shape), torch.empty(shape)
        theta = getattr(c, "rope_theta", None) or c.rope_parameters["rope_theta"]
        frequencies = theta ** (-torch.arange(0, self.width, 2) / self.width)
        angles = torch.outer(torch.arange(length), frequencies).repeat(1, 2)
        self.cos, self.sin = angles.cos(), angles.sin()

    @staticmethod
    def fused(weights, prefix):
        def join(names, kind="weight"):
            return torch.cat([weights[f"{prefix}{name}.{kind}"] for name in names])

        maps = [f"self_attn.{name}_proj" for name in "qkv"]
        return (
            weights[prefix + "input_layernorm.weight"], join(maps), join(maps, "bias"),
            weights[prefix + "self_attn.o_proj.weight"], weights[prefix + "post_attention_layernorm.weight"],
            join(["mlp.gate_proj", "mlp.up_proj"]), weights[prefix + "mlp.down_proj.weight"])

    def normalize(self, x, weight):
        return F.rms_norm(x, weight.shape, weight, self.eps)

    def rotate(self, x, start):
        cos, sin = self.cos[start : start + x.shape[2]], self.sin[start : start + x.shape[2]]
        first, second = x.chunk(2, -1)
        return x * cos + torch.cat((-second, first), -1) * sin

    def attention(self, index, mixed, start):
        """`mixed` is [B, T, queries, keys and values]; gives [B, T, C]."""
        b, t, _ = mixed.shape
        mixed = mixed.view(b, t, self.heads + 2 * self.groups, self.width).transpose(1, 2)
        q, k, v = mixed.split([self.heads, self.groups, self.groups], 1)
        end = start + t
        self.keys[index, :, :, start:end] = self.rotate(k, start)
        self.values[index, :, :, start:end] = v
        q = self.rotate(q, start)
        keys, values = self.keys[index, :, :, :end], self.values[index, :, :, :end]
        if t > 1:  # the prompt
            out = F.scaled_dot_product_attention(q, keys, values, is_causal=True, enable_gqa=True)
        else:  # queries of a group side by side: one small product for each key head
            q = q.view(b, self.groups, self.heads // self.groups, self.width)
            scores = torch.matmul(q, keys.transpose(2, 3)) * self.width**-0.5
            out = torch.matmul(scores.softmax(-1), values)
        return out.reshape(b, self.heads, t, self.width).transpose(1, 2).reshape(b, t, -1)

    def logits(self, tokens, start):
        x = F.embedding(tokens, self.table)
        for index, (norm, mix, bias, out, second_norm, gate_up, down) in enumerate(self.layers):
            mixed = F.linear(self.normalize(x, norm), mix, bias)
            x = x + F.linear(self.attention(index, mixed, start), out)
            gate, up = F.linear(self.normalize(x, second_norm), gate_up).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, down)
        return F.linear(self.normalize(x[:, -1], self.norm), self.table)

    @torch.inference_mode()
    def generate(self, prompts, new):
        tokens, start, chosen = prompts, 0, []
        for _ in range(new):
            logits = self.logits(tokens, start)
            start += tokens.shape[1]
            tokens = torch.multinomial(logits.softmax(-1), 1)
            chosen.append(tokens)
        return torch.cat(chosen, 1)
