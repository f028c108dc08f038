import ApoLua
import Lua

// Readers that scripts reach: rows of a data set, recorded values, the folder of a run.

extension FuzzReader {
  private static let places = [
    "line ", "row ", "record ", "field ", "there are no rows", "must hold",
  ]

  /// Runs a Lua function of the folder for every input, after its files were written.
  private static func scripted(
    _ name: String, _ folder: FuzzFolder, files: [String], places: [String] = places,
    seeds: [[UInt8]], _ script: String
  ) throws -> FuzzReader {
    let state = try makeInterpreter(ignoringEnvironment: true)
    try state.setGlobal("folder", to: .string(folder.path))
    let function = try state.load("local apo = require 'apo'\n" + script, name: "=fuzz")
    return FuzzReader(name: name, seeds: seeds, files: files, places: places) { bytes in
      let (first, second) = bytes.files()
      try folder.write(files[0], first)
      if files.count > 1 {
        try folder.write(files[1], second ?? UnsafeRawBufferPointer(start: nil, count: 0))
      }
      _ = try state.call(function)
    }
  }

  /// What a script does with rows.
  private static let use = """
    for i, row in ipairs(rows.rows) do
      assert(#apo.json.encode(row) > 0)
      assert(rows[i] == row)
    end
    assert(#rows:info() > 0)
    """

  static func rows(_ folder: FuzzFolder) throws -> FuzzReader {
    let seeds = [
      "{\"prompt\": \"1+1=\", \"answer\": \"2\", \"x\": [1, 2.5, null], \"y\": {\"a\": {}}}\n\n"
        + "{\"prompt\": [1, 2, 3], \"answer\": true}\r\n",
      "\u{FEFF}{\"prompt\": \"\\u00e9\\ud83d\\ude00\", \"1\": null}\n{\"prompt\": \"b\", \"1\": 2}",
    ]
    return try scripted(
      "jsonl", folder, files: ["fuzz.jsonl"], seeds: seeds.map { Array($0.utf8) },
      "local rows = apo.dataset(folder .. '/fuzz.jsonl')\n" + use)
  }

  static func table(_ folder: FuzzFolder) throws -> FuzzReader {
    let seeds = ["prompt,answer\n1+1=,2\n\"a \"\"b\"\",\nc\",3\r\n", "\u{FEFF}prompt\n\"x\"\n"]
    return try scripted(
      "csv", folder, files: ["fuzz.csv"], seeds: seeds.map { Array($0.utf8) },
      "local rows = apo.dataset(folder .. '/fuzz.csv')\n" + use)
  }

  static func values(_ folder: FuzzFolder) throws -> FuzzReader {
    let seed = """
      {"format":"apo.values","version":1,"settings":{"n":2,"seed":3}}
      {"index":1,"hash":"93ad","prompt":"457+268=","rewards":[0,1],"lengths":[4,4]}
      {"index":2,"hash":"93ae","prompt":"1","rewards":[0.5,-1],"lengths":[1,2]}

      """
    return try scripted(
      "values", folder, files: ["values.jsonl"],
      places: places + ["not a values file", "other settings"], seeds: [Array(seed.utf8)],
      """
      local file = require "apo.values.file".open(folder .. "/values.jsonl", {n = 2})
      for _, entry in pairs(file.entries) do assert(entry.rewards[2]) end
      """)
  }

  static func run(_ folder: FuzzFolder) throws -> FuzzReader {
    let about = #"{"settings": {"lr": 0.001, "seed": 7, "betas": [0.9, 0.95]}, "version": "0.1"}"#
    let metrics = "{\"step\": 1, \"loss\": 0.5}\n{\"step\": 2, \"loss\": null}\n"
    return try scripted(
      "run", folder, files: ["run.json", "metrics.jsonl"],
      places: places + ["other settings", "bytes"],
      seeds: [joined([Array(about.utf8), Array(metrics.utf8)])],
      """
      local journal = require "apo.run.journal"
      local seed = journal.seed(folder)
      local about = {settings = {lr = 0.001, seed = seed, betas = {0.9, 0.95}}}
      local opened = journal.open(folder, about, {})
      opened:rewind({["metrics.jsonl"] = apo.system.size(folder .. "/metrics.jsonl")})
      for _, record in ipairs(opened.history) do assert(type(record) == "table") end
      """)
  }

  static func checkpoint(_ folder: FuzzFolder) throws -> FuzzReader {
    let state = """
      {"step": 20, "num_tokens": 3200, "evaluated": 20, "seconds": 1.5,
       "sizes": {"metrics.jsonl": 1000, "completions.jsonl": 0}, "algorithm": {}}
      """
    return try scripted(
      "checkpoint", folder, files: ["state.json"], places: places + ["must be an object"],
      seeds: [Array(state.utf8)],
      """
      local state = require "apo.run.checkpoint".read_state(folder .. "/state.json")
      assert(state.step >= 0 and state.sizes)
      """)
  }
}
