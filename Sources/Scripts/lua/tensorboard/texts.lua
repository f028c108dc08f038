-- Some completions of a step as Markdown, in which nothing that a model wrote is markup.

local apo = require "apo"
local visible = apo.system.visible

local most_bytes, shown = 4000, 4

-- The beginning or the end of a text, and how much is left out.
local function excerpt(text, keeps_end)
  if #text <= most_bytes then return text end
  local left = #text - most_bytes
  if keeps_end then
    local place = left + 1
    while place <= #text and text:byte(place) & 0xC0 == 0x80 do place = place + 1 end
    return ("(%d bytes left out) …"):format(place - 1) .. text:sub(place)
  end
  local last = most_bytes
  while last > 0 and text:byte(last + 1) & 0xC0 == 0x80 do last = last - 1 end
  return text:sub(1, last) .. ("… (%d bytes left out)"):format(#text - last)
end

-- A block of code whose fence is longer than any in the text.
local function fenced(text)
  text = visible(text, true)
  local longest = 3
  for run in text:gmatch "~+" do longest = math.max(longest, #run) end
  local fence = ("~"):rep(longest + 1)
  return ("%s\n%s\n%s"):format(fence, text, fence)
end

local function text_of(value)
  return type(value) == "string" and value or value and apo.json.encode(value, {lossy = true}) or ""
end

local function heading(sample)
  local parts = {}
  if sample.reward then parts[1] = ("**reward %.4g**"):format(sample.reward) end
  if sample.length then parts[#parts + 1] = ("%d tokens"):format(sample.length) end
  if sample.finish_reason then
    parts[#parts + 1] = "end: " .. visible(tostring(sample.finish_reason)):gsub("[^%w]", "\\%0")
  end
  return table.concat(parts, " · ")
end

-- The best and the worst sample and the first others, in their order.
local function chosen(samples)
  local best, worst = 1, 1
  for i, s in ipairs(samples) do
    local reward = s.reward or -math.huge
    if reward > (samples[best].reward or -math.huge) then best = i end
    if reward < (samples[worst].reward or -math.huge) then worst = i end
  end
  local takes, count = {[best] = true, [worst] = true}, best == worst and 1 or 2
  for i = 1, #samples do
    if count >= shown then break end
    if not takes[i] then takes[i], count = true, count + 1 end
  end
  local list = {}
  for i, s in ipairs(samples) do
    if takes[i] then list[#list + 1] = s end
  end
  return list
end

-- The Markdown of a step's samples.
local function of(samples)
  local blocks = {}
  for _, s in ipairs(chosen(samples)) do
    blocks[#blocks + 1] = heading(s)
    blocks[#blocks + 1] = fenced(excerpt(text_of(s.row.prompt), true))
    blocks[#blocks + 1] = fenced(excerpt(text_of(s.completion.text)))
  end
  return table.concat(blocks, "\n\n")
end

return {of = of, fenced = fenced}
