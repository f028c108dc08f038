-- The tokens of some completions of a step with their log-probabilities, for completions.jsonl: of
-- the best and the worst by reward, so that a run's file does not grow by much.

-- The texts of tokens behind another one, since decoders treat the first of a text differently.
local function decoder(tokenizer)
  local anchor, known = tokenizer:encode("a", {add_special_tokens = false}), {}
  local before = #tokenizer:decode(anchor)
  local function decode(ids, first, last)
    local list = table.move(anchor, 1, #anchor, 1, {})
    return tokenizer:decode(table.move(ids, first, last, #list + 1, list)):sub(before + 1)
  end
  return function(ids, first, last)
    if first < last then return decode(ids, first, last) end
    local text = known[ids[first]]
    if not text then
      text = decode(ids, first, last)
      known[ids[first]] = text
    end
    return text
  end
end

local most_in_character = 4

-- Lists of texts and log-probabilities. Tokens that are parts of one character are one entry, with
-- the sum of theirs.
local function pieces(decode, completion)
  local ids, logprobs = completion.ids, completion.logprobs
  if not ids or not logprobs or #logprobs ~= #ids then return nil end
  local texts, values, first = {}, {}, 1
  while first <= #ids do
    local last, text = first, decode(ids, first, first)
    while text:find "\u{FFFD}" and last < #ids and last - first + 1 < most_in_character do
      last = last + 1
      text = decode(ids, first, last)
    end
    if text:find "\u{FFFD}" then last, text = first, decode(ids, first, first) end
    local sum = 0.0
    for i = first, last do sum = sum + logprobs[i] end
    texts[#texts + 1], values[#values + 1] = text, math.floor(100 * sum + 0.5) / 100
    first = last + 1
  end
  return {tokens = texts, logprobs = values}
end

-- Which of the first `limit` samples are the best and the worst `count`.
local function chosen(samples, limit, count)
  local order, takes = {}, {}
  for i = 1, limit do order[i] = i end
  table.sort(order, function(a, b)
    local x, y = samples[a].reward or 0, samples[b].reward or 0
    if x ~= y then return x > y end
    return a < b
  end)
  for i = 1, math.min(count - count // 2, limit) do takes[order[i]] = true end
  for i = 0, math.min(count // 2, limit) - 1 do takes[order[limit - i]] = true end
  return takes
end

-- A function that gives for the samples of a step what some of them get, by their places.
return function(tokenizer, count)
  local decode
  return function(samples, limit)
    local found = {}
    if count == 0 or not tokenizer then return found end
    decode = decode or decoder(tokenizer)
    for i in pairs(chosen(samples, limit, count)) do
      found[i] = pieces(decode, samples[i].completion)
    end
    return found
  end
end
