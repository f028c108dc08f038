import Glibc

/// Replaces files of a folder that belong together so that a mix of old and new ones never loads.
///
/// All files are written under temporary names and flushed first. Where one file differs from what
/// is there, it is renamed over the old one. Otherwise the file without which nothing loads is
/// removed, then the others are renamed and stale ones removed, and that file comes last: a process
/// that dies leaves the old files, the new ones, or a folder that does not load. Nothing is changed
/// before `commit`. A link is replaced and not followed: what it leads to may belong to other
/// folders as well, as in Hugging Face's cache.
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
    /// Whether the folder holds these very bytes already.
    let isOld: Bool
  }

  /// What `commit` does, one after the other; a crash may come between any two.
  private enum Step {
    case move(Staged)
    case remove(String)
    case flush
  }

  /// Makes the folder when missing and removes temporary files that killed processes left in it.
  package init(_ folder: String, last: String) throws {
    (self.folder, self.last) = (folder, last)
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

  /// Stages a file of some bytes; one that is in the folder as it should be is left alone.
  package func write(_ name: String, _ bytes: [UInt8]) throws {
    let isOld = holds(name, bytes)
    if !isOld || name == last { try stage(name, isOld: isOld) { try $0.append(bytes) } }
  }

  /// Stages a file of a text.
  package func write(_ name: String, _ text: String) throws {
    try write(name, Array(text.utf8))
  }

  /// Notes files that are to be removed, if they are there.
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

  /// Puts the staged files in place; `limit` stops after some steps, as a crash would, for tests.
  /// False when it did.
  @discardableResult
  package func commit(steps limit: Int = .max) throws -> Bool {
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
    if name.contains("/") {
      let inner = parentFolder("\(folder)/\(name)")
      try makeFolder(inner)
      AtomicFile.removeLeftovers(in: inner)
    }
    // What could not be replaced is found out before anything is.
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
