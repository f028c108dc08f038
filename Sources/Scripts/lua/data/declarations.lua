-- Declarations of options that are said once and taken over by several functions, each with what it
-- has otherwise.

-- A copy of a declaration with the fields of `changes` laid over it. `notes` are added to what is
-- noted; `is_optional` takes a default away, and so does `is_needed`.
local function changed(option, changes)
  local copy = {}
  for field, value in pairs(option) do copy[field] = value end
  for field, value in pairs(changes or {}) do copy[field] = value end
  copy.is_optional, copy.is_needed = nil, nil
  if changes and (changes.is_optional or changes.is_needed) then
    copy.default, copy.optional = nil, changes.is_optional
  end
  copy.notes = {}
  for _, notes in ipairs{option.notes or {}, changes and changes.notes or {}} do
    for name, value in pairs(notes) do copy.notes[name] = value end
  end
  return copy
end

-- All of a list, with changes by the options' names.
local function all(list, changes)
  local result = {}
  for i, option in ipairs(list) do
    result[i] = changed(option, changes and changes[option.name])
  end
  return result
end

-- Appends lists of declarations to a list; gives it.
local function append(list, ...)
  for _, more in ipairs{...} do table.move(more, 1, #more, #list + 1, list) end
  return list
end

return {changed = changed, all = all, append = append}
