import TestSupport
import Testing

@testable import Core

/// Against the values of the `xxhash` package of Python.
@Suite struct XXHash64Tests {
  private let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7 + 3) }

  private func hash(_ count: Int, pieces size: Int = .max) -> UInt64 {
    var hash = XXHash64()
    var rest = bytes[..<count]
    while !rest.isEmpty {
      rest.prefix(size).withUnsafeBytes { hash.add($0) }
      rest = rest.dropFirst(size)
    }
    return hash.value
  }

  @Test(
    arguments: [
      (0, 0xef46_db37_51d8_e999), (1, 0x1f25_c8d0_bc1f_4bb6), (3, 0x31d2_363f_52e5_64c9),
      (4, 0x9bb6_4b7d_66ee_9fda), (7, 0x9a7b_1499_59ce_60d8), (8, 0xdab9_9d95_c6f9_0092),
      (31, 0xa2aa_5f33_cc4a_6119), (32, 0x23c3_c17e_f790_fd97), (33, 0x50a7_cfc7_ba58_8784),
      (64, 0x0eb6_4b3e_f6ee_b01f), (1000, 0x5f23_5fa0_33f1_a3fb),
    ] as [(Int, UInt64)])
  func published(count: Int, expected: UInt64) throws {
    #expect(hash(count) == expected)
    for size in [1, 5, 31, 32, 33, 64, 100] {
      #expect(hash(count, pieces: size) == expected, "in pieces of \(size)")
    }
    try withTemporaryFolder { folder in
      try AtomicFile.write(folder + "/file", bytes[..<count])
      #expect(try XXHash64.ofFile(folder + "/file") == expected)
    }
  }

  @Test func everyLength() {
    var all = XXHash64()
    for count in 0..<300 {
      withUnsafeBytes(of: hash(count).littleEndian) { all.add($0) }
    }
    #expect(all.value == 0x3c84_0ec1_2bb9_807c)
  }
}
