// The thread that talks to whoever is attached to a run. It reads requests, answers `status`, and
// queues the others, which the run takes between two steps. It never touches the Lua state.

import CProcess
import Core
import Glibc
import Lua
import Synchronization
import Tensors
import Text

/// The clients of a run and what they ask for.
final class ControlServer: Sendable {
  /// What a client asks of the run.
  struct Request: Sendable {
    let client: Int
    let body: JSON
  }

  static let mostClients = 32
  static let mostRequests = 64

  private struct State {
    var clients: [Int: AttachedClient] = [:]
    var requests: [Request] = []
    var accepted = 0
    /// When connections are accepted again, after the process had no descriptor left.
    var acceptsFrom = 0.0
    var isClosing = false
  }

  let path: String
  private let listener: SocketListener
  /// Wakes the thread; wakes the run, where it waits for requests.
  private let wake, arrival: Int32
  private let state = Mutex(State())
  /// JSON text about the run as of its last step, and when it was set.
  private let status = Mutex<(text: [UInt8], time: Double)>((Array("{}".utf8), 0))
  private let queued = Atomic(0)
  private let ended: Int32

  /// Listens at a path, and starts the thread.
  init(path: String) throws {
    let descriptors = [cp_event(), cp_event(), cp_event()]
    guard descriptors.allSatisfy({ $0 >= 0 }) else {
      for descriptor in descriptors where descriptor >= 0 { Glibc.close(descriptor) }
      throw systemError(path)
    }
    do {
      listener = try SocketListener(path: path)
    } catch {
      for descriptor in descriptors { Glibc.close(descriptor) }
      throw error
    }
    self.path = path
    (wake, arrival, ended) = (descriptors[0], descriptors[1], descriptors[2])
    guard startThread({ self.serve() }) else {
      listener.close()
      for descriptor in descriptors { Glibc.close(descriptor) }
      throw LuaError("\(shown(path)): no thread for it can be started")
    }
  }

  // MARK: The side of the run

  /// Sets what `status` answers: the text of a JSON object.
  func setStatus(_ text: [UInt8]) {
    let time = seconds(CLOCK_MONOTONIC)
    status.withLock { $0 = (text, time) }
  }

  /// Takes the requests that have come, nil where there are none: the usual case, and cheap.
  func takeRequests() -> [Request]? {
    guard queued.load(ordering: .relaxed) > 0 else { return nil }
    cp_clear_event(arrival)
    return state.withLock { state in
      defer { state.requests = [] }
      queued.store(0, ordering: .relaxed)
      return state.requests
    }
  }

  /// Sends a line to a client, if it is still there.
  func send(_ line: [UInt8], to client: Int, isLast: Bool) {
    state.withLock { state in
      state.clients[client]?.send(line, isLast: isLast)
      if isLast { state.clients[client]?.pending -= 1 }
    }
    cp_signal_event(wake)
  }

  var clientCount: Int { state.withLock { $0.clients.count } }

  /// Waits for a request, or until a signal or the time comes.
  func wait(seconds: Double) throws {
    var entry = pollfd(fd: arrival, events: Int16(POLLIN), revents: 0)
    _ = poll(&entry, 1, Int32(max(0, min(seconds, 3600)) * 1000))
    try Interrupt.check()
  }

  /// Ends the thread and all connections, once what is queued was offered to them.
  func close() {
    let isFirst = state.withLock { state in
      defer { state.isClosing = true }
      return !state.isClosing
    }
    guard isFirst else { return }
    cp_signal_event(wake)
    var entry = pollfd(fd: ended, events: Int16(POLLIN), revents: 0)
    while poll(&entry, 1, -1) < 0, errno == EINTR {}
    for descriptor in [wake, arrival, ended] { Glibc.close(descriptor) }
  }

  // MARK: The thread

  private func serve() {
    while let (entries, order, limit) = nextWait() {
      var entries = entries
      let count = poll(&entries, nfds_t(entries.count), limit)
      guard count > 0 else { continue }
      if entries[0].revents != 0 { cp_clear_event(wake) }
      state.withLock { state in
        if entries[1].revents != 0 { accept(&state) }
        for (entry, number) in zip(entries.dropFirst(2), order) {
          handle(entry.revents, number, &state)
        }
      }
    }
    cp_signal_event(ended)
  }

