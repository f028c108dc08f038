import Glibc

/// Replaces related files of a folder so that a mix of old and new ones never loads.
///
/// All files are first written under temporary names and flushed. If only one file differs, it is
/// renamed over the old one. Otherwise the key file, without which nothing loads, is removed; then
/// the others are renamed, stale ones removed, and the key file is renamed last. A process that
/// dies leaves the old files, the new ones, or a folder that does not load. Nothing changes before
/// `commit`. Links are replaced, not followed: their target may be shared by other folders, as in
/// Hugging Face's cache.
public final class FolderUpdate {
  package let folder: String
  /// The file without which the folder does not load.
  private let last: String
  private var staged: [Staged] = []
  private var removed: [String] = []

  private struct Staged {
    let name: String
    let target: WriteTarget
    let file: AtomicFile.Staged
    /// Whether the folder already holds exactly these bytes.
    let isOld: Bool
  }

  /// The steps of `commit`; a crash may happen between any two.
  private enum Step {
    case move(Staged)
    case remove(String)
    case flush
  }

  /// Creates the folder if missing and removes temporary files of killed processes.
  package init(_ folder: String, last: String) throws {
    (self.folder, self.last) = (folder, last)
    if DryRun.isOn { return }
    try makeFolder(folder)
    AtomicFile.removeLeftovers(in: folder)
  }

  deinit {
    for file in staged { AtomicFile.discard(file.file) }
  }

  /// Stages a file that is written piece by piece.
  package func write(_ name: String, _ body: (AtomicFileOutput) throws -> Void) throws {
    try stage(name, isOld: false, body)
  }

  /// Stages a file from bytes, unless the folder already holds the same.
  package func write(_ name: String, _ bytes: [UInt8]) throws {
    let isOld = holds(name, bytes)
    if !isOld || name == last { try stage(name, isOld: isOld) { try $0.append(bytes) } }
  }

  /// Stages a file of a text.
  package func write(_ name: String, _ text: String) throws {
    try write(name, Array(text.utf8))
  }

  /// Marks files for removal, if they exist.
  package func remove(_ names: [String]) throws {
    for name in names {
      var status = stat()
      let path = "\(folder)/\(name)"
      guard lstat(path, &status) == 0 else { continue }
      if status.st_mode & S_IFMT != S_IFLNK, let kind = otherKind(status.st_mode) {
        throw FileError(path, "cannot be removed: it is \(kind)")
      }
      removed.append(name)
    }
  }

  /// Puts the staged files in place; for tests, `limit` stops after some steps, as a crash would,
  /// and returns false.
  @discardableResult
  package func commit(steps limit: Int = .max) throws -> Bool {
    if DryRun.omits(folder) { return true }
    for (number, step) in steps.enumerated() {
      guard number < limit else { return false }
      try perform(step)
    }
    return true
  }

  private var steps: [Step] {
    let changed = staged.filter { !$0.isOld }
    guard changed.count + removed.count > 1 else {
      return changed.map { .move($0) } + removed.map { .remove($0) } + [.flush]
    }
    return [.remove(last), .flush]
      + staged.filter { $0.name != last }.map { .move($0) } + removed.map { .remove($0) }
      + [.flush] + staged.filter { $0.name == last }.map { .move($0) } + [.flush]
  }

  private func perform(_ step: Step) throws {
    switch step {
    case .move(let staged): try AtomicFile.move(staged.file, to: staged.target)
    case .flush: try AtomicFile.flush(folder: folder)
    case .remove(let name):
      guard unlink("\(folder)/\(name)") == 0 || errno == ENOENT else {
        throw FileError("\(folder)/\(name)", "cannot be removed: \(lastSystemError())")
      }
    }
  }

  private func stage(
    _ name: String, isOld: Bool, _ body: (AtomicFileOutput) throws -> Void
  ) throws {
    if DryRun.isOn { return }
    if name.contains("/") {
      let inner = parentFolder("\(folder)/\(name)")
      try makeFolder(inner)
      AtomicFile.removeLeftovers(in: inner)
    }
    // Checks that everything can be replaced before replacing anything.
    let target = try WriteTarget(entry: "\(folder)/\(name)")
    let file = try AtomicFile.stage(target, body)
    staged.append(Staged(name: name, target: target, file: file, isOld: isOld))
  }

  /// Whether a file, and no link, holds these bytes.
  private func holds(_ name: String, _ bytes: [UInt8]) -> Bool {
    let path = "\(folder)/\(name)"
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
    guard let file = try? InputFile(path), file.size == bytes.count else { return false }
    return (try? file.withBytes { $0.elementsEqual(bytes) }) ?? false
  }
}
