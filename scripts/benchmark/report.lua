-- Tables of what was measured: for a terminal of 100 columns, and as Markdown. A measurement is {row, engine, result}.
local heads = {"row", "engine", "seconds", "min-max", "tokens/s", "compute", "memory", "ratio", "peak MB"}
local layout = "%-20s %-15s %9s %15s %9s %7s %7s %6s %7s"

local function significant(x)
  local digits = x >= 100 and 0 or x >= 10 and 1 or x >= 1 and 2 or x >= 0.1 and 3 or 4
  return ("%." .. digits .. "f"):format(x)
end

local scales = {ms = 1e3, us = 1e6, ns = 1e9}

-- Seconds of a run, or the time of one operation of many.
local function time(row, seconds)
  if not row.unit then return significant(seconds) end
  return significant(seconds / row.count * scales[row.unit])
end

local function percent(part) return ("%.0f %%"):format(100 * part) end

-- The fields of a line: `limits` are the machine's, `first` the result that ratios refer to.
local function fields(m, limits, first)
  local row, result = m.row, m.result
  if result.failed then return {row.name, m.engine.title, "failed", "", "", "", "", "", ""} end
  local has_share = row.work and not m.engine.other_work
  return {
    row.name, m.engine.title, time(row, result.median) .. (row.unit and " " .. row.unit or ""),
    time(row, result.least) .. "-" .. time(row, result.most),
    row.tokens and ("%.0f"):format(row.tokens / result.median) or "",
    has_share and percent(row.work / result.median / limits.compute) or "",
    has_share and row.bytes > 0 and percent(row.bytes / result.median / limits.bandwidth) or "",
    result ~= first and first.median and significant(result.median / first.median) or "",
    result.memory and ("%.0f"):format(result.memory / 2 ^ 20) or "",
  }
end

local function lines(measurements, limits, format, head)
  local list, first, last = {head}, nil, nil
  for _, m in ipairs(measurements) do
    if m.row ~= last then first, last = m.result, m.row end
    list[#list + 1] = format(fields(m, limits, first))
  end
  return table.concat(list, "\n")
end

local function plain(list) return (layout:format(table.unpack(list)):gsub("%s+$", "")) end

local function cells(list) return "| " .. table.concat(list, " | ") .. " |" end

local Report = {}

-- A table for the terminal; the head is left out when `continues`.
function Report.text(measurements, limits, continues)
  local text = lines(measurements, limits, plain, plain(heads))
  return continues and text:gsub("^[^\n]*\n", "") or text
end

function Report.markdown(measurements, limits)
  return lines(measurements, limits, cells, cells(heads) .. "\n|" .. ("---|"):rep(#heads))
end

-- The machine's limits in words.
function Report.limits(limits)
  local parts = {}
  for _, part in ipairs{
    {"packed", "own product"}, {"openblas", "OpenBLAS"}, {"torch", "torch"}, {"torch_bf16", "torch bfloat16"},
  } do
    local rate = limits[part[1]]
    if rate then parts[#parts + 1] = ("%s %.0f"):format(part[2], rate / 1e9) end
  end
  return ("limits: products %.0f GFLOP/s (%s), memory %.1f GB/s"):format(
    limits.compute / 1e9, table.concat(parts, ", "), limits.bandwidth / 1e9)
end

return Report
