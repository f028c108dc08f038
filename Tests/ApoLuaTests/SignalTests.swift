import Foundation
import TestSupport
import Testing

/// Signals, and what the program says and saves before it ends.
@Suite("Signals", .serialized)
struct SignalTests {
  /// Runs a shell command, in which `$APO` is the program and `$FIXTURES` the folder of fixtures.
  private func shell(_ command: String, in folder: URL) throws -> RunResult {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", command]
    var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("LUA_") }
    variables["APO"] = Binary.url.path
    variables["FIXTURES"] = Fixtures.folder ?? ""
    process.environment = variables
    process.currentDirectoryURL = folder
    let (output, errors) = (
      folder.appendingPathComponent("out"), folder.appendingPathComponent("err")
    )
    try process.run(writing: output, errors)
    return RunResult(
      status: process.terminationStatus,
      output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  /// Sends itself a signal in the third step.
  private static let training = """
    local apo = require "apo"
    local number, quiet, resume = arg[1], arg[2] == "quiet", arg[2] == "resume"
    local rows = {}
    for i = 1, 24 do rows[i] = {prompt = "What is " .. i .. "?"} end
    local pid = io.open("/proc/self/stat"):read("n")
    print(apo.train{
      policy = apo.load(os.getenv "FIXTURES" .. "/models/tiny-qwen2-tied"), data = apo.dataset(rows),
      reward = function(_, c) return #c.text % 2 end, target = function(s) return s.reward end,
      lr = 1e-3, batch_size = 4, max_tokens = 4, dir = "run" .. number, quiet = quiet, seed = 1,
      resume = resume, on_step = function(record)
        if number ~= "0" and not resume and record.step == 3 then
          os.execute("(sleep 0.1; kill -" .. number .. " " .. pid .. ") &")
          while true do end
        end
      end,
    }.steps)
    """

  @Test(
    "SIGINT, SIGTERM and SIGHUP save the run, say where, and give 128 and their number",
    .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
  func training() throws {
    try Binary.withFolder { folder in
      let script = folder.appendingPathComponent("train.lua")
      try Self.training.write(to: script, atomically: true, encoding: .utf8)
      _ = try shell("$APO train.lua 0", in: folder)
      for (number, quiet) in [(2, ""), (15, ""), (1, ""), (2, "quiet"), (15, "quiet")] {
        let run = "run\(number)"
        let result = try shell("rm -rf \(run); $APO train.lua \(number) \(quiet)", in: folder)
        #expect(result.status == Int32(128 + number), "\(result.errors)")
        let advice = "stopped; \(run)/checkpoint holds step 3. To resume, run the script again with"
        #expect((quiet.isEmpty ? result.output : result.errors).contains(advice))
        #expect(!result.errors.contains("traceback"), "\(result.errors)")
        let again = try shell(
          "$APO train.lua \(number) resume && cmp run0/checkpoint/step-6/policy/model.safetensors "
            + "\(run)/checkpoint/step-6/policy/model.safetensors "
            + "&& cmp run0/completions.jsonl \(run)/completions.jsonl", in: folder)
        #expect(again.status == 0, "\(again.output)\(again.errors)")
      }
    }
  }

  @Test(
    "A signal that waits for the end of an update loses no record",
    .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
  func heldSignal() throws {
    try Binary.withFolder { folder in
      let script = Self.training.replacingOccurrences(
        of: #"if number ~= "0" and not resume and record.step == 3 then"#, with: "if false then"
      ).replacingOccurrences(
        of: "local rows",
        with: """
          local hold, count = apo.system.hold_stop, 0
          function apo.system.hold_stop(on)
            hold(on)
            if on then count = count + 1 end
            if on and count == 5 and number ~= "0" and not resume then
              os.execute("kill -" .. number .. " " .. io.open("/proc/self/stat"):read("n"))
            end
          end
          local rows
          """)
      try script.write(
        to: folder.appendingPathComponent("train.lua"), atomically: true, encoding: .utf8)
      _ = try shell("$APO train.lua 0", in: folder)
      let result = try shell("$APO train.lua 15; echo $?; wc -l <run15/metrics.jsonl", in: folder)
      let step = try #require(result.output.firstMatch(of: /checkpoint holds step (\d)\./)).1
      #expect(result.output.hasSuffix("143\n\(step)\n"), "\(result.output)")
      let again = try shell(
        "$APO train.lua 15 resume && wc -l <run15/metrics.jsonl "
          + "&& cmp run0/completions.jsonl run15/completions.jsonl", in: folder)
      #expect(again.status == 0 && again.output.hasSuffix("\n6\n6\n"), "\(again.output)")
    }
  }

  @Test(
    "A signal between two updates of a step leaves the step before it",
    .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
  func halfStep() throws {
    try Binary.withFolder { folder in
      let script = Self.training.replacingOccurrences(
        of: "resume = resume, on_step",
        with: """
          resume = resume, mini_batch = 2, loss = function(b)
            calls = (calls or 0) + 1
            if number ~= "0" and not resume and calls == 6 then
              os.execute("(sleep 0.1; kill -" .. number .. " " .. pid .. ") &")
              while true do end
            end
            return ((1e-2 * (b.logp - b.ref_logp) - b.target) ^ 2):mean()
          end, on_step
          """)
      try script.write(
        to: folder.appendingPathComponent("train.lua"), atomically: true, encoding: .utf8)
      _ = try shell("$APO train.lua 0", in: folder)
      for number in [2, 15, 1] {
        let result = try shell("$APO train.lua \(number)", in: folder)
        #expect(result.status == Int32(128 + number), "\(result.errors)")
        let advice =
          "stopped in step 3, which was incomplete and is dropped; run\(number)/checkpoint "
        #expect(result.output.contains(advice + "holds step 2."), "\(result.output)")
        let again = try shell(
          "$APO train.lua \(number) resume && cmp run0/checkpoint/step-6/policy/model.safetensors "
            + "run\(number)/checkpoint/step-6/policy/model.safetensors "
            + "&& cmp run0/completions.jsonl run\(number)/completions.jsonl", in: folder)
        #expect(again.status == 0, "\(again.output)\(again.errors)")
      }
    }
  }

  @Test("A signal waits for the end of the step of a loop of one's own, which is saved")
  func ownLoop() throws {
    try Binary.withFolder { folder in
      let script = """
        local apo = require "apo"
        local pid = io.open("/proc/self/stat"):read("n")
        local run = apo.run{dir = "run", total = 9, resume = true, quiet = arg[1] == "quiet"}
        for step in run:steps() do
          if step == 3 then
            os.execute("kill -TERM " .. pid)
            local start = os.clock()
            while os.clock() - start < 0.3 do end
            run:log{complete = 1}
          end
        end
        """
      try script.write(
        to: folder.appendingPathComponent("own.lua"), atomically: true, encoding: .utf8)
      for quiet in ["", "quiet"] {
        let stopped = try shell("rm -rf run; $APO own.lua \(quiet)", in: folder)
        #expect(stopped.status == 143, "\(stopped.errors)")
        let said = quiet.isEmpty ? stopped.output : stopped.errors
        #expect(said.contains("stopped; run/checkpoint holds step 3."), "\(said)")
        let lines = try shell("grep -c complete run/metrics.jsonl", in: folder)
        #expect(lines.output == "1\n")
        // The signal, and then an error of the same step: the step before is saved.
        let failing = script.replacing("run:log{complete = 1}", with: "error('judge offline')")
        try failing.write(
          to: folder.appendingPathComponent("failing.lua"), atomically: true, encoding: .utf8)
        let failed = try shell(
          "rm -rf run2; sed -i 's/dir = \"run\"/dir = \"run2\"/' failing.lua; "
            + "$APO failing.lua \(quiet); ls run2/checkpoint", in: folder)
        #expect(failed.output.hasSuffix("step-2\n"), "\(failed)")
        let again = try shell("$APO own.lua && ls run/checkpoint", in: folder)
        #expect(again.status == 0 && again.output.hasSuffix("step-3\nstep-9\n"), "\(again)")
      }
    }
  }

  @Test("A script of its own ends with a line, and cleans up")
  func script() throws {
    try Binary.withFolder { folder in
      let loop = try shell(
        "timeout -s TERM --foreground 1 $APO -e 'while true do pcall(error) end'; echo $?",
        in: folder)
      #expect(loop.errors.hasSuffix("(command line):1: stopped by SIGTERM\n"), "\(loop.errors)")
      let cleaned = try shell(
        """
        $APO -e 'require "apo".system.on_interrupt(function() print(1) io.stdout:flush() \
        while true do end end, function() print "clean" end)' & sleep 1; kill -HUP $!; wait $!
        """, in: folder)
      #expect(cleaned.status == 129)
      #expect(cleaned.output == "1\nclean\n")
    }
  }

  @Test("A second signal ends the program at once; copies of the first do not")
  func second() throws {
    try Binary.withFolder { folder in
      let script = """
        $APO -e 'require "apo".system.on_interrupt(function() while true do end end, function() \
        print "begin" io.stdout:flush() local t = os.time() while os.time() - t < 4 do end \
        print "end" end)' & sleep 1; kill -TERM $!; kill -TERM $!;
        """
      let once = try shell(script + " wait $!", in: folder)
      #expect((once.status, once.output) == (143, "begin\nend\n"))
      let twice = try shell(script + " sleep 1; kill -TERM $!; wait $!", in: folder)
      #expect((twice.status, twice.output) == (143, "begin\n"))
    }
  }

  @Test("Ctrl-C twice ends what cannot be stopped")
  func twice() throws {
    let loops = [
      #"("a"):rep(300):find((".-"):rep(9) .. "b")"#,
      "setmetatable({}, {__gc = function() while true do end end}) collectgarbage()",
      "xpcall(function() while true do end end, function() while true do end end)",
      "debug.sethook(function() while true do end end, \"\", 1)",
      "setmetatable({}, {__gc = function() while true do end end})",  // at the end of the program
    ]
    try Binary.withFolder { folder in
      for loop in loops {
        let limited = #"require "apo".system.time_limit(60, function() \#(loop) end)"#
        for chunk in [loop, limited] {
          let result = try shell(
            "set -m; $APO -e '\(chunk)' & sleep 1; kill -INT $!; sleep 0.5; kill -INT $!; wait $!",
            in: folder)
          #expect(result.status == 130, "\(chunk): \(result.errors)")
        }
      }
    }
  }

  @Test("SIGTERM ends what cannot be stopped; nohup is respected")
  func stuck() throws {
    try Binary.withFolder { folder in
      let stuck = try shell(
        """
        $APO -e '("a"):rep(300):find((".-"):rep(9) .. "b")' & sleep 1; kill -TERM $!; wait $!
        """, in: folder)
      #expect(stuck.status == 143)
      let ignored = try shell(
        """
        nohup $APO -e 'local t = os.time() while os.time() - t < 3 do end print "alive"' & \
        sleep 1; kill -HUP $!; wait $!
        """, in: folder)
      #expect((ignored.status, ignored.output) == (0, "alive\n"))
    }
  }

  @Test("Closed pipes and too large files are errors of the write; `| head` ends quietly")
  func files() throws {
    try Binary.withFolder { folder in
      let head = try shell(
        "$APO -e 'for i = 1, 1e9 do print(i) end' | head -2; echo ${PIPESTATUS[0]}", in: folder)
      #expect((head.output, head.errors) == ("1\n2\n141\n", ""))
      let pipe = try shell(
        #"""
        $APO -e 'local p = io.popen("true", "w") os.execute "sleep 0.3"
        print(select(2, p:write(("x"):rep(1e6))))'
        """#, in: folder)
      #expect(pipe.output == "Broken pipe\t32\n")
      let large = try shell(
        #"ulimit -f 10; $APO -e 'print(select(2, io.open("f", "w"):write(("x"):rep(1e6))))'"#,
        in: folder)
      #expect(large.output == "File too large\t27\n")
      let child = try shell("$APO -e 'print(os.execute \"yes | head -1\")'", in: folder)
      #expect((child.output, child.errors) == ("y\ntrue\texit\t0\n", ""))
    }
  }

  @Test(
    "A training whose output nobody reads any more, and one that os.exit ends, are saved",
    .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
  func leaving() throws {
    try Binary.withFolder { folder in
      let script = folder.appendingPathComponent("train.lua")
      try Self.training.write(to: script, atomically: true, encoding: .utf8)
      let pipe = try shell(
        "$APO train.lua 0 | head -3 >/dev/null; echo ${PIPESTATUS[0]}; ls run0/checkpoint",
        in: folder)
      #expect(pipe.output.hasPrefix("141\nstep-"), "\(pipe.output)\(pipe.errors)")
      let changed = Self.training.replacingOccurrences(
        of: "while true do end", with: "os.exit(9)")
      try changed.write(to: script, atomically: true, encoding: .utf8)
      let exit = try shell("$APO train.lua 1; echo $?; ls run1/checkpoint", in: folder)
      #expect(exit.output.contains("os.exit was called; run1/checkpoint holds step 3."))
      #expect(exit.output.hasSuffix("9\nstep-3\n"))
    }
  }

  @Test("A terminal that is closed ends a session with 129, in a chunk and at the prompt")
  func hangUp() throws {
    for (line, reason) in [("while true do end", "stdin:1: stopped by SIGHUP"), ("", "")] {
      try Binary.withFolder { folder in
        let terminal = try PseudoTerminal(history: folder.appendingPathComponent("h").path)
        _ = terminal.wait(for: "> ")
        let name = folder.appendingPathComponent("pid").path
        _ = terminal.answer(
          to: "io.open('\(name)', 'w'):write(io.open('/proc/self/stat'):read('n'))")
        _ = terminal.answer(to: "collectgarbage()")
        let pid = try #require(Int32(String(contentsOfFile: name, encoding: .utf8)))
        if !line.isEmpty { terminal.type(line + "\r") }
        Thread.sleep(forTimeInterval: 0.5)
        kill(pid, SIGHUP)
        if !reason.isEmpty { #expect(terminal.wait(for: reason).contains(reason)) }
        // At the prompt the signal itself ends it, which setsid(1) gives as its number.
        #expect(terminal.status() == (line.isEmpty ? SIGHUP : 129))
      }
    }
  }

  @Test("A progress bar in a file ends with one line, not with two")
  func progress() throws {
    try Binary.withFolder { folder in
      let code = """
        local apo = require "apo"
        local now = 0
        function apo.system.clock() return now end
        local bar = apo.progress{total = 2, title = "work"}
        for _ = 1, 2 do now = now + 6 bar:advance() end
        bar:finish()
        """
      let result = try Binary.run(["-e", code], in: folder)
      #expect(result.errors.split(separator: "\n").count == 2, "\(result.errors)")
    }
  }
}

extension Process {
  /// Runs to the end with both outputs in files, which need no reader.
  func run(writing output: URL, _ errors: URL) throws {
    for url in [output, errors] { try Data().write(to: url) }
    standardInput = FileHandle.nullDevice
    standardOutput = try FileHandle(forWritingTo: output)
    standardError = try FileHandle(forWritingTo: errors)
    try run()
    waitUntilExit()
  }
}
