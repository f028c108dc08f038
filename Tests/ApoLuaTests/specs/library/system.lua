local spec = ...
local system = require "apo".system
local equal, raises = spec.equal, spec.raises
local path = spec.folder .. "/a/b/file.txt"

equal(system.exists(path), nil)
system.make_folder(spec.folder .. "/a/b")
system.append(path, "one\n")
system.append(path, "two\nthr")
equal(system.read_file(path), "one\ntwo\nthr")
equal(system.size(path), 11)
equal(system.drop_torn_line(path), 3)
equal(system.drop_torn_line(path), 0)
system.truncate(path, 4)
equal(system.read_file(path), "one\n")
system.write_file(path, "\0\xff")
equal(system.read_file(path), "\0\xff")
equal(system.exists(path), "file")
equal(system.list(spec.folder .. "/a"), {"b"})
equal(system.list("nothing"), {})
system.rename(spec.folder .. "/a", spec.folder .. "/c")
equal(system.exists(spec.folder .. "/c/b"), "folder")
system.remove_folder(spec.folder .. "/c")
equal(system.exists(spec.folder .. "/c"), nil)
equal({system.read_file("nothing")}, {nil, "nothing: cannot be opened: No such file or directory"})
equal({system.read_file(spec.folder)}, {nil, spec.folder .. ": is not a regular file but a folder"})
spec.write(spec.folder .. "/text", "0123456789")
equal(system.read_file(spec.folder .. "/text", 4), "0123")
equal(system.read_file(spec.folder .. "/text", 40), "0123456789")
equal(system.checksum(spec.folder .. "/text"), "3f5fc178a81867e7")
raises("No such file", system.rename, "nothing", "other")
raises("cannot be written", system.write_file, "nothing/file", "x")

-- A lock: one at a time, until it is freed, closed or collected; children do not inherit it.
local locked = spec.folder .. "/locked"
local lock = system.lock(locked)
equal({tostring(lock), system.exists(locked)}, {"apo.FileLock", "file"})
equal({system.lock(locked)}, {nil, locked .. ": is locked by another program or call"})
local in_shell = ("flock -n %s true"):format(locked)
local has_flock = os.execute("command -v flock >/dev/null")
if has_flock then equal(os.execute(in_shell), nil) end
lock:free()
if has_flock then equal(os.execute(in_shell), true) end
do
  local held <close> = system.lock(locked)
  assert(held and not system.lock(locked))
end
local child = io.popen("sleep 0.2", "r")
lock = system.lock(locked)
lock = nil
collectgarbage()
lock = system.lock(locked)
assert(lock, "the collector did not free it")
child:close()
raises("nothing/lock: No such file or directory", system.lock, "nothing/lock")

equal(system.hash(""), "cbf29ce484222325")       -- the published values of FNV-1a
equal(system.hash("foobar"), "85944171f73967e8")
local now, peak = system.memory()
assert(now > 1e6 and peak >= now / 2 and system.cores() >= 1 and system.width() >= 1)
assert(system.clock() <= system.clock() and math.abs(system.time() - os.time()) < 5)
