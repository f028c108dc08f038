-- Checks the format of a completion by tags, or by Lua patterns.

local documented, fail = require "apo.documented", require "apo.fail"

-- The position after <tag>…</tag>, white space before it left out; nil when it is not there.
local function skip_section(text, position, tag)
  local open, close = "<" .. tag .. ">", "</" .. tag .. ">"
  position = text:find("%S", position) or position
  if text:sub(position, position + #open - 1) ~= open then return nil end
  local first, last = text:find(close, position + #open, true)
  if not first then return nil end
  local again = text:find(open, position + #open, true)
  return not (again and again < first) and last + 1 or nil
end

-- Whether the text is these sections in their order and nothing else.
local function has_sections(text, tags)
  local position = 1
  for _, tag in ipairs(tags) do
    position = skip_section(text, position, tag)
    if not position then return false end
  end
  return not text:find("%S", position)
end

local function check_patterns(patterns)
  for _, pattern in ipairs(patterns) do
    local ok, problem = pcall(string.find, "", pattern)
    if not ok then
      fail(("format: the pattern %q is not one of Lua: %s"):format(pattern, problem))
    end
  end
end

return documented{
  name = "apo.rewards.format", summary = "Rewards a completion with the right format.",
  details = "With `tags = {\"think\", \"answer\"}` it must be `<think>…</think>` and then "
    .. "`<answer>…</answer>`, each once, with only white space around them. With `pattern` all "
    .. "patterns must match; `^` and `$` anchor one. The pattern `^<think>.-</think>` is "
    .. "equivalent to TRL's think_format_reward.",
  options = {
    {name = "tags", type = "list of strings", default = {}, text = "the sections, in order"},
    {name = "pattern", type = "string or list of strings", default = {}, text = "Lua patterns"},
    {name = "score", type = "number", default = 1, text = "the reward; 0 for any other completion"},
  },
  returns = {{type = "function", text = "the reward function"}},
  example = [[local reward = {correct = apo.rewards.gsm8k(), format = apo.rewards.format{
  pattern = "#### %-?[%d,]+%s*$",
}}
local r = apo.score(rollout, reward, {weights = {format = 0.2}})]],
  call = function(options)
    local tags, score = options.tags, options.score
    local patterns = type(options.pattern) == "string" and {options.pattern} or options.pattern
    if #tags + #patterns == 0 then fail("format: option 'tags' or 'pattern' is missing") end
    check_patterns(patterns)
    return function(_, completion)
      local text = completion.text
      if #tags > 0 and not has_sections(text, tags) then return 0 end
      for _, pattern in ipairs(patterns) do
        if not text:find(pattern) then return 0 end
      end
      return score
    end
  end,
}
