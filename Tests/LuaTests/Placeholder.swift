import Testing
@testable import Lua
