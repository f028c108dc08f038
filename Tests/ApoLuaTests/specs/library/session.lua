-- What a session shows instead of tables of a thousand lines.
local spec = ...
local apo = require "apo"
local show, texts = require "apo.session.show", require "apo.session.texts"
local width = require "apo.runs.table".width
local equal = spec.equal

local function lines(text)
  local list = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do list[#list + 1] = line end
  return list
end

-- A rollout is a table of prompts, texts and, once it was scored, rewards.
local rollout = apo.rollout{
  {prompt = "1+1=", text = "2", finish_reason = "eos"}, {prompt = "2+2=", text = "5", finish_reason = "eos"},
}
equal(lines(show(rollout, 79)), {
  "apo.Rollout of 2 completions", "#  prompt  text  tokens  finish", "1  1+1=    2          -     eos",
  "2  2+2=    5          -     eos",
})
apo.score(rollout, function(_, completion) return completion.text == "2" and 1 or 0 end)
equal(lines(show(rollout, 79))[3], "1  1+1=    2          -     eos       1")

-- Texts go as far as the width, by what they take on the screen; nothing moves the cursor.
local long = apo.rollout{
  {prompt = ("日本語"):rep(50), text = "a\nb\27[31m" .. ("x"):rep(300)}, {prompt = "p", text = "\u{202E}t"},
}
for _, most in ipairs{79, 49, 30, 20} do
  local shown = show(long, most)
  assert(not shown:find "[\27\r\t]" and not shown:find("\u{202E}", 1, true))
  for i, line in ipairs(lines(shown)) do
    assert(i == 1 or width(line) <= most, ("%d columns: %s"):format(most, line))
  end
end
assert(show(long, 79):find([[a\nb\x1B[31mx]], 1, true))
equal(#lines(show(apo.rollout((function()
  local list = {}
  for i = 1, 100 do list[i] = {prompt = "p", text = tostring(i)} end
  return list
end)()), 79)), 23)

-- An evaluation and a training by their figures.
local evaluation = {
  mean = 0.5, count = 2, pass_at = {[1] = 0.5, [2] = 0.75}, maj_at = {[1] = 0.5, [2] = 0.5}, mean_length = 3.5,
  clipped_ratio = 0.25, rewards = {reward = 0.5, format = 1}, sources = {}, rows = {
    {prompt = "1+1=", samples = {{text = "2", reward = 1}, {text = "3", reward = 0}}},
    {prompt = {1, 2}, samples = {{text = "5", reward = 0}, {text = "4", reward = 1}}},
  },
}
equal(lines(show(evaluation, 79)), {
  "mean           0.500 over 2 rows, 2 samples each", "pass           @1 0.500  @2 0.750",
  "majority       @1 0.500  @2 0.500", "mean length    3.5 tokens, 25% cut off", "format         1.000",
  "prompt                   first sample  reward", "1+1=                     2                  1",
  "(messages or token ids)  5                  0",
})
equal(lines(show({
  steps = 2, dir = "runs/a", history = {{reward = 0.1, loss = 1}}, metrics = {reward = 0.5, loss = 1, kl = math.huge},
  evaluation = {mean = 0.4},
}, 79)), {
  "steps          2", "reward         0.5, at first 0.1", "loss           1", "kl             inf",
  "evaluation     0.400", "dir            runs/a",
})

-- Anything else is the printer's, also what only looks like one of these.
for _, value in ipairs{1, "a", {}, {steps = 1}, apo.zeros(1), {mean = 1, pass_at = {}, maj_at = {}, rows = {1}},
  setmetatable({}, {}), {steps = 1, history = {1}, metrics = {}}} do
  equal(show(value, 79), nil)
end
