import Foundation

// What "no crash, no hang, a place in every refusal" means for a reader of files. A crash ends the
// process by itself; this measures the time of an input and looks at the text of its refusal.

/// A reader of files that is given damaged input.
public struct FuzzReader {
  /// Separates the files of an input that holds several.
  public static let separator: UInt8 = 0x1E
  /// Seconds of processor time after which an input counts as a hang.
  public static let timeLimit = 1.0

  /// The name that `scripts/fuzz` takes.
  public let name: String
  /// Sound inputs, from which damaged ones are made.
  public let seeds: [[UInt8]]
  /// Names of files, one of which every refusal has to give.
  let files: [String]
  /// Words of which every refusal has to hold one behind the file: the kind of a place within it.
  let places: [String]
  /// Reads an input and uses what was read; throws the reader's error.
  let read: (UnsafeRawBufferPointer) throws -> Void

  /// Whether an input was read or refused, and the seconds of processor time that took.
  public struct Outcome: Sendable {
    /// The reader's error; nil when it accepted the input.
    public let refusal: String?
    /// Seconds of processor time.
    public let seconds: Double
  }

  /// Gives the reader an input; throws a `FuzzFailure` when it takes too long or refuses without a
  /// place.
  public func run(_ bytes: UnsafeRawBufferPointer) throws -> Outcome {
    let start = Self.processorTime()
    var refusal: String?
    do { try read(bytes) } catch let failure as FuzzFailure {
      throw failure
    } catch { refusal = "\(error)" }
    let seconds = Self.processorTime() - start
    if let refusal, !namesPlace(refusal) {
      throw FuzzFailure("\(name): the error does not name file and place: \(refusal)")
    }
    guard seconds < Self.timeLimit else {
      throw FuzzFailure("\(name): took \(seconds) s of processor time")
    }
    return Outcome(refusal: refusal, seconds: seconds)
  }

  private func namesPlace(_ text: String) -> Bool {
    files.contains { file in
      guard let range = text.range(of: file) else { return false }
      let rest = text[range.upperBound...]
      return (rest.hasPrefix(" ") || rest.contains(": ")) && places.contains { rest.contains($0) }
    }
  }

  /// Of this thread: other processes of the machine do not count.
  private static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// A promise that a reader broke.
public struct FuzzFailure: Error, CustomStringConvertible {
  /// What happened.
  public let description: String
  init(_ description: String) { self.description = description }
}

/// The folder to which inputs are written for readers that take a path.
public struct FuzzFolder {
  let path: String

  /// Takes an empty folder that exists.
  public init(_ path: String) { self.path = path }

  /// Replaces a file of the folder and gives its path.
  @discardableResult
  func write(_ name: String, _ bytes: some Collection<UInt8>) throws -> String {
    let file = "\(path)/\(name)"
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    let content = Array(bytes)
    defer { close(descriptor) }
    guard descriptor >= 0, Glibc.write(descriptor, content, content.count) == content.count else {
      throw FuzzFailure("\(file) cannot be written")
    }
    return file
  }
}

extension UnsafeRawBufferPointer {
  /// The files of an input, at most two.
  func files() -> (first: UnsafeRawBufferPointer, second: UnsafeRawBufferPointer?) {
    guard let place = firstIndex(of: FuzzReader.separator) else { return (self, nil) }
    return (
      UnsafeRawBufferPointer(rebasing: self[..<place]),
      UnsafeRawBufferPointer(rebasing: self[(place + 1)...])
    )
  }
}
