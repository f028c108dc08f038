// Programs that run beside this one: `apo.system.start`. No shell is involved, so arguments may be
// any bytes.

import CProcess
import Core
import Glibc
import Lua

/// A program that was started.
final class ChildProcess: LuaObject {
  static let luaName = "apo.Process"

  let number: pid_t
  private var end: Int32?

  /// Starts a program; its output is appended to a file.
  ///
  /// - Parameter arguments: The first is its name.
  init(
    _ program: String, _ arguments: [[UInt8]], environment: [[UInt8]], output: String
  ) throws {
    Self.collectAbandoned()
    let file = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw systemError(output) }
    defer { close(file) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    for stream in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_adddup2(&actions, file, stream)
    }
    cp_close_files(&actions)
    var attributes = Self.attributes()
    defer { posix_spawnattr_destroy(&attributes) }
    var process: pid_t = 0
    let problem = withCStrings(arguments) { arguments in
      withCStrings(environment) { environment in
        posix_spawn(&process, program, &actions, &attributes, arguments, environment)
      }
    }
    guard problem == 0 else {
      throw LuaError("\(shown(program)): cannot be started: \(String(cString: strerror(problem)))")
    }
    number = process
  }

  /// A process group of its own, so that Ctrl-C reaches it only through `stop`; signals as a shell
  /// would leave them.
  private static func attributes() -> posix_spawnattr_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for signal in [SIGINT, SIGTERM, SIGPIPE, SIGXFSZ, SIGVTALRM] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    return attributes
  }

  /// The exit status, or 128 and the number of the signal that ended it; nil while it runs.
  func status() -> Int32? {
    if end == nil { end = Self.statusOf(number) }
    return end
  }

  private static func statusOf(_ number: pid_t) -> Int32? {
    var status: Int32 = 0
    let found = waitpid(number, &status, WNOHANG)
    if found == 0 || (found < 0 && errno == EINTR) { return nil }
    guard found == number else { return 127 }
    let signal = status & 0x7F
    return signal == 0 ? status >> 8 & 0xFF : 128 + signal
  }

  func send(_ signal: Int32) {
    if status() == nil { kill(number, signal) }
  }

  // Those whose object was dropped while they ran; asked for later, so that none stays a zombie.
  private nonisolated(unsafe) static var abandoned: [pid_t] = []

  private static func collectAbandoned() {
    abandoned.removeAll { statusOf($0) != nil }
  }

  deinit {
    guard status() == nil else { return }
    kill(number, SIGTERM)
    Self.abandoned.append(number)
  }
}

/// Calls the body with the texts as a null-terminated list of C strings.
private func withCStrings<Result>(
  _ texts: [[UInt8]], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let strings = texts.map { text in
    (text.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer {
      $0.baseAddress.flatMap { strdup($0) }
    }
  }
  defer { for string in strings { free(string) } }
  return body(strings + [nil])
}

/// This process's environment with another value for a name.
private func environment(with name: String, _ value: [UInt8]) -> [[UInt8]] {
  let start = Array("\(name)=".utf8)
  var list = [start + value]
  var entry = environ
  while let text = entry.pointee {
    let bytes = Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    if !bytes.starts(with: start) { list.append(bytes) }
    entry += 1
  }
  return list
}

let processClass = Class(
  ChildProcess.self, "A program that was started by `apo.system.start`.",
  methods: [
    Function(
      "status", "Returns how the program ended.",
      returns: [
        Returned(
          .integer(),
          "nil while it runs; else its exit status, or 128 and the number of the signal "
            + "that ended it")
      ]
    ) { call in
      guard let status = try call.this(ChildProcess.self).status() else {
        return try call.result(LuaValue.nil)
      }
      return call.result(Int(status))
    },
    Function("number", "Returns its process number.", returns: [Returned(.integer(), "the number")])
    { call in call.result(Int(try call.this(ChildProcess.self).number)) },
    Function("stop", "Sends SIGTERM, on which apo-lua saves its run and ends.") { call in
      try call.this(ChildProcess.self).send(SIGTERM)
      return call.nothing
    },
    Function("kill", "Ends it at once, by SIGKILL.") { call in
      try call.this(ChildProcess.self).send(SIGKILL)
      return call.nothing
    },
    Function("__tostring", "What it is.", returns: [Returned(.string, "its name and number")]) {
      call in
      call.result("\(ChildProcess.luaName) \(try call.this(ChildProcess.self).number)")
    },
  ])

let startFunction = Function(
  "start", "Starts another apo-lua, or another program, which runs beside this one.",
  [
    Parameter("arguments", .list(of: .string), "its arguments"),
    Parameter(
      "options",
      .options([
        Parameter("output", .string, "the file that standard output and errors are appended to"),
        Parameter("program", .string, "the program; default: this apo-lua", optional: true),
      ]), "see below"),
  ],
  returns: [Returned(.object(ChildProcess.self), "the running program")],
  details: "There is no shell: arguments are passed as they are. Its standard input is empty. It "
    + "does not get this terminal's Ctrl-C, but SIGTERM when the result is collected; an apo-lua "
    + "gets that also when this process ends, however it does."
) { call in
  let list = try call[1].value().asTable?.list ?? []
  let arguments = try list.enumerated().map { index, value in
    let bytes = value.textBytes
    if bytes.contains(0) { throw LuaError("argument \(index + 1) contains a NUL byte") }
    return bytes
  }
  let options = try call[2].options()
  let program = try options["program"].ifPresent?.path()
  // The link leads to the program even if another has been installed in its place since.
  let file = program ?? "/proc/self/exe"
  return try call.result(
    ChildProcess(
      file, [Array((program ?? "apo-lua").utf8)] + arguments,
      environment: environment(with: "APO_PARENT", Array(String(getpid()).utf8)),
      output: options["output"].path()))
}

extension LuaValue {
  fileprivate var textBytes: [UInt8] {
    switch self {
    case .string(let text): Array(text.utf8)
    case .bytes(let bytes): bytes
    default: []
    }
  }
}
