-- Tables of what was measured: for a terminal of 100 columns, and as Markdown. A measurement is {row, engine, result};
-- those of a row follow each other, ours first.
local heads = {"row", "engine", "seconds", "min-max", "tokens/s", "compute", "memory", "ratio", "peak MB"}
local layout = "%-18s %-15s %9s %13s %9s %7s %7s %6s %7s"

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
    result.memory and ("%.0f"):format(result.memory / 1e6) or "",
  }
end

local Report = {}

-- A table for the terminal, a line for each measurement; the head is left out when it `continues` one.
function Report.text(measurements, limits, continues)
  local list, first, last = {not continues and layout:format(table.unpack(heads)) or nil}, nil, nil
  for _, m in ipairs(measurements) do
    if m.row ~= last then first, last = m.result, m.row end
    local line = layout:format(table.unpack(fields(m, limits, first)))
    list[#list + 1] = line:gsub("%s+$", "")
  end
  return table.concat(list, "\n")
end

-- The measurements row by row, and rows with the same engines together, in the order of the first.
local function tables(measurements)
  local rows, groups, row = {}, {}, nil
  for _, m in ipairs(measurements) do
    if m.row ~= row then
      row = m.row
      rows[#rows + 1] = {engines = ""}
    end
    local new = rows[#rows]
    new[#new + 1] = m
    new.engines = new.engines .. " | " .. m.engine.title
  end
  for _, list in ipairs(rows) do
    local group = groups[list.engines]
    if not group then
      group = {engines = list.engines}
      groups[list.engines], groups[#groups + 1] = group, group
    end
    group[#group + 1] = list
  end
  return groups
end

-- Tokens per second, or the time where a row has none or begins with the process.
local function value(m)
  local row, result = m.row, m.result
  if result.failed then return "failed" end
  if row.tokens and not row.from_start then return significant(row.tokens / result.median) end
  return time(row, result.median) .. " " .. (row.unit or "s")
end

local function megabytes(result)
  return result.memory and ("%.0f MB"):format(result.memory / 1e6) or ""
end

-- Of a row: ours with its shares of the limits, then each other engine with our speed over its own.
local function cells(list, limits)
  local first = fields(list[1], limits, list[1].result)
  local line = {first[1], value(list[1]), first[6], first[7], megabytes(list[1].result)}
  for i = 2, #list do
    local text = value(list[i])
    if not (list[i].result.failed or list[1].result.failed) then
      text = ("%s (%sx, %s)"):format(text, significant(list[i].result.median / list[1].result.median),
        megabytes(list[i].result)):gsub(", %)", ")")
    end
    line[#line + 1] = text
  end
  return "| " .. table.concat(line, " | ") .. " |"
end

-- Tables for docs/performance.md, a line for each row.
function Report.markdown(measurements, limits)
  local list = {}
  for _, group in ipairs(tables(measurements)) do
    local own, others = group.engines:match("^ | ([^|]*[^| ])(.*)$")
    list[#list + 1] = ("| | %s | compute | memory | peak%s |"):format(own, others)
    list[#list + 1] = "|---|---|---|---|---|" .. ("---|"):rep(#group[1] - 1)
    for _, row in ipairs(group) do list[#list + 1] = cells(row, limits) end
    list[#list + 1] = ""
  end
  return table.concat(list, "\n")
end

local function rates(limits, names)
  local parts = {}
  for _, part in ipairs(names) do
    local rate = limits[part[1]]
    if rate then parts[#parts + 1] = ("%s %.0f"):format(part[2], rate / 1e9) end
  end
  return table.concat(parts, ", ")
end

-- The machine's limits in words.
function Report.limits(limits)
  return ("limits: products %.0f GFLOP/s (%s), memory %.1f GB/s (%s)"):format(limits.compute / 1e9, rates(limits, {
    {"packed", "own"}, {"matmul", "matmul"}, {"torch", "torch"}, {"torch_bf16", "torch bf16"},
  }), limits.bandwidth / 1e9, rates(limits, {{"sum", "sum"}, {"decoding", "decoding"}}))
end

return Report
