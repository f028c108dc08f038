-- Every row of the authors' scorers, and the general rewards.
local spec = ...
local apo = require "apo"
local equal, raises, rewards = spec.equal, spec.raises, apo.rewards
local folder = spec.fixtures .. "/rewards/"

local function sum(reward)
  if type(reward) == "number" then return reward end
  return reward.format + reward.correct
end

-- GSM8K: extraction in both modes, scores with and without a format score.
local strict, strict_answer = rewards.gsm8k()
local flexible, flexible_answer = rewards.gsm8k{mode = "flexible"}
local with_format = rewards.gsm8k{format_score = 0.1}
local count = 0
for case in apo.json.read_lines(folder .. "gsm8k.jsonl") do
  local row, completion = {ground_truth = case.ground_truth}, {text = case.solution}
  equal(strict_answer(completion), case.strict)
  equal(flexible_answer(completion), case.flexible)
  equal(strict(row, completion), case.score_strict[1] + case.score_strict[2])
  equal(flexible(row, completion), case.score_flexible[1] + case.score_flexible[2])
  spec.close(sum(with_format(row, completion)),
    case.score_strict_format0_1[1] + case.score_strict_format0_1[2], 1e-12)
  count = count + 1
end
equal(count, 320)
equal(strict({answer = "9 * 200 = 1800\n#### 1,800"}, {text = "so #### 1800."}), 0)
equal(strict({answer = "9 * 200 = 1800\n#### 1,800"}, {text = "so #### 1,800"}), 1)
equal(strict({reward_model = {ground_truth = "5"}}, {text = "#### 5"}), 1)
raises("has no column 'answer' with the right answer", strict, {prompt = "x"}, {text = "#### 1"})

-- MATH: the normal form of answers, and the scores of both stages.
local canonical = require "apo.rewards.latex"
local function form(text, expected)
  if type(expected) == "table" then expected = nil end    -- their program raises an error
  if text then equal(canonical(text), expected) end
end
count = 0
for case in apo.json.read_lines(folder .. "math_is_equiv.jsonl") do
  form(case.a, case.strip_a)
  form(case.b, case.strip_b)
  count = count + 1
end
equal(count, 300)

local math_strict = rewards.math()
local math_flexible, boxed = rewards.math{mode = "flexible"}
count = 0
for case in apo.json.read_lines(folder .. "math_is_equiv.jsonl") do
  if case.a and case.b then
    local text = (case.a:find("$", 1, true) and "\\boxed{%s}" or "\\boxed %s"):format(case.a)
    equal(math_flexible({answer = case.b}, {text = text}), case.is_equiv and 1 or 0)
    count = count + 1
  end
end
equal(count, 297)
count = 0
for case in apo.json.read_lines(folder .. "math.jsonl") do
  local row = {answer = case.ground_truth}
  local text, ends = case.solution:gsub("<|endoftext|>$", "")
  equal(math_strict(row, {text = text, finish_reason = ends > 0 and "eos" or "length"}),
    math.tointeger(case.score[2]))
  equal(math_flexible(row, {text = case.solution}), math.tointeger(case.score_preprocessing[2]))
  count = count + 1
end
equal(count, 320)
equal(boxed{text = "so $\\boxed{\\dfrac12}$"}, "\\frac{1}{2}")
equal(boxed{text = "no box"}, nil)

-- Countdown and multiplication.
local evaluate = require "apo.rewards.arithmetic"
local countdown, equation = rewards.countdown()
count = 0
for case in apo.json.read_lines(folder .. "countdown.jsonl") do
  local completion = {prompt = "", text = case.solution}
  equal(equation(completion), case.extracted)
  if type(case.value) == "number" then spec.close(evaluate(case.extracted), case.value, 1e-9) end
  equal(countdown({target = case.target, numbers = case.numbers}, completion), case.score)
  count = count + 1
end
equal(count, 280)
equal(evaluate("2**62*4"), 2.0 ^ 64)
equal(evaluate("9" .. ("0"):rep(30)), 9e30)
equal(evaluate(("("):rep(1000) .. "1" .. (")"):rep(1000)), nil)
equal(evaluate(("-"):rep(1000) .. "1"), nil)
equal(evaluate("os.exit()"), nil)
equal(evaluate("-2**2"), -4)
equal(evaluate("2**3**2"), 512)
equal(evaluate("2**-1"), 0.5)

