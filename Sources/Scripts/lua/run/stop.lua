-- Handles a run that ends early through an error, a signal, a time limit or os.exit: saves the
-- state after the last complete step, and prints where it is and how to resume. The error is still
-- raised.

local apo = require "apo"
local hook, whole = require "apo.script.hook", require "apo.step.whole_state"
local leaving = require "apo.run.leaving"

local ways = {
  error = "stopped by an error", time = "stopped by a time limit", signal = "stopped",
  exit = "os.exit was called",
}

-- What is in the folder, and what to do next. `is_half`: whether a step was abandoned after an
-- update.
local function advice(run, kind, is_half)
  if not run.saved then return "there is no checkpoint yet" end
  local text = ("%s/checkpoint holds step %d. To resume, run the script again with resume = true")
    :format(run.options.dir, run.saved)
  if kind == "error" and not run.is_loop then
    text = text .. ', or resume = "force" where the reward, the target or the loss was mended'
  end
  local last = run.step + (is_half and 1 or 0)
  if run.saved < last then
    text = text .. ("; %s repeated, with the same results"):format(
      run.saved + 1 < last and ("steps %d to %d are"):format(run.saved + 1, last)
        or ("step %d is"):format(last))
  end
  return text
end

-- Records what ended the run. A resume removes it, like everything written after the checkpoint.
local function record(run, kind, problem)
  local place = hook.place(problem)
  run.journal:event{
    event = "stopped", step = run.step, time = apo.system.time(), kind = kind,
    text = type(problem) == "string" and problem or place and "in " .. place or nil,
  }
end

-- Saves the last complete step and reports it. Its own errors are printed, not raised.
local function stopped(run, kind, problem)
  local is_half, o = not whole.is_whole(run), run.options
  local is_whole = whole.roll_back(run)
  whole.release(run)
  if not o.dir then
    if kind ~= "error" then run.console:tell(("%s after step %d"):format(ways[kind], run.step)) end
    return
  end
  local way, place = ways[kind], hook.place(problem)
  if is_half then
    way = ("%s in step %d, which was incomplete and is dropped"):format(way, run.step + 1)
  elseif kind == "error" then
    way = ("%s after step %d"):format(way, run.step)
  end
  if place then way = way .. ", in " .. place end
  if is_whole then
    local is_saved, fault = pcall(run.save_checkpoint, run)
    if not is_saved then
      way = ("%s; step %d could not be saved: %s"):format(way, run.step, tostring(fault))
    end
  end
  pcall(record, run, kind, problem)
  run:draw(kind == "error" and "failed" or "stopped")
  local text = apo.system.visible(("%s; %s"):format(way, advice(run, kind, is_half)))
  if kind == "signal" then run.console:tell(text) else run.console:say(text) end
end

-- Ends a run and releases the lock of its folder. `kind` is nil if it is complete.
local function leave(run, lock, kind, problem)
  if kind and run.whole then stopped(run, kind, problem) end
  whole.drop(run)
  if run.control then run.control:close() end
  if run.journal then
    run.journal:finish(kind == nil and "done" or kind == "error" and "failed" or "stopped")
  end
  if lock then lock:free() end  -- after a signal or a limit of time Lua runs no `<close>`
end

-- Calls a body that runs steps, and leaves the run however it ends.
local function saving_if_stopped(run, lock, body)
  local forget = leaving.add(function(cause) leave(run, lock, cause) end)
  apo.system.on_failure(body, function(kind, problem)
    forget()
    leave(run, lock, kind, problem)
  end)
  forget()
  leave(run, lock)
end

return {leave = leave, saving_if_stopped = saving_if_stopped}
