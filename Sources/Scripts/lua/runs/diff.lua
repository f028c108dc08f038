-- The lines in which two texts differ, by their longest common subsequence.

local most_lines = 3000

local function split(text)
  local list = {}
  for line in (text:sub(-1) == "\n" and text or text .. "\n"):gmatch "([^\n]*)\n" do
    list[#list + 1] = line
  end
  return list
end

-- lengths[i][j]: of the longest common subsequence of a[i…] and b[j…].
local function common(a, b)
  local lengths = {}
  for i = #a + 1, 1, -1 do
    local row, below = {}, lengths[i + 1]
    for j = #b + 1, 1, -1 do
      if i > #a or j > #b then row[j] = 0
      elseif a[i] == b[j] then row[j] = below[j + 1] + 1
      else row[j] = math.max(below[j], row[j + 1]) end
    end
    lengths[i] = row
  end
  return lengths
end

-- Lines that begin with `-` (in the first only), `+` or, near these, a blank; nil where the texts
-- are the same, and one line that says so where they are too long.
return function(first, second)
  if first == second then return nil end
  local a, b = split(first), split(second)
  if #a > most_lines or #b > most_lines then
    return {("(the texts differ; they have %d and %d lines)"):format(#a, #b)}
  end
  local lengths, all, i, j = common(a, b), {}, 1, 1
  while i <= #a or j <= #b do
    if i <= #a and j <= #b and a[i] == b[j] then
      all[#all + 1] = " " .. a[i]
      i, j = i + 1, j + 1
    elseif j > #b or i <= #a and lengths[i + 1][j] >= lengths[i][j + 1] then
      all[#all + 1] = "-" .. a[i]
      i = i + 1
    else
      all[#all + 1] = "+" .. b[j]
      j = j + 1
    end
  end
  local near = {}
  for k, line in ipairs(all) do
    if line:byte() ~= 32 then
      for at = k - 2, k + 2 do near[at] = true end
    end
  end
  local out, last = {}, 0
  for k, line in ipairs(all) do
    if near[k] then
      if k > last + 1 then out[#out + 1] = "…" end
      out[#out + 1], last = line, k
    end
  end
  return out
end
