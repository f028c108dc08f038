/* `pairs` in an order that is the same in every run: numbers by value, strings by byte,
 * false, true, and the rest as `next` gives them. Lua hashes strings with a seed that changes
 * from run to run, so a sum over `pairs` would not be reproducible.
 *
 * A table that `next` visits as 1, 2, ... n is handed to `next`, at its speed. Of any other
 * the keys are sorted first; so a key that is added during the traversal is not visited, and
 * one whose value became nil is passed over. */
#include <stdlib.h>
#include <string.h>

#include "context.h"

typedef struct {
  int rank;           /* order between kinds of keys */
  lua_Integer n;      /* position in next's order */
  long double number; /* holds every integer and every float */
  const char *bytes;
  size_t length;
} key;

static int compare_bytes(const key *a, const key *b) {
  size_t shorter = a->length < b->length ? a->length : b->length;
  int order = memcmp(a->bytes, b->bytes, shorter);
  return order ? order : (a->length > b->length) - (a->length < b->length);
}

static int compare(const void *left, const void *right) {
  const key *a = left, *b = right;
  int order = a->rank - b->rank;
  if (order == 0 && a->rank == 0) order = (a->number > b->number) - (a->number < b->number);
  if (order == 0 && a->rank == 1) order = compare_bytes(a, b);
  return order ? order : (a->n > b->n) - (a->n < b->n);
}

static key describe(lua_State *L, int index, lua_Integer n) {
  key k = {.rank = 4, .n = n};
  switch (lua_type(L, index)) {
  case LUA_TNUMBER:
    k.rank = 0;
    k.number = lua_isinteger(L, index) ? (long double)lua_tointeger(L, index)
                                       : (long double)lua_tonumber(L, index);
    break;
  case LUA_TSTRING:
    k.rank = 1;
    k.bytes = lua_tolstring(L, index, &k.length);
    break;
  case LUA_TBOOLEAN:
    k.rank = lua_toboolean(L, index) ? 3 : 2;
    break;
  }
  return k;
}

/* How many keys there are, and whether `next` gives them as 1, 2, ... */
static lua_Integer count(lua_State *L, int table, bool *sequence) {
  lua_Integer n = 0;
  *sequence = true;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    n++;
    if (*sequence && !(lua_isinteger(L, -1) && lua_tointeger(L, -1) == n)) *sequence = false;
  }
  return n;
}

/* Replaces nothing, pushes a list of the n keys, sorted. May raise for lack of memory. */
static void push_sorted(lua_State *L, int table, lua_Integer n) {
  key *keys = lua_newuserdatauv(L, (size_t)n * sizeof *keys + 1, 0);
  lua_createtable(L, (int)n, 0);  /* as next gives them: keeps the strings alive */
  int unsorted = lua_gettop(L);
  lua_Integer i = 0;
  lua_pushnil(L);
  while (lua_next(L, table) && i < n) {
    lua_pop(L, 1);
    keys[i] = describe(L, -1, i + 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, unsorted, ++i);
  }
  lua_settop(L, unsorted);
  qsort(keys, (size_t)i, sizeof *keys, compare);
  lua_createtable(L, (int)i, 0);
  for (lua_Integer j = 0; j < i; j++) {
    lua_rawgeti(L, unsorted, keys[j].n);
    lua_rawseti(L, -2, j + 1);
  }
  lua_replace(L, unsorted - 1);
  lua_settop(L, unsorted - 1);
}

/* Upvalues: list of keys, position of the last one given. */
static int step(lua_State *L) {
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  while (lua_rawgeti(L, lua_upvalueindex(1), ++i) != LUA_TNIL) {
    lua_pushvalue(L, -1);
    if (lua_rawget(L, 1) != LUA_TNIL) {
      lua_pushinteger(L, i);
      lua_replace(L, lua_upvalueindex(2));
      return 2;
    }
    lua_pop(L, 2);
  }
  return 1; /* nil ends the loop */
}

static int next(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (lua_next(L, 1)) return 2;
  lua_pushnil(L);
  return 1;
}

int cl_pairs(lua_State *L) {
  bool sequence = true;
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 3, 0, NULL);
    return 3;
  }
  lua_Integer n = lua_istable(L, 1) ? count(L, 1, &sequence) : 0;
  if (sequence) {
    lua_pushcfunction(L, next);
  } else {
    push_sorted(L, 1, n);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, step, 2);
  }
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

static int sorted_keys(lua_State *L) {
  bool sequence;
  lua_Integer n = count(L, 1, &sequence);
  push_sorted(L, 1, n);
  return 1;
}

void cl_push_keys(lua_State *L, int index) {
  index = lua_absindex(L, index);
  lua_pushcfunction(L, sorted_keys);
  lua_pushvalue(L, index);
  if (cl_undisturbed(L, 1, 1) == LUA_OK) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 0);
}
