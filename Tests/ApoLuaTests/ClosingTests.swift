import Foundation
import Testing

@testable import ApoLua

/// Finalizers and pending variables run while the state closes, and may do what a script may.
@Suite("The end of the program")
struct ClosingTests {
  /// `everything()` requires apo, then calls every declared function, most of them wrongly, and a
  /// few as they are meant; it prints how often.
  private static let script = """
    local mode, names, skipped = ...
    local function objects(apo)
      local m = apo.new_model{model_type = "llama", hidden_size = 8, num_hidden_layers = 1,
        num_attention_heads = 2, intermediate_size = 8,
        tokenizer = apo.char_tokenizer{alphabet = "0123456789+="}, seed = 1}
      local r = m:generate({"1+1="}, {n = 2, max_tokens = 3})
      local all = {m, r, apo.tensor{{1, 2}, {3, 4}}, apo.optim.adamw(m),
        apo.dataset{{prompt = "1="}}, apo.schedule.constant{lr = 1}, m.tokenizer}
      assert(apo.score(r, function() return 1 end):sum():item() == 2)
      assert(apo.no_grad(function() return 7 end) == 7)
      assert(apo.system.time_limit(5, function() end))
      apo.train{policy = m, data = apo.dataset{{prompt = "1="}}, algorithm = "grpo", lr = 1e-3,
        reward = function() return 0 end, max_steps = 1, batch_size = 1, max_tokens = 2,
        quiet = true}
      return all
    end
    local function resolve(apo, all, name)
      local class, method = name:match "^([%w_.]+):([%w_]+)$"
      for _, object in ipairs(class and all or {}) do
        if tostring(object):find(class, 1, true) then
          local ok, f = pcall(function() return object[method] end)
          return ok and f, object
        end
      end
      local value = apo
      for part in (class and "" or name):gsub("^apo%.", ""):gmatch "[%w_]+" do
        local ok, field = pcall(function() return value[part] end)
        value = ok and field or nil
      end
      return value ~= apo and value
    end
    local function everything()
      local apo = require "apo"
      local all, calls, right = objects(apo), 0, 0
      local others = {nil, 3, "1+1=", {{prompt = "1="}}, function() return 1 end,
        coroutine.create(print)}
      for name in io.lines(names) do
        local f, object = resolve(apo, all, name)
        if f and not skipped:find("|" .. name .. "|", 1, true) then
          for i = 1, 6 do
            local ok
            if object then ok = pcall(f, object, others[i])
            else ok = pcall(f, others[i], others[7 - i]) end
            calls, right = calls + 1, right + (ok and 1 or 0)
          end
        end
      end
      print("calls", calls > 500 and right > 20 and "many" or calls .. " " .. right)
    end
    if mode == "gc" then
      kept = setmetatable({}, {__gc = everything})
    elseif mode == "close" then
      local pending <close> = setmetatable({}, {__close = everything})
      os.exit(true, true)
    elseif mode == "coroutine" then
      kept = setmetatable({}, {__gc = function() coroutine.wrap(everything)() end})
      coroutine.wrap(function()
        require "apo".system.time_limit(9, function() os.exit(true, true) end)
      end)()
    elseif mode == "loaded" then
      local apo = require "apo"
      local all = objects(apo)
      kept = setmetatable({}, {__gc = function()
        for _, object in ipairs(all) do pcall(function() return object:free() end) end
        everything()
      end})
      error("the script ends by an error")
    end
    """

  @Test("Every declared function works or raises while the state closes")
  func everyFunction() throws {
    try Binary.withFolder { folder in
      let reference = try Binary.run(["reference"]).output
      let names = reference.split(separator: "\n").compactMap { line -> Substring? in
        guard line.hasPrefix("### `") else { return nil }
        return line.dropFirst(5).prefix { $0 != "(" && $0 != "`" }
      }
      #expect(names.count > 100)
      try names.joined(separator: "\n").write(
        to: folder.appendingPathComponent("names"), atomically: true, encoding: .utf8)
      try Self.script.write(
        to: folder.appendingPathComponent("s.lua"), atomically: true, encoding: .utf8)
      let skipped = ModuleWrongTypesTests.skipped.joined(separator: "|")
      for mode in ["gc", "close", "coroutine", "loaded"] {
        let result = try Binary.run(["-W", "s.lua", mode, "names", "|\(skipped)|"], in: folder)
        #expect(result.status == (mode == "loaded" ? 1 : 0), "\(mode): \(result.errors)")
        #expect(result.output.hasSuffix("calls\tmany\n"), "\(mode): \(result.errors)")
        #expect(!result.errors.contains("error in __gc"), "\(mode): \(result.errors)")
      }
    }
  }
}
