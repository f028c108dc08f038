-- Comments for luacheck, which hold here, too:
--
--   -- luacheck: globals NAME …        the names are known (also `read globals`, `new globals`)
--   -- luacheck: ignore …             after code: nothing is reported of the line; on a line of its
--                                     own: of the rest of the file

local function instruction(comment) return comment.text:match "^%-%-+%s*luacheck:%s*(.*)" end

local function declare(comments, add)
  for _, comment in ipairs(comments) do
    local names = (instruction(comment) or ""):match "^[%a%s]-globals%s+(.*)"
    for name in (names or ""):gmatch "[%a_][%w_]*" do add(name) end
  end
end

local function without_ignored(comments, faults)
  local lines, from = {}, math.huge
  for _, comment in ipairs(comments) do
    if (instruction(comment) or ""):find "^ignore" then
      lines[comment.line] = true
      if comment.is_alone then from = math.min(from, comment.line) end
    end
  end
  local left = {}
  for _, fault in ipairs(faults) do
    if not lines[fault.line] and fault.line < from then left[#left + 1] = fault end
  end
  return left
end

return {declare = declare, without_ignored = without_ignored}
