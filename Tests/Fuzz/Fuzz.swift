import Foundation
import Fuzzing

// The program that libFuzzer drives. The reader and the folders come from the environment, which
// scripts/fuzz sets: APO_FUZZ_READER, APO_FUZZ_FOLDER, and APO_FUZZ_SEEDS, which makes it write the
// sound inputs there and end.

/// What is counted, and said at the end.
private struct Campaign {
  let reader: FuzzReader
  /// Whether an input is given again by hand.
  let isSingle: Bool
  var inputs = 0
  var refused = 0
  var slowest = 0.0

  mutating func run(_ bytes: UnsafeRawBufferPointer) {
    do {
      let outcome = try reader.run(bytes)
      inputs += 1
      refused += outcome.refusal == nil ? 0 : 1
      slowest = max(slowest, outcome.seconds)
      if isSingle { print(outcome.refusal ?? "accepted") }
    } catch {
      print("FAILURE: \(error)")
      fflush(nil)
      abort()
    }
  }

  func report() {
    let peak = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8))?
      .split(separator: "\n").first { $0.hasPrefix("VmHWM") }?.split(separator: " ").dropFirst()
      .first
    let slow = String(format: "%.1f", slowest * 1000)
    print(
      "\(reader.name): \(inputs) inputs, \(refused) refused, \(inputs - refused) accepted, "
        + "slowest \(slow) ms, peak memory \((peak.flatMap { Int($0) } ?? 0) >> 10) MB")
  }
}

private nonisolated(unsafe) var campaign: Campaign?

/// Called by libFuzzer once.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer, _: UnsafeMutableRawPointer) -> CInt {
  let environment = ProcessInfo.processInfo.environment
  let name = environment["APO_FUZZ_READER"] ?? ""
  do {
    let folder = FuzzFolder(environment["APO_FUZZ_FOLDER"] ?? NSTemporaryDirectory())
    guard let reader = try FuzzReader.named(name, in: folder) else {
      print(
        "fuzz: there is no reader '\(name)' (readers: \(FuzzReader.names.joined(separator: ", ")))")
      exit(2)
    }
    if let seeds = environment["APO_FUZZ_SEEDS"] {
      for (number, seed) in reader.seeds.enumerated() {
        try Data(seed).write(to: URL(fileURLWithPath: "\(seeds)/\(name)-\(number)"))
      }
      exit(0)
    }
    campaign = Campaign(reader: reader, isSingle: environment["APO_FUZZ_SINGLE"] != nil)
    atexit { campaign?.report() }
  } catch {
    print("fuzz: \(error)")
    exit(2)
  }
  return 0
}

/// Called by libFuzzer for every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  campaign?.run(UnsafeRawBufferPointer(start: data, count: size))
  return 0
}

@_silgen_name("LLVMFuzzerMutate")
private func mutateBytes(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ limit: Int) -> Int

/// Called by libFuzzer for a new input: mutations of JSON, and now and then its own, which know
/// what led to new code.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutate(
  _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ limit: Int, _ seed: CUnsignedInt
) -> Int {
  guard seed % 4 != 0 else { return mutateBytes(data, size, limit) }
  var mutator = Mutator(seed: UInt64(seed), limit: limit)
  let result = mutator.mutate(Array(UnsafeBufferPointer(start: data, count: size)))
  data.update(from: result, count: result.count)
  return result.count
}
