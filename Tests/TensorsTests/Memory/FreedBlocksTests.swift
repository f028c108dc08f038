import Core
import Foundation
import Testing

@testable import Tensors

@Suite(.serialized) struct FreedBlocksTests {
  @Test func aFreedBlockIsUsedAgain() {
    let size = 5 << 20
    FreedBlocks.release()
    let first = Storage(count: size).pointer
    let before = Storage.freshBytes
    // A block that is up to a quarter larger will do, one of twice the size will not.
    do {
      let second = Storage(count: size * 5 / 6)
      #expect(second.pointer == first)
    }
    #expect(Storage.freshBytes == before)
    let third = Storage(count: size / 2)
    #expect(third.pointer != first)
    #expect(Storage.freshBytes > before)
  }

  @Test(arguments: [4096, 4097, 65_535, 65_536, 1_000_001, 123_456_789])
  func blocksHoldWhatWasAskedForAndLittleMore(bytes: Int) throws {
    let block = try #require(FreedBlocks.take(bytes))
    defer { FreedBlocks.give(block) }
    #expect(block.size >= bytes && block.size <= bytes + bytes / 8)
    #expect(UInt(bitPattern: block.pointer) % 64 == 0)
    memset(block.pointer, 1, block.size)
  }

  @Test func blocksThatDoNotFitGoBackToTheSystem() {
    FreedBlocks.release()
    #expect(FreedBlocks.keptBytes == 0)
    // More than the peak of the program and the slack: it may not be kept beside as much again.
    let bytes = max(FreedBlocks.peakBytes, 4 * FreedBlocks.slack)
    do { _ = Storage(count: bytes / 4) }
    #expect(FreedBlocks.keptBytes >= bytes)
    let small = (0..<100).map { _ in Storage(count: bytes / 400) }
    #expect(FreedBlocks.keptBytes == 0)
    withExtendedLifetime(small) {}
  }

  /// A training loop takes nothing new from the system once it has taken two steps.
  @Test func aLoopOfEqualStepsNeedsNoNewMemory() throws {
    let w = Tensor(PackedProductTests.random(512 * 512, 1), shape: [512, 512])
    try w.setRequiresGradient(true)
    let x = Tensor(PackedProductTests.random(300 * 512, 2), shape: [300, 512])
    func step() throws {
      try Tensor.linear(.linear(x, w), w).sum().backward()
      w.clearGradient()
    }
    try step()
    try step()
    let before = Storage.freshBytes
    for _ in 0..<5 { try step() }
    #expect(Storage.freshBytes == before)
  }
}
