-- `sample`: what the policy answers now. The random numbers are the command's own.

local apo = require "apo"
local code = require "apo.attach.code"
local sampling = require "apo.data.sampling"

-- The options of generate that a client may give.
local taken = {n = true, seed = true}
for _, option in ipairs(sampling.options) do taken[option.name] = true end

-- The rest of the line is a prompt, unless it is a string or a table of Lua.
local function request(session, text)
  if not (text:find "^[\"'{]" or text:find "^%[=*%[") then return {prompt = text} end
  local chunk, problem = load("return " .. text, "=attach", "t", session.env)
  if not chunk then error(problem, 0) end
  local value = chunk()
  if type(value) == "string" then return {prompt = value} end
  if type(value) == "table" then return value end
  error("sample: a string or a table expected", 0)
end

-- The options of the run, with seed 0, and those given.
local function options(run, given)
  if given.prompt == nil then error("sample: field 'prompt' is missing", 0) end
  local result = run.options.max_tokens and sampling.for_generate(run.options, {})
    or {max_tokens = 64}
  result.seed = 0
  for name, value in pairs(given) do
    if taken[name] then result[name] = value
    elseif name ~= "prompt" then
      error(("sample: unknown field '%s'"):format(tostring(name)), 0)
    end
  end
  return result
end

return function(session, text)
  local policy, result = session.policy, {}
  if not policy then error("sample: the run saves no model that could be sampled", 0) end
  code.run(function()
    local given = request(session, text)
    local rollout = policy:generate({given.prompt}, options(session.run, given))
    for i, completion in ipairs(rollout) do
      result[i] = {text = completion.text, finish_reason = completion.finish_reason,
                   tokens = #completion.ids, logprob = completion.logprob}
      session:say(completion.text)
      session:say(("  [%s, %d tokens, log-probability %.3f]"):format(
        completion.finish_reason, #completion.ids, completion.logprob))
    end
  end, math.max(session.seconds, 60))
  return result
end
