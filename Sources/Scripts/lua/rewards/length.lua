-- Rewards that depend on the number of tokens of a completion, the end token included.
--
--   overlong   0 up to L - c tokens, then down in a straight line to -1 at L: DAPO's soft overlong
--              punishment (Yu et al. 2025, arXiv 2503.14476, eq. 13); L is max_tokens, c the buffer
--   cosine     from one value for the shortest to another for the longest, along half a cosine;
--              other values for wrong answers, so that these may go on thinking (Yeo et al. 2025,
--              arXiv 2502.03373)

local documented, fail = require "apo.documented", require "apo.fail"
local correct = require "apo.rewards.correct"

local function overlong(options)
  local longest, buffer = options.max_tokens, options.buffer
  if not buffer then fail("length: option 'buffer' is missing (an integer)") end
  if buffer > longest then
    fail(("length: the buffer (%d) is larger than max_tokens (%d)"):format(buffer, longest))
  end
  return function(_, completion)
    local over = #completion.ids - (longest - buffer)
    return over <= 0 and 0 or math.max(-1, -over / buffer)
  end
end

local function check_ends(options, name)
  if #options[name] ~= 2 then
    fail(("length: option '%s' must be {at no tokens, at max_tokens}"):format(name))
  end
end

local function cosine(options)
  if not options.reward then fail("length: option 'reward' is missing (a function)") end
  check_ends(options, "right")
  check_ends(options, "wrong")
  local is_correct = correct.test(options.correct)
  return function(row, completion)
    local reward = options.reward(row, completion)
    if type(reward) ~= "number" then
      fail("length: the reward must return a number, got " .. type(reward))
    end
    if options.truncated and completion.finish_reason == "length" then return options.truncated end
    local ends = options[is_correct(reward, completion) and "right" or "wrong"]
    local part = math.min(1, #completion.ids / options.max_tokens)
    return ends[2] + (ends[1] - ends[2]) * (1 + math.cos(math.pi * part)) / 2
  end
end

return documented{
  name = "apo.rewards.length", summary = "Rewards a completion by its length.",
  details = "`overlong`: 0 up to `max_tokens - buffer` tokens, then falling to -1 at "
    .. "`max_tokens` (DAPO's soft overlong punishment); add it to another reward. `cosine`: "
    .. "replaces a reward: interpolates between the two numbers of `right` or `wrong` along "
    .. "half a cosine of the length.",
  options = {
    {name = "shape", one_of = {"overlong", "cosine"}, default = "overlong", text = "the shape"},
    {name = "max_tokens", type = "integer", minimum = 1, text = "the maximum length"},
    {name = "buffer", type = "integer", minimum = 1, optional = true,
     text = "`overlong`: number of tokens over which it falls"},
    {name = "reward", type = "function", optional = true,
     signature = require "apo.script.received".reward,
     text = "`cosine`: the reward that tells right answers from wrong ones"},
    correct.declared("(reward, completion)"),
    {name = "right", type = "list of numbers", default = {1, 0.5},
     text = "`cosine`: reward of a right answer at length 0 and at `max_tokens`"},
    {name = "wrong", type = "list of numbers", default = {-1, -0.5},
     text = "`cosine`: the same for a wrong answer"},
    {name = "truncated", type = "number", optional = true,
     text = "`cosine`: reward of a truncated completion"},
  },
  returns = {{type = "function", text = "the reward function"}},
  example = [[local longest = 256
local reward = {correct = apo.rewards.gsm8k(), short = apo.rewards.length{
  max_tokens = longest, buffer = 64,
}}
local r = apo.score(rollout, reward, {weights = {short = 0.5}})]],
  call = function(options)
    return options.shape == "overlong" and overlong(options) or cosine(options)
  end,
}
