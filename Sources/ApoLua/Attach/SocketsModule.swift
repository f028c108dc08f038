// `require "apo.sockets"`: what the library needs to attach to live runs; see attach/ in the script
// library.

import Lua
import Text

/// The socket of a run, as the library sees it.
final class RunSocket: LuaObject {
  static let luaName = "apo.RunSocket"
  let server: ControlServer

  init(_ server: ControlServer) { self.server = server }

  deinit { server.close() }
}

let runSocketClass = Class(
  RunSocket.self, "The socket at which a live run can be asked and steered, until it is freed.",
  methods: [
    Function(
      "requests", "Takes the requests that clients have sent, in their order.",
      returns: [
        Returned(
          .list(of: .table), "each with `client`, a number, and `body`, what it sent; nil for none")
      ]
    ) { call in
      guard let requests = try call.this(RunSocket.self).server.takeRequests() else {
        return try call.result(LuaValue.nil)
      }
      let values = try requests.map { request -> LuaValue in
        ["client": .integer(request.client), "body": try LuaValue(request.body)]
      }
      return try call.result(.list(values))
    },
    Function(
      "send", "Sends a line to a client, if it is still there.",
      [
        Parameter("client", .integer(), "its number"),
        Parameter("line", .string, "the line, without its end"),
        Parameter(
          "is_last", .boolean,
          "whether it is the last reply to a request; others are dropped where the client reads "
            + "too slowly", default: false),
      ]
    ) { call in
      let line = try call[2].bytes().map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: " ") : $0 }
      try call.this(RunSocket.self).server.send(
        line, to: call[1].integer(), isLast: call[3].boolean())
      return call.nothing
    },
    Function(
      "set_status", "Sets what `status` answers, also during a step.",
      [Parameter("text", .string, "a JSON object in one line")]
    ) { call in
      try call.this(RunSocket.self).server.setStatus(call[1].bytes())
      return call.nothing
    },
    Function(
      "wait", "Waits until there are requests; Ctrl-C and a limit of time end it.",
      [Parameter("seconds", .number(minimum: 0), "how long at most")]
    ) { call in
      try call.this(RunSocket.self).server.wait(seconds: call[1].number())
      return call.nothing
    },
  ],
  properties: [
    Property("path", .string, "Where the socket is.") { call in
      call.result(try call.this(RunSocket.self).server.path)
    },
    Property("clients", .integer(), "How many are attached now.") { call in
      call.result(try call.this(RunSocket.self).server.clientCount)
    },
  ])

let runConnectionClass = Class(
  RunConnection.self, "A connection to a live run.",
  methods: [
    Function("send", "Sends a line.", [Parameter("line", .string, "without its end")]) { call in
      try call.this(RunConnection.self).send(call[1].bytes())
      return call.nothing
    },
    Function(
      "receive", "Waits for a line.",
      [Parameter("seconds", .number(minimum: 0), "how long at most")],
      returns: [Returned(.string, "the line; nil if none came")]
    ) { call in
      guard let line = try call.this(RunConnection.self).receive(seconds: call[1].number()) else {
        return try call.result(LuaValue.nil)
      }
      return try call.result(LuaValue(bytes: line))
    },
  ],
  properties: [
    Property("is_open", .boolean, "Whether more may come.") { call in
      call.result(try call.this(RunConnection.self).isOpen)
    }
  ])

/// The functions of `apo.sockets`; `input` are those that read from a terminal.
func socketsModule(_ run: RunState, _ input: [Function]) -> Module {
  let folder = Parameter("folder", .string, "the run folder")
  return Module(
    "apo.sockets", "Sockets of live runs.",
    functions: input + [
      Function(
        "serve", "Opens the socket of a run that this process records.", [folder],
        returns: [Returned(.object(RunSocket.self), "the socket, which only its user may use")]
      ) { call in
        let path = try SocketPath.make(forRun: call.path())
        return try call.result(RunSocket(ControlServer(path: path)))
      },
      Function(
        "connect", "Connects to a live run.", [folder],
        returns: [Returned(.object(RunConnection.self), "the connection; nil without a socket")]
      ) { call in
        guard let connection = try RunConnection(folder: call.path()) else {
          return try call.result(LuaValue.nil)
        }
        return try call.result(connection)
      },
      Function(
        "path", "Returns the path of the socket of a live run.", [folder],
        returns: [Returned(.string, "the path, or nil")]
      ) { call in
        let path = try SocketPath.candidates(forRun: call.path()).first(
          where: SocketListener.isLive)
        return try call.result(path.map { .string($0) } ?? .nil)
      },
      Function(
        "pretty", "Returns a value as a session shows it.", [Parameter("value", .any, "any value")],
        returns: [Returned(.string, "the text, of several lines for a large table")]
      ) { call in
        call.result(try PrettyPrinter().text(of: call[1].reference(), in: call.state))
      },
      Function(
        "without_trace",
        "Calls a function; all random numbers go on after it as if it had drawn none.",
        [Parameter("body", .function, "the function; an error of it passes")]
      ) { call in
        let (engine, lua) = (run.copy, call.state.randomState)
        defer {
          run.restore(engine)
          call.state.randomState = lua
        }
        try call.state.call(call[1].reference())
        return call.nothing
      },
    ], classes: [runSocketClass, runConnectionClass])
}
