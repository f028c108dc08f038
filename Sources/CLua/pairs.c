/* `pairs` in an order that is the same in every run (key_order.h). Lua hashes strings with a seed
 * that changes from run to run, so a sum over `pairs` would not be reproducible. */
#include "key_order.h"

/* Lower bound of a table's array part: the first field after the flags, in every release of Lua
 * 5.4. 0 if a check at start-up fails. */
static bool knows_arrays;

static unsigned int array_size(lua_State *L, int table) {
  struct { void *next; unsigned char bytes[4]; unsigned int limit; } const *fields;
  if (!knows_arrays) return 0;
  fields = lua_topointer(L, table);
  return fields->limit;
}

static void learn_arrays(lua_State *L) {
  knows_arrays = true;
  for (int size = 0; size <= 300; size += 100) {
    lua_createtable(L, size, 7);
    if (array_size(L, -1) != (unsigned int)size) knows_arrays = false;
    lua_pop(L, 1);
  }
}

bool cl_is_list(lua_State *L, int table) {
  lua_Unsigned n = lua_rawlen(L, table);
  if (n == 0 || n > array_size(L, table)) return false;
  lua_pushinteger(L, (lua_Integer)n);
  if (!lua_next(L, table)) return true;
  lua_pop(L, 2);
  return false;
}

static int finish_pairs(lua_State *L, int status, lua_KContext k) {
  (void)L, (void)status, (void)k;
  return 3;
}

/* Upvalues: the iterator, and that of lists, which is `next`. */
static int ordered_pairs(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 3, 0, finish_pairs);
    return 3;
  }
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(lua_istable(L, 1) && cl_is_list(L, 1) ? 2 : 1));
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

void cl_push_pairs(lua_State *L) {
  learn_arrays(L);
  cl_push_ordered_next(L);
  lua_getglobal(L, "next");
  lua_pushcclosure(L, ordered_pairs, 2);
}

/* Stack: table, nil. Pushes its keys: sorted, then those without an order. */
static int sorted_keys(lua_State *L) {
  uint32_t total = 0;
  bool others;
  for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
    if (cl_is_turn(total++)) cl_poll(L);
  }
  cl_key *keys = lua_newuserdatauv(L, 2 * (size_t)total * sizeof *keys + 1, 0);
  lua_createtable(L, (int)total + 1, 0);
  lua_createtable(L, (int)total, 0);
  int found = lua_gettop(L) - 1, sorted = found + 1;
  uint32_t count = cl_find_keys(L, NULL, found, keys, total, &others);
  if (count > total) count = total;
  cl_sort_keys(keys, keys + count, count);
  for (uint32_t i = 0; i < count; i++) {
    if (cl_is_turn(i)) cl_poll(L);
    lua_rawgeti(L, found, (lua_Integer)keys[i].place + 1);
    lua_rawseti(L, sorted, (lua_Integer)i + 1);
  }
  lua_pushnil(L);
  for (lua_Integer i = count + 1; others && cl_next_unordered(L) == 2; i++) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, sorted, i);
  }
  lua_settop(L, sorted);
  return 1;
}

void cl_push_keys(lua_State *L, int index) {
  index = lua_absindex(L, index);
  lua_pushcfunction(L, sorted_keys);
  lua_pushvalue(L, index);
  lua_pushnil(L);
  if (cl_undisturbed(L, 2, 1) == LUA_OK) return;
  /* Swift goes on with no keys until it has returned; then the error is raised. */
  if (!cl_interrupted()) context(L)->lacks_memory = true;
  lua_pop(L, 1);
  lua_createtable(L, 0, 0);
}
