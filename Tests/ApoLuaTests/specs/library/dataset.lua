local spec = ...
local apo = require "apo"
local rows = require "apo.rows"
local equal, raises = spec.equal, spec.raises
local path = spec.folder .. "/data.jsonl"

local function prompts(ds)
  local list = {}
  for i = 1, #ds do list[i] = ds[i].prompt end
  return table.concat(list)
end

-- Reading: rows unchanged, numbered; negative positions; prompts from other columns.
spec.write(path, '{"prompt":"a","n":1,"x":{"y":[1.5,null]}}\n\n{"prompt":"b","n":2}\n{"prompt":"c"}\n')
local ds = apo.dataset(path)
equal({#ds, ds[1].n, ds[-1].prompt, ds[4]}, {3, 1, "c", nil})
equal(ds[1].x.y[1], 1.5)
equal({rows.get(ds[1]), rows.get(ds[3])}, {1, 3})
equal(tostring(ds), "apo.Dataset: " .. path .. " (3 rows)")
assert(ds:info():find("3 rows; columns of the first: n, prompt, x", 1, true))
local made = apo.dataset({{q = "1+1"}, {q = "2"}}, {prompt = function(row) return row.q .. "=" end})
equal(prompts(made), "1+1=2=")
equal(apo.dataset{{prompt = {5, 6}}}[1].prompt, {5, 6})

spec.write(spec.folder .. "/d.csv", 'prompt,"the ""answer"""\r\n"a, b\nc",1\nd,\n')
local csv = apo.dataset(spec.folder .. "/d.csv")
equal({#csv, csv[1].prompt, csv[1]['the "answer"'], csv[2]['the "answer"']}, {2, "a, b\nc", "1", ""})
-- CSV as JSON lines: blank lines, a byte order mark, any ends of lines, no end of the last one.
local function csv_rows(text)
  spec.write(spec.folder .. "/d.csv", text)
  return apo.dataset(spec.folder .. "/d.csv").rows
end
local two = {{prompt = "a", n = "1"}, {prompt = "b", n = "2"}}
for _, text in ipairs{
  "prompt,n\na,1\nb,2\n", "prompt,n\na,1\nb,2", "\n\nprompt,n\n\n \t\na,1\n\n\nb,2\n\n", "prompt,n\r\na,1\r\n\r\nb,2\r\n",
  "\u{FEFF}prompt,n\na,1\nb,2\n  ", "prompt,n\ra,1\r\rb,2\r", "\u{FEFF}\n\"prompt\",n\n\"a\",1\nb,\"2\"",
} do equal(csv_rows(text), two) end
equal(csv_rows("prompt\n\"\"\n\nx\n"), {{prompt = ""}, {prompt = "x"}})  -- a row that is empty is written in quotes
equal(csv_rows(",prompt\n0,a\n"), {{[""] = "0", prompt = "a"}})          -- the unnamed index that pandas writes
equal(csv_rows("prompt\n5\" pipe\n"), {{prompt = "5\" pipe"}})
spec.write(path, "\u{FEFF}\n\n{\"prompt\":\"a\",\"n\":\"1\"}\r\n \t\n{\"prompt\":\"b\",\"n\":\"2\"}")
equal(apo.dataset(path).rows, two)
raises("d.csv: line 7 has 3 fields, the first line names 2", csv_rows, 'prompt,n\n\n"a\n\nb",1\n\nx,y,z\n')
raises("d.csv: the first line names the column 'n' twice", csv_rows, "prompt,n,n\na,1,2\n")
raises("d.csv: line 2: a comma or the end of the line expected after a quoted field, found \"b\"", csv_rows,
  'prompt,n\n"a"b,1\n')
raises("d.csv: line 3: a quoted field has no closing quote", csv_rows, 'prompt,n\na,1\n"b,2\n')
raises("d.csv: there are no rows", csv_rows, "prompt\n\n")
raises("d.csv: line 2: the row has no 'prompt' (it has n)", csv_rows, "n\n1\n")
spec.write(spec.folder .. "/d.json", '[{"prompt":"x"}]')
equal(#apo.dataset(spec.folder .. "/d.json"), 1)

-- Bad input.
raises("none.jsonl: cannot be opened", apo.dataset, "none.jsonl")
spec.write(path, '{"prompt":"a"}\n{"question":"b","answer":1}\n')
raises("data.jsonl: line 2: the row has no 'prompt' (it has answer, question)", apo.dataset, path)
spec.write(path, '{"prompt":"a"}\n{"prompt":\n')
raises("data.jsonl: line 2, column 11: not valid JSON", apo.dataset, path)
spec.write(path, '{"prompt":"a"}\n5\n')
raises("data.jsonl: line 2: a row must be an object, got number", apo.dataset, path)
spec.write(path, '{"prompt":7}\n')
raises("line 1: 'prompt' must be a string, a list of token ids or a list of messages, got number", apo.dataset, path)
spec.write(path, "\n")
raises("data.jsonl: there are no rows", apo.dataset, path)
raises("there are no rows", apo.dataset, {})
raises("string or table expected, got number", apo.dataset, 5)
raises("unknown option 'promt'", apo.dataset, {{prompt = "a"}}, {promt = print})
spec.write(spec.folder .. "/d.csv", "prompt,b\nx\n")
raises("d.csv: line 2 has 1 fields, the first line names 2", apo.dataset, spec.folder .. "/d.csv")

-- Other data sets; numbers stay with the rows.
local list = {}
for i = 1, 10 do list[i] = {prompt = string.char(96 + i), i = i} end
ds = apo.dataset(list)
equal(prompts(ds:take(3)) .. prompts(ds:skip(8)), "abcij")
equal(prompts(ds:filter(function(row) return row.i % 2 == 0 end)), "bdfhj")
local upper = ds:map(function(row) return {prompt = row.prompt:upper()} end)
equal({prompts(upper), rows.get(upper[7])}, {"ABCDEFGHIJ", 7})
raises("map: row 1: a row must be an object, got nil", ds.map, ds, function() end)
local shuffled = ds:shuffle(1)
equal(prompts(shuffled), prompts(ds:shuffle(1)))
assert(prompts(shuffled) ~= prompts(ds) and prompts(shuffled) ~= prompts(ds:shuffle(2)))
equal(rows.get(shuffled[1]), shuffled[1].i)
local first, second = ds:split(0.3)
equal(prompts(first) .. "|" .. prompts(second), "abc|defghij")
first, second = ds:split(0.5, 3)
equal({#first, #second}, {5, 5})

-- Batches: every row once an epoch, another order each epoch, the same from any step on.
local function walk(options)
  local steps = {}
  for step, batch in ds:batches(options) do
    local text = ""
    for _, row in ipairs(batch) do text = text .. row.prompt end
    steps[step] = text
  end
  return steps
end
equal(walk{size = 4}, {"abcd", "efgh", "ij"})
equal(walk{size = 4, drop_last = true, epochs = 2}, {"abcd", "efgh", "abcd", "efgh"})
local all = walk{size = 4, epochs = 3, shuffle = true, seed = 7}
equal(#all, 9)
local letters = {}
for c in (all[4] .. all[5] .. all[6]):gmatch(".") do letters[#letters + 1] = c end
table.sort(letters)
equal(table.concat(letters), "abcdefghij")
assert(all[1] .. all[2] ~= all[4] .. all[5])
for start = 1, 9 do
  local late = walk{size = 4, epochs = 3, shuffle = true, seed = 7, start_step = start}
  for step = start, 9 do equal(late[step], all[step]) end
  equal(late[start - 1], nil)
end
raises("10 rows do not fill a batch of 11", ds.batches, ds, {size = 11, drop_last = true})
raises("option 'size' is missing", ds.batches, ds, {})
raises("the data set has no rows", ds.batches, ds:take(0), {size = 1})

-- A table that is in two lists, or twice in one: what is sampled for it belongs to its first number,
-- errors name where it is in the list that was given.
do
  local function place(row) return (rows.place(row)) end
  local a, b = {prompt = "1+1=", answer = "2"}, {prompt = "2+2="}
  local first = apo.dataset{a, b}
  local second = apo.dataset{b, a, a}
  equal({rows.get(second[1]), rows.get(second[2]), rows.get(second[3])}, {2, 1, 1})
  equal({place(second[1]), place(second[2]), place(second[3])}, {"row 1", "row 2", "row 3"})
  equal({place(first[1]), place(first[2])}, {"row 1", "row 2"})
  assert(first[1] == a and first[2] == b and second[3].answer == "2")
  local shuffled = second:shuffle(3):map(function(row) return {prompt = row.prompt .. "?"} end)
  for i = 1, 3 do
    local position = tonumber(place(shuffled[i]):match("%d"))
    assert(shuffled[i].prompt == second[position].prompt .. "?")
  end
  local keyed = setmetatable({prompt = "a"}, {__index = {answer = 3}})
  equal(apo.dataset({b, keyed, keyed})[3].answer, 3)
  -- Rows of a file keep their lines.
  spec.write(path, '{"prompt":"a"}\n\n{"prompt":"b"}\n')
  local file = apo.dataset(path)
  assert(place(apo.dataset{file[2]}[1]):find("line 3", 1, true))
  assert(apo.dataset{file[2]}[1] == file[2])
end
