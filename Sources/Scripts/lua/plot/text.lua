-- Text inside of HTML and SVG. Names come from data and models: control characters are written out,
-- for XML has no way to hold them, and what is not UTF-8 too.

local visible = require "apo".system.visible

local entities = {["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;"}

return function(text) return (visible(tostring(text)):gsub('[&<>"]', entities)) end
