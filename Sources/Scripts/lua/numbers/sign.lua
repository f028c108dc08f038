-- What stands directly before a number in a text: a currency, a sign.

local currencies = {"$", "€", "£", "¥", "₹", "₩", "₽", "¢"}
-- U+2212 is the minus sign, U+2013 the en dash; then the small and the wide hyphen, the wide plus.
local signs = {["-"] = "-", ["+"] = "+", ["\u{2212}"] = "-", ["\u{2013}"] = "-",
               ["\u{FE63}"] = "-", ["\u{FF0D}"] = "-", ["\u{FF0B}"] = "+"}

-- The position before a currency's sign that ends here; the same where there is none.
local function before_currency(text, stop)
  for _, currency in ipairs(currencies) do
    if stop >= #currency and text:sub(stop - #currency + 1, stop) == currency then
      stop = stop - #currency
      return currency == "$" and text:sub(stop, stop) == "\\" and stop - 1 or stop
    end
  end
  return stop
end

-- The sign that ends here, and the position before it.
local function sign_at(text, stop)
  for length = 1, 3, 2 do
    local sign = stop >= length and signs[text:sub(stop - length + 1, stop)]
    if sign then return sign, stop - length end
  end
end

-- Whether what ends here makes a hyphen behind it a range, a date, a difference or part of a word.
local function joins(text, stop)
  if stop < 1 then return false end
  if sign_at(text, stop) or text:find("^[%w_%%)%]}.]", stop) then return true end
  -- A dollar sign that closes a formula.
  return text:sub(stop, stop) == "$" and stop > 1 and text:find("^[%d)}%l]", stop - 1) ~= nil
end

-- Whether a number that begins here is negative.
local function is_negative(text, start)
  local stop = before_currency(text, start - 1)
  local sign, before = sign_at(text, stop)
  if sign then return sign == "-" and not joins(text, before) end
  if text:sub(stop, stop) ~= " " then return false end
  -- "= - 5" and "(- 5)"; elsewhere "- 5" may be an item of a list.
  sign, before = sign_at(text, stop - 1)
  if sign ~= "-" then return false end
  if text:sub(before, before) == " " then before = before - 1 end
  return before > 0 and text:find("^[=([{<>]", before) ~= nil
end

-- Whether a text is nothing but signs, currencies and white space.
local function is_only_signs(text)
  local stop = #text
  while stop > 0 do
    local _, before = sign_at(text, stop)
    if not before then before = before_currency(text, stop) end
    if before == stop then
      if not text:find("^%s", stop) then return false end
      before = stop - 1
    end
    stop = before
  end
  return true
end

return {is_negative = is_negative, is_only_signs = is_only_signs}
