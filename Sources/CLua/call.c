/* Calls from Lua into Swift and back. Swift returns a status; errors are raised here, where no
 * Swift frame is live. Also tells the collector about memory that Lua cannot see. */
#include <string.h>

#include "CMemory.h"
#include "context.h"

static const int64_t megabyte = 1 << 20;

/* A young collection per 256 MB of new storage; a full one when live storage exceeds 512 MB and has
 * doubled since the last (1.5 times above 4 GB), since only a full one frees old objects. */
static void collect(cl_context *c, lua_State *L) {
  cl_usage now = c->usage();
  if (now.allocated - c->stepped < 256 * megabyte) return;
  c->stepped = now.allocated;
  int64_t limit = c->kept > 4096 * megabyte ? c->kept + c->kept / 2 : 2 * c->kept;
  if (now.live > 512 * megabyte && now.live > limit) {
    lua_gc(L, LUA_GCCOLLECT);
    c->kept = c->usage().live;
  } else {
    lua_gc(L, LUA_GCSTEP, 0);
  }
}

void cl_set_usage(lua_State *L, cl_usage_source source) { context(L)->usage = source; }
void cl_collect(lua_State *L) { lua_gc(L, LUA_GCCOLLECT); }

size_t cl_heap_bytes(lua_State *L) {
  return (size_t)lua_gc(L, LUA_GCCOUNT) * 1024 + (size_t)lua_gc(L, LUA_GCCOUNTB);
}

/* Memory was short in a call whose Swift frames have returned: frees what it can. False: not
 * enough. */
static bool settle(cl_context *c, lua_State *L) {
  bool lacked = c->lacks_memory;
  c->lacks_memory = false;
  if (c->is_settling) return true; /* a finalizer's call; whoever collects decides */
  c->is_settling = true;
  lua_gc(L, LUA_GCCOLLECT);
  bool has_room = cl_ask_room(c, 0);
  c->is_settling = false;
  return has_room && cm_refill() && !lacked;
}

static int raise_shortage(lua_State *L) {
  lua_settop(L, 0);
  lua_pushliteral(L, "not enough memory");
  return CL_RAISE;
}

/* Has the engine allocated so much that the machine's memory must be checked? */
static bool is_due(cl_context *c) {
  size_t given = cm_given();
  if (given - c->given < 32 << 20) return false;
  c->given = given;
  return !cl_ask_room(c, 0);
}

int cl_enter(lua_State *L, void *function) {
  cl_context *c = context(L);
  if (cm_is_short() && !settle(c, L)) return raise_shortage(L);
  lua_State *current = c->current;
  bool in_swift = c->in_swift;
  c->current = L;
  c->in_swift = true;
  bool patient = cm_set_patient(false);
  int n = c->entry(function, L);
  cm_set_patient(patient);
  c->in_swift = in_swift;
  c->current = current;
  if (c->usage != NULL && n >= 0) collect(c, L);
  bool is_short = c->lacks_memory || cm_is_short() || is_due(c);
  if (is_short && !settle(c, L) && n >= 0) return raise_shortage(L);
  return n;
}

/* Stack: ..., message. Puts the position before it and raises. */
static int raise_here(lua_State *L) {
  cl_push_where(L, 1);
  lua_insert(L, -2);
  lua_concat(L, 2);
  return lua_error(L);
}

/* Stack: ..., message. Words as in luaL_argerror; a method's self does not count. */
static int raise_argument(lua_State *L, int index, const char *declared) {
  const char *message = lua_tostring(L, -1);
  const char *name = declared;
  bool is_key = false;
  lua_Debug ar;
  if (lua_getstack(L, 0, &ar)) {
    lua_getinfo(L, "n", &ar);
    if (ar.name != NULL) name = ar.name;
    if (ar.name != NULL && strcmp(ar.namewhat, "method") == 0) index--;
    is_key = index == 2 && strcmp(ar.namewhat, "metamethod") == 0 && strstr(name, "index");
  }
  if (is_key)
    lua_pushfstring(L, "bad index (%s)", message);
  else if (index == 0)
    lua_pushfstring(L, "calling '%s' on bad self (%s)", name, message);
  else
    lua_pushfstring(L, "bad argument #%d to '%s' (%s)", index, name, message);
  return raise_here(L);
}

int cl_raise(lua_State *L, int status, const char *name) {
  if (status == CL_RETHROW) return lua_error(L);
  if (status != CL_ARGUMENT) return raise_here(L);
  int index = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return raise_argument(L, index, name);
}

/* Upvalues: function, name. */
static int trampoline(lua_State *L) {
  int n = cl_enter(L, lua_touserdata(L, lua_upvalueindex(1)));
  return n >= 0 ? n : cl_raise(L, n, lua_touserdata(L, lua_upvalueindex(2)));
}

static int finish_checked(lua_State *L, int status, lua_KContext k) {
  (void)status;
  (void)k;
  return lua_gettop(L);
}

/* Upvalues: function, name, the Lua function to call. */
static int checked(lua_State *L) {
  int n = cl_enter(L, lua_touserdata(L, lua_upvalueindex(1)));
  if (n < 0) return cl_raise(L, n, lua_touserdata(L, lua_upvalueindex(2)));
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, finish_checked);
  return finish_checked(L, LUA_OK, 0);
}

void cl_push_function(lua_State *L, void *function, const char *name) {
  lua_pushlightuserdata(L, function);
  lua_pushlightuserdata(L, (void *)name);
  lua_pushcclosure(L, trampoline, 2);
}

void cl_push_checked(lua_State *L, void *function, const char *name) {
  lua_pushlightuserdata(L, function);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, (void *)name);
  lua_insert(L, -2);
  lua_pushcclosure(L, checked, 3);
}