  /// What to wait for: the run, connections, each client in the order given. Nil at the end.
  private func nextWait() -> ([pollfd], [Int], Int32)? {
    state.withLock { state in
      for number in state.clients.keys.sorted() { finish(number, &state) }
      if state.isClosing {
        listener.close()
        for client in state.clients.values { Glibc.close(client.descriptor) }
        state.clients = [:]
        return nil
      }
      let rest = max(0, state.acceptsFrom - seconds(CLOCK_MONOTONIC))
      var entries = [
        pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        // A negative descriptor is left out.
        pollfd(fd: rest > 0 ? -1 : listener.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      let order = state.clients.keys.sorted()
      for number in order {
        guard let client = state.clients[number] else { continue }
        entries.append(pollfd(fd: client.descriptor, events: client.events, revents: 0))
      }
      return (entries, order, rest > 0 ? Int32(rest * 1000) + 1 : -1)
    }
  }

  /// Writes what a client can take, and drops it when there is no more to do.
  private func finish(_ number: Int, _ state: inout State) {
    state.clients[number]?.write()
    guard let client = state.clients[number], client.isDone else { return }
    Glibc.close(client.descriptor)
    state.clients[number] = nil
  }

  private func handle(_ events: Int16, _ number: Int, _ state: inout State) {
    guard events & Int16(POLLHUP | POLLERR | POLLNVAL) == 0 else {
      // Nobody is there to read replies; what was asked for is still done.
      var isMore = true
      while isMore {
        let lines = state.clients[number]?.readLines() ?? []
        for line in lines { take(line, number, &state) }
        isMore = state.clients[number]?.isReadable ?? false
      }
      if let client = state.clients.removeValue(forKey: number) { Glibc.close(client.descriptor) }
      return
    }
    guard events & Int16(POLLIN) != 0 else { return }
    for line in state.clients[number]?.readLines() ?? [] { take(line, number, &state) }
  }

  private func accept(_ state: inout State) {
    for _ in 0..<16 {
      let descriptor = cp_accept(listener.descriptor)
      guard descriptor >= 0 else {
        if errno != EAGAIN, errno != EINTR, errno != ECONNABORTED {
          state.acceptsFrom = seconds(CLOCK_MONOTONIC) + 0.2
        }
        return
      }
      let user = cp_peer_user(descriptor)
      guard user == Int(geteuid()) || user == 0 else {
        Glibc.close(descriptor)
        continue
      }
      state.accepted += 1
      var client = AttachedClient(number: state.accepted, descriptor: descriptor)
      guard state.clients.count < Self.mostClients else {
        client.send(failure(nil, "\(Self.mostClients) clients are attached already"), isLast: true)
        client.write()
        Glibc.close(descriptor)
        continue
      }
      client.send(hello(client.number), isLast: true)
      state.clients[client.number] = client
    }
  }

  private func hello(_ number: Int) -> [UInt8] {
    text([
      .init("hello", .string("apo-lua")), .init("version", .string(apoVersion)),
      .init("protocol", .integer(1)), .init("client", .integer(number)),
    ])
  }

  // MARK: Requests

  /// Answers a line, or queues it for the run.
  private func take(_ line: [UInt8]?, _ number: Int, _ state: inout State) {
    func refuse(_ body: JSON?, _ reason: String) {
      state.clients[number]?.send(failure(body?["id"], reason), isLast: true)
    }
    guard let line else {
      return refuse(nil, "a line may have at most \(AttachedClient.longestLine) bytes")
    }
    let body: JSON?
    do {
      body = try String(validating: line, as: UTF8.self).map { try JSON.parse($0, deepest: 16) }
    } catch is Interrupted {
      return refuse(nil, "the run is being stopped")
    } catch {
      body = nil
    }
    guard let body, case .object = body else {
      return refuse(nil, #"a JSON object in one line expected, such as {"command": "status"}"#)
    }
    if case .string(let command)? = body["command"], command.trimmed == "status" {
      state.clients[number]?.send(statusReply(body["id"]), isLast: true)
    } else if state.requests.count >= Self.mostRequests {
      refuse(body, "\(Self.mostRequests) commands wait for the end of the step already")
    } else {
      state.clients[number]?.pending += 1
      state.requests.append(Request(client: number, body: body))
      queued.store(state.requests.count, ordering: .relaxed)
      cp_signal_event(arrival)
    }
  }

  private func statusReply(_ id: JSON?) -> [UInt8] {
    let (text, time) = status.withLock { $0 }
    let age = ((seconds(CLOCK_MONOTONIC) - time) * 1000).rounded() / 1000
    let rest = Array(",\"ok\":true,\"age\":\(max(0, age)),\"status\":".utf8)
    return Array("{\"id\":".utf8) + plain(id) + rest + text + [UInt8(ascii: "}")]
  }

  private func failure(_ id: JSON?, _ reason: String) -> [UInt8] {
    text([
      .init("id", id ?? .null), .init("ok", .bool(false)), .init("error", .string(reason)),
    ])
  }

  private func plain(_ id: JSON?) -> [UInt8] {
    Array(((try? (id ?? .null).text(first: ["hello", "id", "ok"])) ?? "null").utf8)
  }

  private func text(_ members: [JSON.Member]) -> [UInt8] { plain(.object(members)) }
}