local multiply, number = rewards.multiply()
count = 0
for case in apo.json.read_lines(folder .. "multiply.jsonl") do
  local completion = {prompt = "", text = case.solution}
  equal(number(completion), case.extracted)
  equal(multiply({ground_truth = case.ground_truth}, completion), case.score)
  count = count + 1
end
equal(count, 220)

local exact, numeric = rewards.exact{column = "y"}, rewards.numeric{tolerance = 0.01}
equal({exact({y = "a b"}, {text = " a b\n"}), exact({y = 5}, {text = "55"})}, {1, 0})
equal({numeric({answer = 1200}, {text = "it is 1,200."}), numeric({answer = "3.5"}, {text = "3.505"}),
  numeric({answer = 2}, {text = "two"})}, {1, 1, 0})
raises("option 'mode' must be one of 'strict', 'flexible', got 'lax'", rewards.gsm8k, {mode = "lax"})

-- Layout: sections in their order and nothing else, or patterns.
local layout = rewards.format{tags = {"think", "answer"}, score = 0.5}
local function laid_out(text) return layout({}, {text = text}) end
equal(laid_out("<think>a\nb</think>\n<answer>3</answer>\n"), 0.5)
for _, text in ipairs{
  "", "<think>a</think>", "<answer>3</answer><think>a</think>", "x<think>a</think><answer>3</answer>",
  "<think>a</think><answer>3</answer>.", "<think>a<think>b</think><answer>3</answer>",
  "<think>a</think><answer>3", "<think></think><answer>3</answer><answer>4</answer>",
} do equal(laid_out(text), 0) end
local thinking = rewards.format{pattern = "^<think>.-</think>"}
equal({thinking({}, {text = "<think>a</think> 3"}), thinking({}, {text = " <think>a</think>"})}, {1, 0})
local both = rewards.format{pattern = {"^%d", "%d$"}}
equal({both({}, {text = "1+2"}), both({}, {text = "1+x"})}, {1, 0})
raises("format: option 'tags' or 'pattern' is missing", rewards.format)
raises('format: the pattern "[" is not one of Lua', rewards.format, {pattern = "["})

-- Length: DAPO's straight line, and half a cosine.
local function of(n, reason)
  local ids = {}
  for i = 1, n do ids[i] = 1 end
  return {text = "", ids = ids, finish_reason = reason or "eos"}
end
local overlong = rewards.length{max_tokens = 20, buffer = 8}
for n, expected in pairs{[1] = 0, [12] = 0, [14] = -0.25, [20] = -1, [25] = -1} do
  equal(overlong({}, of(n)), expected)
end
local right = true
local cosine = rewards.length{
  shape = "cosine", max_tokens = 20, reward = function() return right and 1 or 0 end, truncated = -2,
}
spec.close(cosine({}, of(0)), 1)
spec.close(cosine({}, of(5)), 0.5 + 0.5 * (1 + math.cos(math.pi / 4)) / 2)
spec.close(cosine({}, of(10)), 0.75)
spec.close(cosine({}, of(20)), 0.5)
right = false
spec.close(cosine({}, of(0)), -1)
spec.close(cosine({}, of(20)), -0.5)
equal(cosine({}, of(20, "length")), -2)
raises("length: option 'buffer' is missing", rewards.length, {max_tokens = 5})
raises("length: the buffer (6) is larger than max_tokens (5)", rewards.length,
  {max_tokens = 5, buffer = 6})
raises("length: option 'reward' is missing", rewards.length, {max_tokens = 5, shape = "cosine"})
raises("length: option 'wrong' must be {at no tokens, at max_tokens}", rewards.length,
  {max_tokens = 5, shape = "cosine", reward = numeric, wrong = {1}})
raises("length: the reward must return a number, got table", rewards.length{
  max_tokens = 5, shape = "cosine", reward = function() return {} end}, {}, of(1))
