-- How numbers are read out of texts: the table of docs/rewards.md, and numbers written in many ways.
local spec = ...
local apo = require "apo"
local equal, raises = spec.equal, spec.raises
local reward, answer = apo.rewards.numeric()

local function read(text) return answer{text = text} end

local thin, narrow, no_break, minus, dash = "\u{2009}", "\u{202F}", "\u{A0}", "\u{2212}", "\u{2013}"
local table_of_rules = {
  -- Separators.
  ["The total is 1,234,567."] = "1234567", ["567"] = "567", ["1,234.5"] = "1234.5",
  ["12,34,567"] = "1234567", ["1_000_000"] = "1000000", ["1'234'567"] = "1234567",
  ["1" .. thin .. "234" .. thin .. "567"] = "1234567", ["1" .. narrow .. "000"] = "1000",
  ["1" .. no_break .. "000"] = "1000", ["1{,}234"] = "1234", ["1\\,234"] = "1234",
  ["1,\\!234"] = "1234", ["1.234.567"] = "1234567", ["1.234,56"] = "1234.56",
  ["1.234.567,8"] = "1234567.8", ["1 234 567"] = "567", ["1, 2"] = "2", ["1,2,3"] = "3",
  ["12,5"] = "5", ["1,2345"] = "2345", ["1,234,5"] = "5", ["1.125,2.250"] = "2.25",
  ["1" .. thin .. "234" .. narrow .. "567"] = "567", ["0,123"] = "123",
  -- Signs.
  ["it is -3"] = "-3", ["it is " .. minus .. "3"] = "-3", ["it is " .. dash .. "3"] = "-3",
  ["+5"] = "5", ["= -5"] = "-5", ["= - 5"] = "-5", ["(-5)"] = "-5", ["(5)"] = "5", ["±5"] = "5",
  ["the range 10-20"] = "20", ["10" .. dash .. "20"] = "20", ["x is 5-3"] = "3", ["5 - 3"] = "3",
  ["(3,-5)"] = "-5", ["1,-2,-3"] = "-3", ["-1,-234"] = "-234", ["x=3," .. minus .. "5"] = "-5",
  ["2020-11-30"] = "30", ["covid-19"] = "19", ["- 5 apples"] = "5", ["--5"] = "5", ["-0"] = "0",
  ["答案是-5"] = "-5",
  -- Points and exponents.
  [".5"] = "0.5", ["-.5"] = "-0.5", ["5."] = "5", ["18."] = "18", ["5..."] = "5", ["...5"] = "5",
  ["No.5"] = "5", ["1e-05"] = "0.00001", ["1.5E3"] = "1500", ["2×10^5"] = "200000",
  ["2 x 10^-3"] = "0.002", ["2 \\times 10^{-3}"] = "0.002", ["2 \\cdot 10^3"] = "2000",
  ["3*10**2"] = "300", ["10^5"] = "100000", ["3·10⁻²"] = "0.03", ["5^2"] = "2", ["5e"] = "5",
  ["1.e5"] = "100000", ["-1.E-2"] = "-0.01", ["1,234.e+2"] = "123400", ["2.×10^5"] = "200000",
  ["2.\\times 10^{3}"] = "2000", ["10.e1"] = "100", ["1.e"] = "1", ["1.e5x"] = "1", ["see 1. e5"] = "1",
  ["1..e5"] = "1",
  -- Fractions.
  ["3/4"] = "0.75", ["-3/4"] = "-0.75", ["1 1/2"] = "1.5", ["½"] = "0.5", ["1½"] = "1.5",
  ["2 ¾"] = "2.75", ["1\u{2044}2"] = "0.5", ["\\frac{3}{4}"] = "0.75", ["-\\frac34"] = "-0.75",
  ["\\dfrac{-1}{4}"] = "-0.25", ["1\\frac{1}{2}"] = "1.5", ["1/2/2020"] = "2020", ["1/0"] = "0",
  ["3 / 4"] = "4",
  -- Currencies, per cent, units, words, dates, versions, markup.
  ["$70,000"] = "70000", ["$-5"] = "-5", ["-$5"] = "-5", ["-\\$5.50"] = "-5.5", ["US$-5"] = "-5",
  ["USD70,000"] = "70000", ["$5$-3"] = "3", ["€5"] = "5", ["50%"] = "50", ["50\\%"] = "50",
  ["5km"] = "5", ["3rd"] = "3", ["10h30m"] = "30", ["1920x1080"] = "1080", ["70k"] = "70",
  ["H2O"] = "nil", ["v2"] = "nil", ["v2.1.3"] = "nil", ["x1"] = "nil", ["x_1"] = "nil",
  ["0x1F"] = "nil", ["30.11.2020"] = "2020", ["192.168.1.7"] = "7", ["11:30"] = "30",
  ["\\boxed{1,000}"] = "1000", ["**42**"] = "42", ["_42_"] = "42", ["\\times5"] = "5", ["007"] = "7",
  ["答案是5。"] = "5", [""] = "nil", ["no number"] = "nil", ["12345678901234567891"] = "12345678901234567891",
}
for text, right in pairs(table_of_rules) do
  local given = tostring(read(text))
  if given ~= right then error(("%q reads as %s and not as %s"):format(text, given, right)) end
