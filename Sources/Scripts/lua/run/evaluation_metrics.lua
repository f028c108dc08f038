-- The metrics of a result of apo.evaluate, as they are logged.
return function(result)
  local record = {["eval/reward"] = result.mean, ["eval/mean_length"] = result.mean_length}
  for k, value in pairs(result.pass_at) do record["eval/pass@" .. k] = value end
  for name, mean in pairs(result.rewards) do
    if name ~= "reward" then record["eval/rewards/" .. name .. "/mean"] = mean end
  end
  for source, of_source in pairs(result.sources) do
    record["eval/" .. source .. "/reward"] = of_source.mean
  end
  return record
end
