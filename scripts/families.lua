-- The part of scripts/families.py that apo-lua computes: logits and greedy ids of every case, or the error.

local apo = require "apo"

local root = arg[1]
local out = assert(io.open(root .. "/results.jsonl", "w"))

local function compute(case)
  local model = apo.load(case.folder)
  if not case.ids then return {} end
  local prompt = {table.unpack(case.ids, 1, 9)}
  local rollout = model:generate({prompt}, {max_tokens = #case.greedy, temperature = 0, ignore_eos = true})
  return {logits = model:logits(case.ids):reshape(-1):totable(), greedy = rollout[1].ids}
end

for _, case in ipairs(apo.json.read(root .. "/cases.json")) do
  local ok, result = pcall(compute, case)
  out:write(apo.json.encode(ok and result or {error = tostring(result)}), "\n")
end
out:close()
