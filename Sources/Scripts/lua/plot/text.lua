-- Text inside of HTML and SVG. Names come from data and models: control characters, which XML
-- cannot represent, and invalid UTF-8 are escaped.

local visible = require "apo".system.visible

local entities = {["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;"}

return function(text, keeps_lines)
  return (visible(tostring(text), keeps_lines):gsub('[&<>"]', entities))
end
