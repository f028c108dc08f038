-- Checks whether a run fits into memory before anything is allocated.

local apo = require "apo"
local fail = require "apo.fail"

-- The mean prompt length in tokens, over at most 256 rows; nil if unknown.
local function prompt_tokens(policy, data)
  local tokens, count = 0, 0
  for i = 1, #data, math.max(1, #data // 256) do
    local prompt = data[i].prompt
    local is_known, ids = pcall(function()
      if type(prompt) == "string" then return policy.tokenizer:encode(prompt) end
      if math.type(prompt[1]) then return prompt end
      local texts = {}  -- a conversation, without what the template adds
      for _, message in ipairs(prompt) do texts[#texts + 1] = message.content end
      return policy.tokenizer:encode(table.concat(texts, "\n"))
    end)
    if is_known and #ids > 0 then tokens, count = tokens + #ids, count + 1 end
  end
  return count > 0 and math.ceil(tokens / count) or nil
end

local function advice(estimate)
  if #estimate.advice == 0 then return "" end
  return "; what would help: " .. table.concat(estimate.advice, "; ")
end

-- Whether a step may make several updates, so that one that is abandoned between them needs a copy
-- of what they change.
local function needs_copy(o, algorithm)
  local updates_once = algorithm.single_update and (o.mini_batch or math.huge) >= o.batch_size
  return o.dir ~= nil and not updates_once
end

-- Prints the memory needed for the options `o` of apo.train with these rows and this algorithm.
-- Fails if they cannot fit even with the shortest completions, and warns if they may not fit with
-- completions of max_tokens. Returns whether weights and Adam moments are copied before a step's
-- first update (whole_state.lua): nil if no copy is needed, false if there is no memory for one.
return function(o, data, algorithm)
  local plan = {
    policy = o.policy, reference = o.reference,
    batch_size = math.min(o.batch_size, #data), n = algorithm.n,
    mini_batch = o.mini_batch and o.mini_batch * algorithm.n, micro_batch = o.micro_batch,
    max_tokens = o.max_tokens,
    prompt_tokens = prompt_tokens(o.policy, data),
    fresh = algorithm.fresh_samples and o.entropy_coef == 0,
    critic = algorithm.critic == true and o.policy or algorithm.critic or nil,
    sampler = algorithm.sampler, snapshot = needs_copy(o, algorithm),
  }
  if not o.reference and not algorithm.needs_reference then plan.reference = false end
  local is_quiet = o.quiet or (os.getenv("APO_QUIET") or "") ~= ""
  local estimate, text = apo.memory_estimate(plan)
  local copies = plan.snapshot or nil
  if copies and not estimate.fits then
    copies, plan.snapshot = false, false
    estimate, text = apo.memory_estimate(plan)
  end
  if not is_quiet then print(apo.system.visible(text, true)) end
  if copies == false and not is_quiet then
    print("warning: not enough memory for a copy of weights and moments: after an error in "
      .. "mid-step the run resumes from the last checkpoint; save_every makes these more "
      .. "frequent")
  end
  if estimate.fits then return copies end
  local help = advice(estimate)
  plan.max_tokens = 1
  if not apo.memory_estimate(plan).fits then
    fail(("train: %s%s"):format(text, help))
  elseif not is_quiet then
    print(("warning: completions of %d tokens will not fit into memory%s"):format(
      o.max_tokens, help))
  end
  return copies
end