end

-- The cases that went wrong: a completion, the answer, the reward.
for _, case in ipairs{
  {"The total is 1,234,567.", "1234567", 1}, {"567", "1,234,567", 0}, {"the range 10-20", "20", 1},
  {"it is " .. minus .. "3", "3", 0}, {"1e-05", 0.00001, 1}, {"0.00001", 0.00001, 1}, {".5", 0.5, 1},
  {"12345678901234567", 12345678901234567, 1}, {"12345678901234568", 12345678901234567, 0},
  {"123456789012345678901", "123456789012345678901", 1}, {"-9223372036854775808", math.mininteger, 1},
  {"123456789012345678902", "123456789012345678901", 0}, {"1e400", "1e400", 1}, {"1e401", "1e400", 0},
  {"100000000000000000000000", 1e23, 1}, {"0.3", 0.1 + 0.2, 1}, {"0.3333333", "1/3", 1}, {"0.333", "1/3", 0},
  {"5", "the answer is 5.0", 1}, {"5", 5.0, 1}, {"1.0000005", 1, 1}, {"1.0000015", 1, 0},
} do equal({case[1], reward({answer = case[2]}, {text = case[1]})}, {case[1], case[3]}) end
local near = apo.rewards.numeric{tolerance = 5}
equal(near({answer = "1000000000000000000003"}, {text = "999999999999999999998"}), 1)
equal(near({answer = "1000000000000000000003"}, {text = "999999999999999999997"}), 0)
local comma, comma_answer = apo.rewards.numeric{decimal = ","}
equal({comma_answer{text = "1.234,5"}, comma_answer{text = "es sind 3,14."}}, {"1234.5", "3.14"})
equal({comma({answer = "3,5"}, {text = "3,5"}), comma({answer = 3.5}, {text = "3,5"})}, {1, 1})

-- Columns of numbers are compared as numbers by the other rewards too.
local function of(made, answer, text)
  return made({answer = answer}, {text = text, prompt = "Assistant:", finish_reason = "eos"})
end
equal(of(apo.rewards.gsm8k(), 18.0, "#### 18"), 1)
equal(of(apo.rewards.gsm8k(), 70000, "#### 70,000"), 1)
equal(of(apo.rewards.gsm8k{mode = "flexible"}, 0.00001, "it is 0.00001"), 1)
equal(of(apo.rewards.math(), 0.5, "\\boxed{\\frac12}"), 1)
equal(of(apo.rewards.math(), 6, "\\boxed{x}"), 0)
equal(of(apo.rewards.multiply(), 12.0, "<answer>12</answer>"), 1)
equal(of(apo.rewards.multiply(), 10 ^ 15, "<answer>+1_000_000_000_000_000</answer>"), 1)
equal({of(apo.rewards.exact(), 5.0, "5"), of(apo.rewards.exact(), 5, "5 apples"),
  of(apo.rewards.exact(), 0.00001, " 1e-05\n"), of(apo.rewards.exact(), "5.0", "5")}, {1, 0, 1, 0})
