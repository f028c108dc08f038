-- Data sets: rows in order. A row is a table; its `prompt` is what the model sees, every other
-- column reaches the reward function unchanged.
--
-- A row keeps the number it had in its file through `map`, `filter`, `shuffle` and the like. The
-- sampler's random numbers and the recorded values are keyed by that number, so what is sampled for
-- a row does not depend on its position in a batch.

local apo = require "apo"
local rows_of_files = require "apo.rows"
local order = require "apo.data.shuffle"
local visible, extension = apo.system.visible, require "apo.data.extension"
local documented, fail = require "apo.documented", require "apo.fail"
local received = require "apo.script.received"

local Dataset = documented{
  fields = {
    {name = "rows", type = "list of tables", text = "The rows, to read."},
    {name = "name", type = "string", text = "The file, or what the rows were made from."},
  },
  class = "apo.Dataset", summary = "Rows in order, each with a prompt.",
  details = "`#ds` is the number of rows, `ds[i]` the i-th row, `ds[-1]` the last one. A row is "
    .. "a table with the columns of its line. It keeps its number in the file, which identifies "
    .. "its samples and its recorded value.",
}
Dataset.__methods = Dataset

local function new(rows, name) return setmetatable({rows = rows, name = name}, Dataset) end

function Dataset:__index(key)
  if math.type(key) ~= "integer" then return Dataset[key] end
  return self.rows[key < 0 and #self.rows + 1 + key or key]
end

function Dataset:__len() return #self.rows end

-- Reading -----------------------------------------------------------------------------------

local function columns(row)
  local names = {}  -- at most 20
  for name in pairs(row) do
    names[#names + 1] = #names < 20 and tostring(name) or "…"
    if #names > 20 then break end
  end
  return #names > 0 and table.concat(names, ", ") or nil
end

-- The text of a single-message conversation, for prompts without a chat template, like those of the
-- A*-PO authors.
local function only_message(messages, place)
  local message = messages[1]
  if #messages ~= 1 or message.role ~= "user" or type(message.content) ~= "string" then
    fail(("%s: 'prompt' is a conversation of %d messages; without a chat template only a single "
      .. "user message is allowed; for others, make the text with apo.dataset(path, {prompt = "
      .. "function(row) … end})"):format(place, #messages))
  end
  return message.content
end

-- A text, token ids, or messages.
local function is_prompt(prompt)
  if type(prompt) ~= "table" then return type(prompt) == "string" end
  local first = prompt[1]
  return math.type(first) or type(first) == "table" and type(first.role) == "string"
end

-- Checks that a row has a prompt; `place` returns its position, for errors.
local function check(row, place, options)
  if type(row) ~= "table" then
    fail(("%s: a row must be an object, got %s"):format(place(),
      row == apo.json.null and "null" or type(row)))
  end
  if options and options.prompt then row.prompt = options.prompt(row) end
  local first = type(row.prompt) == "table" and row.prompt[1]
  if options and options.chat_template == false and type(first) == "table" then
    row.prompt = only_message(row.prompt, place())
  end
  local kind = type(row.prompt)
  if kind == "nil" then
    local names = columns(row)
    fail(("%s: the row has no 'prompt' (%s); apo.dataset(path, {prompt = function(row) … end}) "
      .. "makes one"):format(place(), names and "it has " .. names or "it is empty"))
  elseif not is_prompt(row.prompt) then
    fail(place() .. ": 'prompt' must be a string, a list of token ids or a list of messages, got "
      .. kind)
  end
end

-- The number of rows in a list; a gap or a name is an error instead of the end.
local function count_of(list, place)
  local count, last = 0, 0
  for key in next, list do
    if math.type(key) ~= "integer" or key < 1 then
      fail(("%s: a list of rows expected, got a table with the key %s%s"):format(place,
        tostring(key), key == "prompt" and "; one row? Put it into a list: {row}" or ""))
    end
    count, last = count + 1, math.max(last, key)
  end
  for i = 1, last > count and last or 0 do
    if list[i] == nil then fail(("%s: row %d of %d is nil"):format(place, i, last)) end
  end
  return count
end

local readable = {jsonl = true, ndjson = true, json = true, csv = true, txt = true}

-- The format of the path's extension; JSON lines without one.
local function format_of(path)
  local format = extension.of(path)
  if format and not readable[format] then
    fail(("%s: .%s files are not supported; .jsonl, .json and .csv are%s"):format(path, format,
      format == "parquet" and ": scripts/from-parquet makes a .jsonl of it" or ""))
  end
  return format
end

local function read(path, options)
  local rows = {}
  local format = format_of(path)
  local noun = format == "json" and "row" or "line"
  local source = rows_of_files.source(path, noun)
  local function add(row, line)
    check(row, function() return ("%s: %s %d"):format(path, noun, line) end, options)
    rows[#rows + 1] = row
    rows_of_files.set(row, #rows, source, line)
  end
  if format == "json" then
    local list = apo.json.read(path)
    if type(list) ~= "table" or next(list) and not list[1] then
      fail(path .. ": must hold a list of rows")
    end
    for i = 1, count_of(list, path) do add(list[i], i) end
  elseif format == "csv" then
    require "apo.data.csv"(path, add)
  else
    for row, line in apo.json.read_lines(path) do add(row, line) end
  end
  return rows
end

-- Is the table a row of another list, or elsewhere in this one? What is sampled for it belongs to
-- the number that it has; errors are to name where it is here.
local function is_elsewhere(row, i)
  local _, file, _, position = rows_of_files.place(row)
  return position and not file and position ~= i
end

local function copy(list, options)
  local rows = {}
  for i = 1, count_of(list, "apo.dataset") do
    local given = list[i]
    local row = given
    if type(given) == "table" and (options.prompt or not options.chat_template
      or is_elsewhere(given, i)) then  -- the caller's table stays as it is
      row = setmetatable({}, debug.getmetatable(given))
      for name, value in next, given do row[name] = value end
    end
    check(row, function() return "row " .. i end, options)
    local number = type(given) == "table" and rows_of_files.get(given)
    if not number then
      rows_of_files.set(row, i)
    elseif row ~= given then
      rows_of_files.inherit(row, given)
      if is_elsewhere(row, i) then rows_of_files.set(row, number, 0, i) end
    end
    rows[i] = row
  end
  return rows
end

local dataset = documented{
  name = "apo.dataset", summary = "Makes a data set from a file or a list of rows.",
  details = "Files: `.jsonl` (one object per line; the default for unknown extensions), "
    .. "`.json` (a list of objects), `.csv` (the first line names the columns; every value is a "
    .. "string, even 12 and 0.5). Blank lines are skipped. Each row needs a `prompt`: a "
    .. "string, a list of token ids, or a list of messages `{role = \"user\", content = …}`, "
    .. "which `generate` renders with the model's chat template.",
  parameters = {{name = "source", type = "string or table", text = "a path or a list of rows"}},
  options = {
    {name = "prompt", type = "function", optional = true, signature = received.prompt,
     text = "makes the prompt of a row from its columns"},
    {name = "chat_template", type = "boolean", default = true,
     text = "whether messages are rendered with the chat template; false uses the content of a "
       .. "single user message as the prompt, as the A*-PO authors do"},
  },
  returns = {{type = "apo.Dataset", text = "the rows"}},
  example = [[local train = apo.dataset("gsm8k.jsonl", {
  prompt = function(row) return row.question .. " Let's think step by step." end,
})]],
  call = function(source, options)
    local is_path = type(source) == "string"
    local rows = is_path and read(source, options) or not is_path and
      copy(source, options)
    if #rows == 0 then fail((is_path and source or "apo.dataset") .. ": there are no rows") end
    return new(rows, is_path and source or #rows .. " rows")
  end,
}

-- Other data sets from one ------------------------------------------------------------------

Dataset.map = documented{
  name = "apo.Dataset:map", summary = "Replaces every row by the result of a function.",
  parameters = {{name = "f", type = "function", signature = received.map,
                 text = "receives a row, returns a row"}},
  returns = {{type = "apo.Dataset", text = "the new rows, with the numbers of the old ones"}},
  call = function(self, f)
    local rows = {}
    for i, row in ipairs(self.rows) do
      local result = f(row)
      check(result, function()
        return ("map: %s"):format(rows_of_files.place(row) or "row " .. i)
      end)
      rows_of_files.inherit(result, row)
      rows[i] = result
    end
    return new(rows, self.name)
  end,
}

Dataset.filter = documented{
  name = "apo.Dataset:filter", summary = "Keeps the rows for which a function returns true.",
  parameters = {{name = "f", type = "function", signature = received.filter,
                 text = "receives a row"}},
  returns = {{type = "apo.Dataset", text = "the rows kept, in order; possibly none"}},
  call = function(self, f)
    local rows = {}
    for _, row in ipairs(self.rows) do
      if f(row) then rows[#rows + 1] = row end
    end
    return new(rows, self.name)
  end,
}

Dataset.shuffle = documented{
  name = "apo.Dataset:shuffle", summary = "Shuffles the rows.",
  parameters = {{name = "seed", type = "integer", text = "the same seed gives the same order"}},
  returns = {{type = "apo.Dataset", text = "the same rows in another order"}},
  call = function(self, seed)
    local rows = {}
    for i, position in ipairs(order(#self.rows, seed, 0)) do rows[i] = self.rows[position] end
    return new(rows, self.name)
  end,
}

local function part(self, first, last)
  return new(table.move(self.rows, first, last, 1, {}), self.name)
end

local count = {name = "n", type = "integer", minimum = 0, text = "how many"}

Dataset.take = documented{
  name = "apo.Dataset:take", summary = "Keeps the first rows.", parameters = {count},
  returns = {{type = "apo.Dataset", text = "the first n rows, or all if there are fewer"}},
  call = function(self, n) return part(self, 1, math.min(n, #self)) end,
}

Dataset.skip = documented{
  name = "apo.Dataset:skip", summary = "Skips the first rows.", parameters = {count},
  returns = {{type = "apo.Dataset", text = "the rows after the first n"}},
  call = function(self, n) return part(self, math.min(n, #self) + 1, #self) end,
}

Dataset.split = documented{
  name = "apo.Dataset:split", summary = "Splits the rows in two.",
  parameters = {
    {name = "fraction", type = "number", minimum = 0, maximum = 1,
     text = "share of rows in the first part"},
    {name = "seed", type = "integer", text = "shuffle first, with this seed", optional = true},
  },
  returns = {
    {type = "apo.Dataset", text = "the first part"}, {type = "apo.Dataset", text = "the rest"},
  },
  call = function(self, fraction, seed)
    local all = seed and self:shuffle(seed) or self
    local n = math.floor(fraction * #self + 0.5)
    return part(all, 1, n), part(all, n + 1, #all)
  end,
}

Dataset.info = documented{
  name = "apo.Dataset:info", summary = "Describes the data set.",
  returns = {{type = "string", text = "number of rows, columns, and the first prompt"}},
  call = function(self)
    if #self == 0 then return visible(self.name) .. ": no rows" end
    local prompt = self[1].prompt
    if type(prompt) == "table" then
      prompt = #prompt .. (math.type(prompt[1]) and " token ids" or " messages")
    end
    return visible(("%s: %d rows; columns of the first: %s\n%s"):format(
      self.name, #self, columns(self[1]), prompt), true)
  end,
}

function Dataset:__tostring()
  return ("apo.Dataset: %s (%d rows)"):format(visible(self.name), #self)
end

Dataset.batches = require "apo.data.batches"

return dataset
