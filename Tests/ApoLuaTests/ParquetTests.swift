import Foundation
import Testing

/// `scripts/from-parquet`, where Python has pyarrow.
@Suite("From Parquet")
struct ParquetTests {
  static let python = Python.having("pyarrow", in: "parquet")

  @Test(
    "Keeps every column, nested ones too, and says what is wrong with a file",
    .enabled(
      if: python != nil, "skipped: no Python with pyarrow; APO_PYTHON names one"))
  func converts() throws {
    let python = try #require(Self.python)
    try Binary.withFolder { folder in
      let source = folder.appendingPathComponent("train.parquet").path
      let made = try Python.run(python, ["-c", Self.writer, source])
      #expect(made.status == 0, "\(made.errors)")
      let script = Checkout.folder.appendingPathComponent("scripts/from-parquet").path
      let converted = try Python.run(python, [script, source])
      #expect(converted.status == 0 && converted.errors.hasSuffix("train.jsonl: 2 rows\n"))
      let read = try Binary.run(["-e", Self.reader], in: folder)
      #expect(read.output == "What is 2?\t2\t1\t0.5\t2\nWhat is 3?\t3\t0\tnil\t2\n", "\(read)")

      try Data("no parquet".utf8).write(to: folder.appendingPathComponent("bad.parquet"))
      let refused = try Python.run(python, [script, folder.path + "/bad.parquet"])
      #expect(refused.status == 1 && refused.errors.contains("bad.parquet: "), "\(refused.errors)")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      #expect(names == ["bad.parquet", "train.jsonl", "train.parquet"])
    }
  }

  private static let writer = """
    import sys, datetime, pyarrow, pyarrow.parquet
    rows = [{"data_source": "d", "prompt": [{"role": "user", "content": f"What is {i}?"}],
             "reward_model": {"style": "rule", "ground_truth": str(i)}, "eval_0": 3 - i,
             "score": [0.5, float("nan")][i - 2], "numbers": [1, 2],
             "made": datetime.date(2025, 5, 27)} for i in (2, 3)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), sys.argv[1])
    """

  private static let reader = """
    local apo = require "apo"
    for _, row in ipairs(apo.dataset("train.jsonl").rows) do
      assert(row.made == "2025-05-27")
      print(row.prompt, row.reward_model.ground_truth, row.eval_0, row.score, #row.numbers)
    end
    """
}
