import Foundation

/// Notes a measured difference in the file that the environment variable `APO_FIGURES` names, for
/// scripts/exactness.
///
/// - Parameters:
///   - what: what was compared, a row of the table.
///   - name: the model it was measured on.
/// - Returns: the difference itself, to be compared with a tolerance.
public func measured(_ difference: Float, _ what: String, of name: String) -> Float {
  guard let path = ProcessInfo.processInfo.environment["APO_FIGURES"],
    let file = FileHandle(forWritingAtPath: path)
  else { return difference }
  file.seekToEndOfFile()
  file.write(Data("\(what)\t\(name)\t\(difference)\n".utf8))
  file.closeFile()
  return difference
}
