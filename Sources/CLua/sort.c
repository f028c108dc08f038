/* A deterministic `table.sort`. Stock Lua picks pivots by the clock in unbalanced partitions of
 * more than 100 elements, which reorders equal elements. Up to a block is insertion-sorted on the
 * stack, larger arrays are merge-sorted: stable and safe with any order function. */
#include "context.h"

enum { ARRAY = 1, ORDER = 2, FROM = 3, TO = 4 }; /* stack slots */
enum { BLOCK = 16 };

/* Is the value at index a before the one at index b? Both count from the bottom. */
static bool before(lua_State *L, int a, int b) {
  if (lua_isnil(L, ORDER)) return lua_compare(L, a, b, LUA_OPLT);
  lua_pushvalue(L, ORDER);
  lua_pushvalue(L, a);
  lua_pushvalue(L, b);
  lua_call(L, 2, 1);
  bool result = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return result;
}

/* Moves the value on top down to its place among the sorted ones from index first on. */
static void insert(lua_State *L, int first) {
  int top = lua_gettop(L), place = top;
  while (place > first && before(L, top, place - 1)) place--;
  if (place < top) lua_insert(L, place);
}

/* Sorts the whole array, which is at most a block. */
static void sort_few(lua_State *L, lua_Integer n) {
  int first = lua_gettop(L) + 1;
  for (lua_Integer i = 1; i <= n; i++) {
    lua_geti(L, ARRAY, i);
    insert(L, first);
  }
  for (lua_Integer i = n; i >= 1; i--) lua_seti(L, ARRAY, i);
}

/* Fills FROM with the array, each block of it sorted. */
static void copy_blocks(lua_State *L, lua_Integer n) {
  int first = lua_gettop(L) + 1;
  for (lua_Integer low = 1; low <= n; low += BLOCK) {
    if (cl_is_turn((size_t)low | (BLOCK - 1))) cl_poll(L);
    lua_Integer high = low + BLOCK <= n + 1 ? low + BLOCK : n + 1;
    for (lua_Integer i = low; i < high; i++) {
      lua_geti(L, ARRAY, i);
      insert(L, first);
    }
    for (lua_Integer i = high - 1; i >= low; i--) lua_rawseti(L, FROM, i);
  }
}

/* Moves FROM[from], … before end to TO[out], …. */
static void move(lua_State *L, lua_Integer from, lua_Integer end, lua_Integer out) {
  for (; from < end; from++, out++) {
    if (cl_is_turn((size_t)out)) cl_poll(L);
    lua_rawgeti(L, FROM, from);
    lua_rawseti(L, TO, out);
  }
}

/* Merges [low, middle) and [middle, high) of FROM into TO. The heads of both are on the stack. */
static void merge(lua_State *L, lua_Integer low, lua_Integer middle, lua_Integer high) {
  lua_Integer left = low, right = middle, out = low;
  int a = lua_gettop(L) + 1, b = a + 1;
  lua_rawgeti(L, FROM, left);
  lua_rawgeti(L, FROM, right);
  while (left < middle && right < high) {
    if (cl_is_turn((size_t)out)) cl_poll(L);
    bool take_right = before(L, b, a);
    lua_pushvalue(L, take_right ? b : a);
    lua_rawseti(L, TO, out++);
    lua_rawgeti(L, FROM, take_right ? ++right : ++left);
    lua_replace(L, take_right ? b : a);
  }
  lua_settop(L, a - 1);
  move(L, left, middle, out);
  move(L, right, high, out + middle - left);
}

static void sort_many(lua_State *L, lua_Integer n) {
  lua_createtable(L, (int)n, 0);
  lua_createtable(L, (int)n, 0);
  copy_blocks(L, n);
  for (lua_Integer width = BLOCK; width < n; width *= 2) {
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
    lua_seti(L, ARRAY, i);
  }
}

int cl_sort(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer n = luaL_len(L, 1);
  if (n < 2) return 0;
  luaL_argcheck(L, n < 1 << 30, 1, "array too big");
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  luaL_checkstack(L, BLOCK + 8, NULL);
  if (n <= BLOCK) sort_few(L, n);
  else sort_many(L, n);
  return 0;
}
