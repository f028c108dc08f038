-- A text without white space at its ends. "%s+$" and "(.-)%s*$" are quadratic in runs of spaces
-- within the text.
return function(text)
  local first = text:find("%S")
  return first and text:match("^.*%S", first) or ""
end
