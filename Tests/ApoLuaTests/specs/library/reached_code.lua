local spec = ...
local apo = require "apo"
local code = require "apo.script.code_fingerprint"

-- Makes a function from a text, with what stands before it in its script.
local function make(before, text)
  return assert(load(before .. "\nreturn " .. (text or "function(row, c) return help(c) end")))()
end
local function same(a, b) spec.equal(code(a) == code(b), true) end
local function other(a, b) spec.equal(code(a) == code(b), false) end

-- Helpers count, at any distance, and those that call each other; other variables do not.
local one = "local function help(c) return 1 end"
same(make(one), make("-- moved\nlocal x = 5\n" .. one))
other(make(one), make("local function help(c) return 2 end"))
local far = "local function inner() return %d end\nlocal function help(c) return inner() end"
other(make(far:format(1)), make(far:format(2)))
local mutual = "local help\nlocal function again(c) return help(c - %d) end\n"
  .. "function help(c) return c > 0 and again(c) end"
same(make(mutual:format(1)), make(mutual:format(1)))
other(make(mutual:format(1)), make(mutual:format(2)))
same(make("local help = 1"), make("local help = 2"))
other(make("local help <const> = 1"), make("local help <const> = 2"))

-- So do the functions of modules.
local function with_module(number)
  package.loaded.scorer = {check = make("", ("function() return %d end"):format(number)), data = {}}
  return make("local scorer = require 'scorer'", "function(row, c) return scorer.check(c) end")
end
local first = code(with_module(1))
spec.equal({first == code(with_module(1)), first == code(with_module(2))}, {true, false})
package.loaded.scorer = nil

-- And the options of the library's rewards, alone or inside of a function.
local strict, flexible = apo.rewards.gsm8k{mode = "strict"}, apo.rewards.gsm8k{mode = "flexible"}
same(strict, apo.rewards.gsm8k{})
other(strict, flexible)
other(strict, apo.rewards.gsm8k{format_score = 0.1})
local function half(scorer) return function(row, c) return scorer(row, c) / 2 end end
same(half(strict), half(apo.rewards.gsm8k{}))
other(half(strict), half(flexible))

spec.equal(code(print), nil)
