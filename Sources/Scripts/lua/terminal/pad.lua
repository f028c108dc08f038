-- Fills texts with blanks, by the columns that they take on a terminal.

local columns = require "apo".system.columns

local pad = {}

local function blanks(text, width) return (" "):rep(width - columns(text)) end

-- The text at the left or the right of so many columns; a longer one as it is.
function pad.left(text, width) return text .. blanks(text, width) end
function pad.right(text, width) return blanks(text, width) .. text end

return pad
