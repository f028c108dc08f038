-- A text without white space at its ends. "%s+$" and "(.-)%s*$" take a time that is quadratic in a
-- run of spaces within the text.
return function(text)
  local first = text:find("%S")
  return first and text:match("^.*%S", first) or ""
end