raises("there is no number in the right answer \"none\" of the column 'answer'", reward,
  {answer = "none"}, {text = "5"})
raises("the right answer in 'answer' must be a text or a finite number, got table", reward,
  {answer = {}}, {text = "5"})
raises("must be a text or a finite number, got ", reward, {answer = 0 / 0}, {text = "5"})

-- A number written in many ways, in random texts, is read as it is.
math.randomseed(7)
local function pick(list) return list[math.random(#list)] end

local function digits(count)
  local text = tostring(math.random(1, 9))
  for _ = 2, count do text = text .. math.random(0, 9) end
  return text
end

local function grouped(whole, separator)
  local head = #whole % 3
  local groups = head > 0 and {whole:sub(1, head)} or {}
  for i = head + 1, #whole, 3 do groups[#groups + 1] = whole:sub(i, i + 2) end
  return table.concat(groups, separator)
end

local function scientific(whole, fraction)
  local exponent = #whole - 1
  local text = whole:sub(1, 1) .. "." .. whole:sub(2) .. fraction .. "0"
  return pick{"%se%d", "%sE+%d", "%s×10^%d", "%s \\times 10^{%d}", "%s*10**%d"}:format(text, exponent)
end

local befores = {"", "it is ", "so x = ", "from 3 to ", "$", "**", "\\boxed{", "a1 and ", "(", "10, ",
                 "5 + 4 = ", "第", "e = ", "[1,2] -> ", "7/2\n", "2020-01-02: "}
local afters = {"", ".", ", done", "!", " apples", "$", "**", "}", ")", "%", " km", "\n", "。", "..."}
for _ = 1, 4000 do
  local whole, fraction = digits(math.random(1, 22)), math.random() < 0.5 and digits(math.random(1, 6)) or ""
  local behind = fraction ~= "" and "." .. fraction or ""
  local written = math.random() < 0.3 and scientific(whole, fraction)
    or grouped(whole, pick{"", "", ",", "_", "'", thin, narrow, no_break, "{,}", "\\,"}) .. behind
  local sign = pick{"", "", "+", "-", minus}
  local before = pick(befores)
  local text = before .. sign .. written .. pick(afters)
  local right = ((sign == "-" or sign == minus) and "-" or "") .. whole
    .. (fraction:find("[1-9]") and "." .. fraction:gsub("0+$", "") or "")
  if reward({answer = right}, {text = text}) ~= 1 then
    error(("%q reads as %s and not as %s"):format(text, read(text), right))
  end
  local other = right:gsub("%d", "%0%0", 1)
  if #whole > 1 and reward({answer = other}, {text = text}) ~= 0 then error(text) end
end

-- Any bytes give a number or none.
for _ = 1, 3000 do
  local parts = {}
  for i = 1, math.random(0, 12) do
    parts[i] = pick{"1", "23", "0", "456", ",", ".", "-", minus, "/", " ", "e", "x", "$", "\\frac", "{",
      "}", "½", "^", "10", "_", "'", thin, "\\,", "*", "\xFF", "\0", "%", "(", "5e", "×", "⁵"}
  end
  local text = table.concat(parts)
  local given = read(text)
  if given then equal({text, reward({answer = given}, {text = text})}, {text, 1}) end
end

-- Floats of all sizes come back from the shortest decimal that stands for them.
for _ = 1, 2000 do
  local value = string.unpack("d", string.pack("i8", math.random(0)))
  if value - value == 0 then
    local exact = apo.rewards.numeric{tolerance = 0}
    equal({value, exact({answer = value}, {text = ("%.17g"):format(value)})}, {value, 1})
  end
end
