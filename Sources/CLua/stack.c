/* Reading and pushing values. Tables are accessed raw: nothing here runs a metamethod. */
#include "context.h"

int cl_top(lua_State *L) { return lua_gettop(L); }
void cl_set_top(lua_State *L, int top) { lua_settop(L, top); }
bool cl_reserve(lua_State *L, int slots) { return lua_checkstack(L, slots); }
void cl_copy(lua_State *L, int index) { lua_pushvalue(L, index); }
void cl_replace(lua_State *L, int index) { lua_replace(L, index); }
void cl_remove(lua_State *L, int index) { lua_remove(L, index); }
bool cl_same(lua_State *L, int a, int b) { return lua_rawequal(L, a, b); }

int cl_type(lua_State *L, int index) { return lua_type(L, index); }
bool cl_boolean(lua_State *L, int index) { return lua_toboolean(L, index); }
double cl_number(lua_State *L, int index) { return lua_tonumber(L, index); }
int64_t cl_integer(lua_State *L, int index) { return lua_tointeger(L, index); }
const void *cl_address(lua_State *L, int index) { return lua_topointer(L, index); }

bool cl_is_integer(lua_State *L, int index) {
  int exact;
  if (lua_type(L, index) != LUA_TNUMBER) return false;
  lua_tointegerx(L, index, &exact);
  return exact;
}

bool cl_is_float(lua_State *L, int index) {
  return lua_type(L, index) == LUA_TNUMBER && !lua_isinteger(L, index);
}

const char *cl_string(lua_State *L, int index, size_t *length) {
  if (lua_type(L, index) != LUA_TSTRING) return NULL;
  return lua_tolstring(L, index, length);
}

/* A string in a metatable is anchored there, so the pointer outlives the pops. */
const char *cl_type_name(lua_State *L, int index) {
  const char *name = NULL;
  index = lua_absindex(L, index);
  if (lua_type(L, index) == LUA_TNONE) return "no value";
  if (lua_getmetatable(L, index)) {
    lua_pushliteral(L, "__name");
    if (lua_rawget(L, -2) == LUA_TSTRING) name = lua_tostring(L, -1);
    lua_pop(L, 2);
  }
  return name ? name : luaL_typename(L, index);
}

void cl_push_nil(lua_State *L) { lua_pushnil(L); }
void cl_push_boolean(lua_State *L, bool value) { lua_pushboolean(L, value); }
void cl_push_number(lua_State *L, double value) { lua_pushnumber(L, value); }
void cl_push_integer(lua_State *L, int64_t value) { lua_pushinteger(L, value); }
void cl_push_pointer(lua_State *L, void *pointer) { lua_pushlightuserdata(L, pointer); }

void cl_push_globals(lua_State *L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}

/* The libraries keep these two tables in the registry, whatever a script does to `package`. */
void cl_push_loaded(lua_State *L) { cl_get_field(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE); }
void cl_push_preload(lua_State *L) { cl_get_field(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE); }

size_t cl_length(lua_State *L, int index) { return lua_rawlen(L, index); }
int cl_get_index(lua_State *L, int index, int64_t n) { return lua_rawgeti(L, index, n); }
int cl_get(lua_State *L, int index) { return lua_rawget(L, index); }
void cl_set_index(lua_State *L, int index, int64_t n) { lua_rawseti(L, index, n); }
void cl_set(lua_State *L, int index) { lua_rawset(L, index); }

int cl_get_field(lua_State *L, int index, const char *name) {
  index = lua_absindex(L, index);
  lua_pushstring(L, name);
  return lua_rawget(L, index);
}

void cl_set_field(lua_State *L, int index, const char *name) {
  index = lua_absindex(L, index);
  lua_pushstring(L, name);
  lua_insert(L, -2);
  lua_rawset(L, index);
}

bool cl_push_metatable(lua_State *L, int index) { return lua_getmetatable(L, index); }
void cl_set_metatable(lua_State *L, int index) { lua_setmetatable(L, index); }

/* Uses one slot. */
size_t cl_read_doubles(lua_State *L, int index, double *out, size_t count) {
  size_t i = 0;
  for (; i < count; i++) {
    if (cl_is_turn(i) && cl_interrupted()) break;
    bool number = lua_rawgeti(L, index, (lua_Integer)i + 1) == LUA_TNUMBER;
    if (number) out[i] = lua_tonumber(L, -1);
    lua_settop(L, -2);
    if (!number) break;
  }
  return i;
}

/* Uses one slot. */
size_t cl_read_floats(lua_State *L, int index, float *out, size_t count) {
  size_t i = 0;
  for (; i < count; i++) {
    if (cl_is_turn(i) && cl_interrupted()) break;
    bool number = lua_rawgeti(L, index, (lua_Integer)i + 1) == LUA_TNUMBER;
    if (number) out[i] = (float)lua_tonumber(L, -1);
    lua_settop(L, -2);
    if (!number) break;
  }
  return i;
}

/* The size of a table; more than Lua's largest is refused as lack of memory. */
static int hint(size_t count) { return count < INT32_MAX ? (int)count : INT32_MAX; }

bool cl_push_floats(lua_State *L, const float *values, size_t count) {
  if (!cl_new_table(L, hint(count), 0)) return true;
  for (size_t i = 0; i < count; i++) {
    if (cl_is_turn(i) && cl_interrupted()) return false;
    lua_pushnumber(L, values[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return true;
}

bool cl_push_integers(lua_State *L, const int64_t *values, size_t count) {
  if (!cl_new_table(L, hint(count), 0)) return true;
  for (size_t i = 0; i < count; i++) {
    if (cl_is_turn(i) && cl_interrupted()) return false;
    lua_pushinteger(L, values[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return true;
}

int cl_keep(lua_State *L) { return luaL_ref(L, LUA_REGISTRYINDEX); }
void cl_push_kept(lua_State *L, int reference) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, reference);
}
void cl_drop(lua_State *L, int reference) { luaL_unref(L, LUA_REGISTRYINDEX, reference); }
