-- The answer between <answer> and </answer>, as the authors' scorers for countdown and multiply
-- look for it.

-- What the assistant said, nil when nothing says that it is the assistant.
local function assistant(text)
  for _, mark in ipairs{"Assistant:", "<|im_start|>assistant"} do
    local _, last = text:find(mark, 1, true)
    if last then return text:sub(last + 1) end
  end
end

-- The last answer, which is on one line, without white space around it; nil when there is none.
local function last_answer(text)
  local answer, position = nil, 1
  while true do
    local _, start = text:find("<answer>", position, true)
    if not start then break end
    local stop = text:find("</answer>", start + 1, true)
    if not stop then break end
    local inner = text:sub(start + 1, stop - 1)
    if inner:find("\n", 1, true) then
      position = start + 1
    else
      answer, position = inner:match("^%s*(.-)%s*$"), stop + 9
    end
  end
  return answer
end

return {assistant = assistant, last_answer = last_answer}
