// swift-tools-version:6.2
import PackageDescription

// The hot targets are compiled for this machine's CPU; APO_MARCH overrides (x86-64-v3 for a mixed cluster).
#if arch(x86_64)
  let march: [String] = ["-Xcc", "-march=\(Context.environment["APO_MARCH"] ?? "native")"]
#else
  let march: [String] = []
#endif

/// CI sets APO_STRICT: a warning in our own code fails the build.
let strict: [SwiftSetting] =
  Context.environment["APO_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

/// Kernels and tensors are optimised in debug builds too: unoptimised they are 40 to 500 times slower.
let hot: [SwiftSetting] =
  strict + [.unsafeFlags(march), .unsafeFlags(["-O"], .when(configuration: .debug))]

// The fuzzer is built by scripts/fuzz alone: it needs a compiler's runtime that the others do not.
let fuzzer: [Target] =
  Context.environment["APO_FUZZ"] == nil
  ? []
  : [
    .executableTarget(
      name: "apo-fuzz", dependencies: ["Fuzzing"], path: "Tests/Fuzz",
      swiftSettings: strict)
  ]

// Layers, lowest first. A target depends only on targets above it in this list.
let package = Package(
  name: "apo-lua",
  products: [.executable(name: "apo-lua", targets: ["apo-lua"])],
  targets: [
    .target(name: "CMemory"),
    .target(name: "Core", dependencies: ["CMemory"], swiftSettings: hot),
    .target(name: "CPrefetch"),
    .target(name: "Kernels", dependencies: ["CPrefetch"], swiftSettings: hot),
    .target(name: "Tensors", dependencies: ["Core", "Kernels"], swiftSettings: hot),
    .target(name: "Text", dependencies: ["Core"], swiftSettings: hot),
    .target(name: "Models", dependencies: ["Text", "Tensors"], swiftSettings: hot),
    .target(name: "Training", dependencies: ["Models"], swiftSettings: hot),

    .systemLibrary(name: "CLua54", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .target(name: "CLua", dependencies: ["CLua54", "CMemory"]),
    .target(name: "Lua", dependencies: ["CLua"], swiftSettings: strict),

    .systemLibrary(name: "CEdit", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
    .target(name: "CLineEditor", dependencies: ["CEdit"]),
    .target(name: "CProcess"),
    .target(name: "Scripts", exclude: ["lua"]),
    .target(
      name: "ApoLua",
      dependencies: [
        "Lua", "Training", "CLineEditor", "CProcess", "Scripts",
      ],
      swiftSettings: strict),
    .executableTarget(name: "apo-lua", dependencies: ["ApoLua"], swiftSettings: strict),

    .target(
      name: "TestSupport", dependencies: ["Training", "Lua"], path: "Tests/TestSupport",
      swiftSettings: strict),
    .target(
      name: "Fuzzing", dependencies: ["ApoLua", "TestSupport"], path: "Tests/Fuzzing",
      swiftSettings: hot),
    .testTarget(name: "CoreTests", dependencies: ["Core", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "TextTests", dependencies: ["Text", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "TensorsTests", dependencies: ["Tensors", "TestSupport"], exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "ModelsTests", dependencies: ["Models", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "TrainingTests", dependencies: ["Training", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "LuaTests", dependencies: ["Lua", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "ApoLuaTests", dependencies: ["ApoLua", "Fuzzing", "TestSupport"],
      exclude: ["specs"], swiftSettings: strict),
  ] + fuzzer
)
