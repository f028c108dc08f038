import Testing
@testable import ApoLua
