-- The answer between <answer> and </answer>, as the authors' scorers for countdown and multiply
-- look for it.

local trim = require "apo.rewards.trim"

-- The assistant's text; nil without a marker of the assistant.
local function assistant(text)
  for _, mark in ipairs{"Assistant:", "<|im_start|>assistant"} do
    local _, last = text:find(mark, 1, true)
    if last then return text:sub(last + 1) end
  end
end

-- The last answer, which is on one line, without white space around it; nil when there is none.
-- Each end of a tag or line is searched once, so that many open tags do not cost more.
local function last_answer(text)
  local first, last
  local position, stop, line = 1, 0, 0
  while true do
    local _, start = text:find("<answer>", position, true)
    if not start then break end
    if stop <= start then stop = text:find("</answer>", start + 1, true) end
    if not stop then break end
    if line <= start then line = text:find("\n", start + 1, true) or #text + 1 end
    position = start + 1
    if stop < line then first, last, position = start + 1, stop - 1, stop + 9 end
  end
  return first and trim(text:sub(first, last))
end

return {assistant = assistant, last_answer = last_answer}
