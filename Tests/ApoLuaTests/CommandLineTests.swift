import Foundation
import Testing

@testable import ApoLua

@Suite("Command line")
struct CommandLineTests {
  /// What the arguments after the program's name ask for, in short; files are those that end in
  /// .lua.
  private func parsed(_ arguments: [String]) -> String {
    do {
      let options = try CommandLineArguments(
        (["p"] + arguments).map { Array($0.utf8) }, isFile: { $0.suffix(4) == Array(".lua".utf8) })
      let steps = options.steps.map { step in
        switch step {
        case .chunk(let text): "e:" + String(decoding: text, as: UTF8.self)
        case .module(let text): "l:" + String(decoding: text, as: UTF8.self)
        case .warnings: "W"
        }
      }
      let flags = [
        options.isInteractive ? "i" : "", options.showsVersion ? "v" : "",
        options.ignoresEnvironment ? "E" : "",
      ].filter { !$0.isEmpty }
      let command = options.command.map { [$0] } ?? []
      return (steps + flags + command + ["\(options.script)"]).joined(separator: " ")
    } catch {
      return error.message
    }
  }

  @Test("Options are lua's: joined, in order, up to the script, - or --")
  func parse() {
    #expect(parsed([]) == "1")
    #expect(parsed(["s.lua", "-e"]) == "1")
    #expect(parsed(["-e", "x", "-i", "s.lua", "-x"]) == "e:x i 4")
    #expect(parsed(["-ex=5", "-", "a"]) == "e:x=5 2")
    #expect(
      parsed(["-lm=math", "-e", "", "-W", "-l", "n", "-v", "-E"]) == "l:m=math e: W l:n v E 9")
    #expect(parsed(["-v", "--", "-s.lua"]) == "v 3")
    #expect(parsed(["--"]) == "2")
    #expect(parsed(["--threads", "3", "s.lua"]) == "3")
    #expect(parsed(["--threads=3", "-i", "s.lua"]) == "i 3")
    for wrong in ["0", "257", "-1", "x", ""] {
      let text = "--threads needs a number from 1 to 256, got '\(wrong)'"
      #expect(parsed(["--threads", wrong]) == text)
      #expect(parsed(["--threads=" + wrong]) == text)
    }
    #expect(parsed(["--threadsx"]) == "unrecognized option '--threadsx'")
    #expect(parsed(["-e"]) == "'-e' needs argument")
    #expect(parsed(["-l", "-v"]) == "'-l' needs argument")
    #expect(parsed(["-e", "-- -l"]) == "'-e' needs argument")
    #expect(parsed(["-e-- -l"]) == "e:-- -l 2")
    for wrong in ["-h", "---", "-Ex", "-vv", "-iv", "-Wx", "--copies"] {
      #expect(parsed([wrong]) == "unrecognized option '\(wrong)'")
    }
  }

  @Test("A command is a first argument of that name, unless there is such a file")
  func commands() throws {
    #expect(parsed(["copy", "grpo"]) == "copy 2")
    #expect(parsed(["--copy", "grpo"]) == "copy 2")
    #expect(parsed(["--help"]) == "help 2")
    #expect(parsed(["-W", "copy"]) == "W 2")
    #expect(parsed(["--", "copy"]) == "2")
    #expect(parsed(["copy.lua"]) == "1")
    try Binary.withFolder { folder in
      #expect(try Binary.run(["copy"], in: folder).output.hasPrefix("algorithms: astarpo, "))
      try "print('a script', ...)".write(
        to: folder.appendingPathComponent("copy"), atomically: true, encoding: .utf8)
      #expect(try Binary.run(["copy", "x"], in: folder).output == "a script\tx\n")
    }
  }

  @Test("Bytes that are no UTF-8 are kept in arguments and names of files, and shown in errors")
  func bytes() throws {
    try Binary.withFolder { folder in
      let shell = """
        cd '\(folder.path)'; e=$(printf '\\351'); p='\(Binary.url.path)'
        printf 'print(arg[0]:byte(1), (...):byte(1)) error("\\351")' > "$e.lua"
        "$p" "$e.lua" "$e" 2> err; tail -c +1 err | od -An -tx1 | tr -d ' \\n' | grep -c 5c7845392e6c75613a
        "$p" -e "print(#'$e', arg[2]:byte(9))"
        "$p" -e "local ok, m = pcall(require 'apo'.load, '$e') print(m)"
        "$p" -e "local ok, m = pcall(require 'apo'.json.write, '$e.json', {}) print(ok)"; ls *.json
        """
      let path = folder.appendingPathComponent("s.sh").path
      try shell.write(toFile: path, atomically: true, encoding: .utf8)
      let result = try Binary.run(["-e", "os.execute [[sh '\(path)' 2>&1]]"])
      #expect(
        result.output == """
          233\t233
          1
          1\t233
          a path must be valid UTF-8, got '\u{FFFD}'
          false
          ls: cannot access '*.json': No such file or directory

          """)
    }
  }

  @Test("Bytes that are no characters are written out in errors, and kept by pcall and print")
  func bytesOfErrors() throws {
    let failed = try Binary.run(["-e", #"error("a\xff\27[1mb\u{202E}é", 0)"#])
    #expect(failed.errors.contains(#": a\xFF\x1B[1mb\u{202E}é"# + "\n"))
    let script = #"local _, m = pcall(error, "a\xff\27[1mb", 0) print(m, #m, m:byte(2))"#
    #expect(try Binary.run(["-e", script]).output.hasSuffix("\u{1B}[1mb\t7\t255\n"))
  }

  @Test("Without /proc the script runs, with its arguments")
  func withoutProc() throws {
    let hide = "unshare -m sh -c 'mount -t tmpfs none /proc && "
    guard try Binary.run(["-e", "os.exit(os.execute[[\(hide) true' 2> /dev/null]])"]).status == 0
    else {
      print("skipped: /proc cannot be hidden here")
      return
    }
    let script = #"print((...), require "apo".zeros(3):sum():item())"#
    try Binary.withFolder { folder in
      let path = folder.appendingPathComponent("s.lua").path
      try script.write(toFile: path, atomically: true, encoding: .utf8)
      let command = "\(hide) \"\(Binary.url.path)\" \"\(path)\" an-argument'"
      #expect(
        try Binary.run(["-e", "os.execute[[\(command)]]"]).output == "an-argument\t0.0\n")
    }
  }

  @Test("A compiled script runs as one of text does")
  func compiled() throws {
    try Binary.withFolder { folder in
      let make = "io.open('s.luac', 'wb'):write(string.dump(load 'print(#arg, ...)')):close()"
      _ = try Binary.run(["-e", make], in: folder)
      #expect(try Binary.run(["s.luac", "x"], in: folder).output == "1\tx\n")
    }
  }

  @Test("copy writes an algorithm out, which runs from there; nothing is written over")
  func copy() throws {
    try Lesson.withFolder { folder in
      let names = try Binary.run(["--copy"], in: folder)
      #expect(names.output.hasPrefix("algorithms: astarpo, dapo, dr_grpo, grpo, "))
      #expect(!names.output.contains("shipped"))
      #expect(try Binary.run(["--copy", "shipped"], in: folder).status == 1)
      #expect(try Binary.run(["--copy", "grpo"], in: folder).output.hasPrefix("wrote grpo.lua;"))
      let again = try Binary.run(["--copy", "grpo"], in: folder)
      #expect(again.status == 1)
      #expect(again.errors.contains("grpo.lua already exists; choose another file"))
      #expect(try Binary.run(["--copy", "grpo", "mine.lua"], in: folder).status == 0)
      let link = folder.appendingPathComponent("link.lua").path
      try FileManager.default.createSymbolicLink(
        atPath: link, withDestinationPath: "nowhere.lua")
      let linked = try Binary.run(["--copy", "grpo", "link.lua"], in: folder)
      #expect(linked.errors.contains("link.lua already exists; choose another file"))
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "nowhere.lua")
      let unknown = try Binary.run(["--copy", "gpro"], in: folder)
      #expect(unknown.errors.contains("copy: there is no algorithm 'gpro'; there are astarpo, "))
      #expect(unknown.status == 1)
      let many = try Binary.run(["--copy", "grpo", "a", "b"], in: folder)
      #expect(many.errors.contains("copy: a name and a file expected, got 3 arguments"))
      let script = """
        local apo = require "apo"
        local function loss(algorithm)
          return apo.train{
            policy = apo.load "models/arithmetic", data = apo.dataset "data/train.jsonl", lr = 1e-3,
            reward = function(_, c) return #c.text end, algorithm = algorithm, max_steps = 2,
            batch_size = 4, max_tokens = 4, seed = 1, quiet = true,
          }.metrics.loss
        end
        assert(loss(dofile "mine.lua") == loss "grpo")
        package.path = "./?.lua"
        assert(loss((require "grpo"){n = 8}) == loss "grpo")
        """
      _ = try Lesson.run(script, named: "compare.lua", in: folder)
    }
  }

  @Test("-e and -l run in the order given, before the script")
  func order() throws {
    let result = try Binary.run(
      [
        "-e", "print(string == s)", "-l", "s=string", "-e", "print(string == s)", "-lmath",
        "-eprint(math.pi > 3)", "-e-- -l", "-",
      ], input: "print(...)\nprint(arg[0], #arg)")
    #expect(result.output == "false\ntrue\ntrue\n\n-\t0\n")
    #expect(result.status == 0)
  }

  @Test("Tensors that do not fit into memory are an error, however many they are")
  func memory() throws {
    let script = """
      local apo, kept = require "apo", {}
      local ok, message = pcall(function() while true do kept[#kept + 1] = apo.zeros(4000000) end end)
      print(ok, (message:gsub("%d+", "N")))
      kept = nil
      collectgarbage()
      print(#apo.zeros(4000000))
      """
    try Binary.withFolder { folder in
      let path = folder.appendingPathComponent("s.lua").path
      try script.write(toFile: path, atomically: true, encoding: .utf8)
      let command = "ulimit -v 2000000; APO_THREADS=1 '\(Binary.url.path)' '\(path)'"
      let result = try Binary.run(["-e", "os.exit(os.execute([[\(command)]]))"])
      #expect(result.output.hasSuffix("zeros: N MB of memory needed, N MB available\n4000000\n"))
      #expect(result.status == 0, "\(result.errors)")
    }
  }

  @Test("A call in C that outlasts its limit is named, as it cannot be stopped")
  func stuck() throws {
    let script = """
      require "apo".system.time_limit(0.05, function()
        ("a"):rep(300):find((".-"):rep(9) .. "b")
      end, "the test")
      """
    try Binary.withFolder { folder in
      let path = folder.appendingPathComponent("s.lua").path
      try script.write(toFile: path, atomically: true, encoding: .utf8)
      let command = "timeout 4 '\(Binary.url.path)' '\(path)' 2>&1"
      let result = try Binary.run(["-e", "os.execute([[\(command)]])"])
      #expect(
        result.output.hasPrefix("apo-lua: the test is out of time where it cannot be stopped: in "))
      #expect(result.output.filter { $0 == "\n" }.count == 1, "\(result.output)")
    }
  }

  @Test("The script finds its arguments, whatever they look like")
  func scriptArguments() throws {
    try Binary.withFolder { folder in
      let script = folder.appendingPathComponent("s.lua")
      try "#!/usr/bin/env apo-lua\nprint(#arg, arg[-1], ...)".write(
        to: script, atomically: true, encoding: .utf8)
      let result = try Binary.run(["-W", "s.lua", "--help", "-e", "é", ""], in: folder)
      #expect(result.output == "4\t-W\t--help\t-e\té\t\n")
    }
  }

  @Test("Errors are shown and counted as lua does")
  func errors() throws {
    let message = try Binary.run(["-e", "error('boom')"])
    #expect(message.status == 1)
    #expect(
      message.errors.hasSuffix(
        "apo-lua: (command line):1: boom\nstack traceback:\n\t[C]: in function 'error'\n"
          + "\t(command line):1: in main chunk\n"))
    #expect(try Binary.run(["nofile.lua"]).errors.contains("cannot open nofile.lua"))
    #expect(try Binary.run(["-e", "x ="]).errors.contains("(command line):1: unexpected symbol"))
    let unknown = try Binary.run(["-z"])
    #expect(unknown.status == 1)
    #expect(
      unknown.errors.contains(
        "apo-lua: unrecognized option '-z'\nusage: apo-lua [options] [<script> [<argument> ...]]\n"
      ))
    #expect(try Binary.run(["-e", "os.exit(7)"]).status == 7)
    #expect(try Binary.run(["-e", "os.exit(true, true)"]).status == 0)
    let object = "error(setmetatable({}, {__tostring = function() return 'mine' end}))"
    #expect(try Binary.run(["-e", object]).errors.contains("apo-lua: mine\n"))
    #expect(try Binary.run(["-e", "error()"]).errors.contains("(error object is a nil value)"))
  }

  @Test("A failing statement stops what follows")
  func stops() throws {
    let result = try Binary.run(["-e", "error('a', 0)", "-e", "print(1)"])
    #expect(result.output.isEmpty && result.status == 1)
  }

  @Test("Standard input runs when there is nothing else")
  func standardInput() throws {
    let result = try Binary.run([], input: "print(1 + 1)\nerror('x')")
    #expect(result.output == "2\n")
    #expect(result.errors.contains("stdin:2: x"))
  }

  @Test("Standard input runs behind -l and -W, which are no script")
  func standardInputBehindModules() throws {
    for options in [["-l", "m=math"], ["-W"], ["-E", "-lmath"]] {
      #expect(try Binary.run(options, input: "print(math.type(1))").output == "integer\n")
    }
    #expect(try Binary.run(["-e", "print(1)"], input: "print(2)").output == "1\n")
  }

  @Test("The environment is honoured, and ignored with -E")
  func environment() throws {
    try Binary.withFolder { folder in
      try "return {name = 'found'}".write(
        to: folder.appendingPathComponent("mine.lua"), atomically: true, encoding: .utf8)
      let variables = ["LUA_INIT": "print('init')", "LUA_PATH": folder.path + "/?.lua"]
      let found = try Binary.run(
        ["-l", "mine", "-e", "print(mine.name)"], environment: variables)
      #expect(found.output == "init\nfound\n")
      let ignored = try Binary.run(
        ["-E", "-e", "print(pcall(require, 'mine'))"], environment: variables)
      #expect(ignored.output.hasPrefix("false\t"))
      let other = try Binary.run(
        ["-e", "print(1)"],
        environment: ["LUA_INIT": "print('no')", "LUA_INIT_5_4": "@\(folder.path)/init.lua"])
      #expect(other.status == 1 && other.errors.contains("cannot open"))
    }
  }

  @Test("Version, help and warnings")
  func informs() throws {
    #expect(try Binary.run(["-v"]).output == versionText + "\n")
    #expect(try Binary.run(["--version"]).output == versionText + "\n")
    let help = try Binary.run(["--help"])
    #expect(help.status == 0 && help.output.contains("-e <chunk>"))
    #expect(try Binary.run(["-W", "-e", "warn('careful')"]).errors == "Lua warning: careful\n")
    #expect(try Binary.run(["-e", "warn('careful')"]).errors.isEmpty)
    let steered =
      "warn('a') warn('@on') warn('b', 'c') warn('@off') warn('d') warn('@on') warn('@e')"
    #expect(try Binary.run(["-e", steered]).errors == "Lua warning: bc\n")
    #expect(try Binary.run(["-e", "warn 'a'", "-W", "-ewarn 'b'"]).errors == "Lua warning: b\n")
  }

  @Test("require 'apo' sets no global")
  func globals() throws {
    let code = "local apo = require 'apo' print(type(apo), _G.apo, help, apo._VERSION ~= nil)"
    #expect(try Binary.run(["-e", code]).output == "table\tnil\tnil\ttrue\n")
  }

  @Test("Ctrl-C ends a script with a message")
  func interrupt() throws {
    let result = try Binary.run(
      ["-e", "while true do pcall(error) end"], interruptAfter: 0.5)
    #expect(result.status == 130)
    #expect(result.errors.contains("(command line):1: interrupted!"))
  }

  @Test("pairs gives the same order in every run")
  func order20() throws {
    let code = """
      local t = {} for w in ("lorem ipsum dolor sit amet consetetur"):gmatch("%a+") do t[w] = #w end
      local sum = 0
      for k, v in pairs(t) do io.write(k, " "); sum = sum + 1 / v end
      print(("%.17g"):format(sum))
      """
    let outputs = try (0..<20).map { _ in try Binary.run(["-e", code]).output }
    #expect(Set(outputs).count == 1)
    #expect(outputs[0].hasPrefix("amet consetetur dolor ipsum lorem sit "))
  }

  @Test("The reference names every documented function and has prose for it")
  func reference() throws {
    let result = try Binary.run(["--reference"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.hasPrefix("# Lua reference\n"))
    #expect(result.output.contains("### `apo.help([value])`"))
  }

  @Test(
    "--check reports all that is wrong, runs nothing, and says by its status whether it is clean")
  func check() throws {
    try Binary.withFolder { folder in
      try "print(1)".write(
        to: folder.appendingPathComponent("good.lua"), atomically: true, encoding: .utf8)
      try "os.remove 'good.lua'\nprint(x)\nrequire 'apo'.trian{}\n".write(
        to: folder.appendingPathComponent("bad.lua"), atomically: true, encoding: .utf8)
      let clean = try Binary.run(["--check", "good.lua"], in: folder)
      #expect(clean.status == 0 && clean.output.isEmpty && clean.errors.isEmpty)
      let faults = try Binary.run(["check", "bad.lua", "good.lua", "no.lua"], in: folder)
      #expect(faults.status == 1)
      #expect(
        faults.output == """
          bad.lua:2: undefined global 'x'
          bad.lua:3: apo has no field 'trian' (did you mean 'train'?)
          no.lua: cannot be opened: No such file or directory

          """)
      #expect(try Binary.run(["--check"], in: folder).errors.contains("usage: apo-lua check"))
    }
  }
}
