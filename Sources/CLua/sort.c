/* `table.sort` whose result depends on its input only. The stock one picks pivots by the
 * clock in unlucky partitions of more than 100 elements, which moves elements that compare
 * equal. This is a merge sort: stable, and no order function makes it misbehave. */
#include "context.h"

enum { TABLE = 1, ORDER = 2, FROM = 3, TO = 4 }; /* stack slots */

/* Is the value at the upper index before the one at the lower? */
static bool before(lua_State *L, int a, int b) {
  if (lua_isnil(L, ORDER)) return lua_compare(L, a, b, LUA_OPLT);
  lua_pushvalue(L, ORDER);
  lua_pushvalue(L, a < 0 ? a - 1 : a);
  lua_pushvalue(L, b < 0 ? b - 2 : b);
  lua_call(L, 2, 1);
  bool result = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return result;
}

/* Merges [low, middle) and [middle, high) of FROM into TO. */
static void merge(lua_State *L, lua_Integer low, lua_Integer middle, lua_Integer high) {
  lua_Integer left = low, right = middle;
  for (lua_Integer out = low; out < high; out++) {
    bool take_right = left >= middle;
    if (!take_right && right < high) {
      lua_rawgeti(L, FROM, left);
      lua_rawgeti(L, FROM, right);
      take_right = before(L, -1, -2);
      lua_pop(L, 2);
    }
    lua_rawgeti(L, FROM, take_right ? right++ : left++);
    lua_rawseti(L, TO, out);
  }
}

static void copy(lua_State *L, int table, lua_Integer n) {
  lua_createtable(L, (int)n, 0);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_geti(L, table, i);
    lua_rawseti(L, -2, i);
  }
}

int cl_sort(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer n = luaL_len(L, 1);
  luaL_argcheck(L, n < 1 << 30, 1, "array too big");
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  if (n < 2) return 0;
  copy(L, TABLE, n);
  lua_createtable(L, (int)n, 0);
  for (lua_Integer width = 1; width < n; width *= 2) {
    for (lua_Integer low = 1; low <= n; low += 2 * width) {
      lua_Integer middle = low + width < n + 1 ? low + width : n + 1;
      lua_Integer high = middle + width < n + 1 ? middle + width : n + 1;
      merge(L, low, middle, high);
    }
    lua_pushvalue(L, FROM); /* swap */
    lua_copy(L, TO, FROM);
    lua_replace(L, TO);
  }
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, FROM, i);
    lua_seti(L, TABLE, i);
  }
  return 0;
}
