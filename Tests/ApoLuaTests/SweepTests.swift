import Foundation
import TestSupport
import Testing

/// Sweeps that are stopped and killed, and go on.
@Suite("Sweeps", .serialized)
struct SweepTests {
  private static let training = """
    local apo = require "apo"
    local s = apo.settings{lr = 1e-3, wait = 0}
    local rows = {}
    for i = 1, 24 do rows[i] = {prompt = "What is " .. i .. "?"} end
    apo.train{
      policy = apo.load(os.getenv "FIXTURES" .. "/models/tiny-qwen2-tied"), data = apo.dataset(rows),
      reward = function(_, c) return #c.text % 2 end, target = function(t) return t.reward end,
      lr = s.lr, batch_size = 4, max_tokens = 4, dir = s.dir, resume = s.resume,
      on_step = function() apo.system.sleep(tonumber(os.getenv "WAIT") or 0) end,
    }
    """

  private static let sweep = """
    local apo = require "apo"
    apo.sweep{script = "train.lua", dir = arg[1], grid = {lr = {1e-3, 1e-2}}, seeds = {1, 2},
              parallel = tonumber(arg[2])}
    """

  /// Runs a shell command, in which `$APO` is the program.
  private func shell(_ command: String, in folder: URL) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", command + " 2>&1"]
    var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("LUA_") }
    variables["APO"] = Binary.url.path
    variables["FIXTURES"] = Fixtures.folder ?? ""
    process.environment = variables
    process.currentDirectoryURL = folder
    let output = folder.appendingPathComponent("out")
    try process.run(writing: output, folder.appendingPathComponent("err"))
    return try String(contentsOf: output, encoding: .utf8)
  }

  private func metrics(_ sweep: String, in folder: URL) throws -> [String: String] {
    var found: [String: String] = [:]
    for lr in ["0.001", "0.01"] {
      for seed in 1...2 {
        let run = "lr=\(lr)-seed\(seed)"
        let text = try String(
          contentsOf: folder.appendingPathComponent("\(sweep)/\(run)/metrics.jsonl"),
          encoding: .utf8)
        found[run] = text.replacing(
          /"(seconds|step_time|timing_s[^"]*|perf[^"]*|[^"]*memory[^"]*|[^"]*per_second[^"]*)":[^,}]*/,
          with: "")
        let completions = folder.appendingPathComponent("\(sweep)/\(run)/completions.jsonl")
        found[run, default: ""] += try String(contentsOf: completions, encoding: .utf8)
      }
    }
    return found
  }

  @Test(
    "Ctrl-C stops all runs, which are saved; a killed sweep leaves none behind; both go on to the same",
    .enabled(if: Fixtures.areThere, Comment(rawValue: Fixtures.missing)))
  func stopped() throws {
    try Binary.withFolder { folder in
      for (name, text) in [("train.lua", Self.training), ("sweep.lua", Self.sweep)] {
        try text.write(
          to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
      }
      _ = try shell("$APO sweep.lua whole 1", in: folder)
      let expected = try metrics("whole", in: folder)
      #expect(Set(expected.values).count == 4)
      // Waits until all runs have made a step.
      let started = """
        for i in {1..600}; do
          [ "$(cat "$DIR"/*/metrics.jsonl 2>/dev/null | wc -l)" -ge 4 ] && break; sleep 0.05
        done
        """
      for (signal, status) in [("INT", 130), ("TERM", 143), ("KILL", 137)] {
        let output = try shell(
          """
          set -m; DIR=\(signal); WAIT=1 $APO sweep.lua $DIR 4 & \(started)
          kill -\(signal) $!; wait $!; echo "status $?"
          for i in {1..200}; do
            left=$(grep -lzx "dir=$DIR[/].*" /proc/[0-9]*/cmdline 2>/dev/null | wc -l)
            [ $left = 0 ] && break; sleep 0.05
          done
          echo "left $left"; ls $DIR/*/checkpoint
          """, in: folder)
        #expect(output.contains("status \(status)\nleft 0\n"), "\(output)")
        #expect(output.matches(of: /step-\d/).count == 4, "\(output)")
        if signal == "INT" {
          #expect(output.contains("stopped; 0 of 4 runs are done. To go on, run the script again"))
        }
        let again = try shell("$APO sweep.lua \(signal) 2", in: folder)
        #expect(again.contains("report: \(signal)/report.html"), "\(again)")
        for (run, text) in try metrics(signal, in: folder) {
          let lines = zip(text.split(separator: "\n"), expected[run]?.split(separator: "\n") ?? [])
          let other = lines.first { $0 != $1 }
          #expect(text == expected[run], "\(signal), \(run): \(other.map { "\($0)" } ?? "")")
        }
      }
    }
  }

  @Test("A dry run lists the runs, and writes nothing")
  func dryRun() throws {
    try Binary.withFolder { folder in
      for (name, text) in [("train.lua", Self.training), ("sweep.lua", Self.sweep)] {
        try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
      }
      let result = try Binary.run(["--dry-run", "sweep.lua", "out", "2"], in: folder)
      #expect(result.status == 0)
      #expect(result.output.contains("4 runs of train.lua in out, 2 at a time with "))
      #expect(result.output.contains("lr=0.01-seed2\n"))
      #expect(result.output.contains("to check a run: apo-lua --dry-run train.lua lr=0.001\n"))
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(left.sorted() == ["sweep.lua", "train.lua"])
    }
  }

  @Test("A process that was started is given its arguments as they are, and ends with its parent")
  func processes() throws {
    try Binary.withFolder { folder in
      try "for i = 1, #arg do io.write(('%q'):format(arg[i]), ';') end".write(
        to: folder.appendingPathComponent("echo.lua"), atomically: true, encoding: .utf8)
      let code = #"""
        local s = require "apo".system
        local open = io.open("kept", "w")
        local p = s.start({"echo.lua", "a b", "", "it's", '"', "\xff", "$HOME", "*"}, {output = "log"})
        while not p:status() do s.sleep(0.01) end
        print(p:status(), io.open("log", "rb"):read "a")
        local q = s.start({"-c", "ls -l /proc/self/fd | grep -c kept; exit 7"},
          {output = "fd", program = "/bin/sh"})
        while not q:status() do s.sleep(0.01) end
        print(q:status(), io.open("fd"):read "a")
        local loop = s.start({"-e", "while true do end"}, {output = "log"})
        s.sleep(0.3)
        print(loop:status())
        loop:stop()
        while not loop:status() do s.sleep(0.01) end
        print(loop:status())
        print(pcall(s.start, {"a\0b"}, {output = "log"}))
        print(pcall(s.start, {}, {output = "log", program = "none"}))
        print(pcall(s.start, {}, {output = "none/log"}))
        """#
      let result = try Binary.run(["-e", code], in: folder)
      #expect(
        result.output == #"""
          0	"a b";"";"it's";"\"";"\#u{FFFD}";"$HOME";"*";
          7	0

          nil
          143
          false	argument 1 contains a NUL byte
          false	none: cannot be started: No such file or directory
          false	none/log: No such file or directory

          """#, "\(result.errors)")
    }
  }
}
