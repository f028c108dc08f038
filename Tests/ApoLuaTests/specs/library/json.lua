local spec = ...
local json = require "apo".json
local equal, raises = spec.equal, spec.raises

-- Numbers keep their subtype, keys are sorted or in the order asked for.
equal(json.encode{b = {1, 2.0, -0.5}, a = "ä\n\"", c = true}, '{"a":"ä\\n\\"","b":[1,2.0,-0.5],"c":true}')
equal(json.encode({a = 1, b = 2, c = 3}, {order = {"c", "x", "b"}}), '{"c":3,"b":2,"a":1}')
equal(json.encode({a = {1}}, {pretty = true}), '{\n  "a": [\n    1\n  ]\n}')
equal(json.encode(nil), "null")
equal(json.encode{}, "[]")
equal(math.type(json.decode("1")), "integer")
equal(math.type(json.decode("1.0")), "float")
equal(json.decode('{"a":[1,{"b":"\\u00e4"}]}'), {a = {1, {b = "ä"}}})

-- null: absent as a member, a value in a list.
equal(json.decode('{"a":null,"b":1}'), {b = 1})
equal(json.decode('{"a":null}', {keep_null = true}).a == json.null, true)
equal(#json.decode("[null,2,null]"), 3)
equal(json.decode("[null]")[1] == json.null, true)
equal(tostring(json.null), "null")
equal(json.encode{json.null, 1}, "[null,1]")

raises("the number inf cannot be written as JSON (field 'a.x[2]')", json.encode, {a = {x = {1, 1 / 0}}})
raises("function cannot be written as JSON (field 'f')", json.encode, {f = print})
raises("both a list and names", json.encode, {1, a = 2})
raises("not valid UTF-8", json.encode, "\xff")
equal(json.encode("a\xff", {lossy = true}), '"a\u{FFFD}"')
raises("not valid JSON at line 1, column 5", json.decode, "[1, x]")
raises("contains itself", function() local t = {}; t[1] = t; json.encode(t) end)

-- Files of lines.
local path = spec.folder .. "/rows.jsonl"
spec.write(path, '\xEF\xBB\xBF{"a":1}\r\n\n{"a":2}')
local seen = {}
for value, line in json.read_lines(path) do seen[#seen + 1] = {value.a, line} end
equal(seen, {{1, 1}, {2, 3}})
spec.write(path, '{"a":1}\n{"a":\n')
raises("rows.jsonl: line 2, column 6: not valid JSON", function()
  for _ in json.read_lines(path) do end
end)
raises("nothing.jsonl: cannot be opened: No such file", json.read_lines, "nothing.jsonl")
json.write(path, {x = {1}})
equal(json.read(path), {x = {1}})

-- A reader of a small file keeps nothing open, however many there are and whether they come to the end.
spec.write(spec.folder .. "/small.jsonl", "1\n2\n")
local readers = {}
for i = 1, 3000 do
  readers[i] = json.read_lines(spec.folder .. "/small.jsonl")
  equal(readers[i](), 1)
end
for i = 1, 3000 do equal(readers[i](), 2) end
-- Those of a large file are closed when they are collected, at the latest when there may be no more.
local large = {}
for i = 1, 20000 do large[i] = i end
spec.write(spec.folder .. "/large.jsonl", table.concat(large, "\n"))
for _ = 1, 2000 do equal(json.read_lines(spec.folder .. "/large.jsonl")(), 1) end
