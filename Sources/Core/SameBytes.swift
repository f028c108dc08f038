// Texts of scripts and files are compared by their bytes, as in Lua.
//
// Swift's `==` and hash compare what texts look like. They put combining marks in order first, in a
// time that grows with the square of their number: a key of a megabyte takes an hour.

extension String {
  /// The most bytes that the name of a setting, a type or a tensor has.
  public static let longestName = 1024

  /// Whether both are the same bytes.
  public func hasSameBytes(as other: String) -> Bool {
    utf8.elementsEqual(other.utf8)
  }

  /// The text where it can be a name, else nothing: for looking it up among names.
  public var asName: String { utf8.count <= Self.longestName ? self : "" }
}
