/* Walks over a table by `next`, at stack slot 1, that see keys as key_order.h describes them. */
#include "key_order.h"

bool cl_is_ordered(int type) {
  return type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN;
}

int cl_next_unordered(lua_State *L) {
  while (lua_next(L, 1)) {
    if (!cl_is_ordered(lua_type(L, -2))) return 2;
    lua_pop(L, 1);
  }
  lua_pushnil(L);
  return 1;
}

/* Makes the least of the keys the second argument. */
static cl_key least_of(lua_State *L, const cl_key *keys, uint32_t count, int list) {
  cl_key least = keys[0];
  for (uint32_t i = 1; i < count; i++) {
    if (cl_compare(&keys[i], &least) < 0) least = keys[i];
  }
  lua_rawgeti(L, list, (lua_Integer)least.place + 1);
  lua_replace(L, 2);
  return least;
}

uint32_t cl_find_keys(
    lua_State *L, const cl_key *after, int list, cl_key *keys, uint32_t room, bool *others) {
  uint32_t count = 0, seen = 0;
  cl_key least;
  *others = false;
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    lua_pop(L, 1);
    if (cl_is_turn(seen++)) cl_poll(L);
    cl_key k = cl_describe(L, -1);
    if (k.rank == UNORDERED) {
      *others = true;
      continue;
    }
    if (after != NULL && cl_compare(&k, after) <= 0) continue;
    k.place = ++count;
    if (count <= room) {
      keys[count - 1] = k;
      lua_pushvalue(L, -1);
      lua_rawseti(L, list, (lua_Integer)count + 1);
    } else {
      if (room < SMALL) return count;
      if (count == room + 1) least = least_of(L, keys, room, list);
      if (cl_compare(&k, &least) >= 0) continue;
      least = k;
      lua_copy(L, -1, 2);
    }
  }
  return count;
}

