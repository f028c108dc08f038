/* The iterator of `pairs`: the first key behind its second argument in the fixed order
 * (key_order.h), and behind the last of those the keys without one, as `next` gives them. It is a
 * function of its arguments, whatever was called before.
 *
 * For speed, state is kept outside the tables: a cursor holds a table's keys, sorted at the start
 * of a traversal, and serves the call that asks for the successor of the key it returned last. Keys
 * added meanwhile are not visited; keys whose value became nil are skipped. */
#include <string.h>

#include "key_order.h"

enum { CURSORS = 16, TINY = 16 };

typedef struct {
  const void *table; /* whose keys the list has; NULL: none */
  bool is_free;      /* the traversal has ended: the next one may find the same keys */
  uint32_t position; /* of the key it gave last, among the sorted */
  const void *last;  /* that key's address if it is a string */
  uint32_t count;
  bool has_others;   /* the table has keys without an order as well */
  double priority;   /* the least goes first: age, and what it would cost to sort again */
  uint32_t *order;   /* places of the sorted keys in the list */
  const void **addresses; /* of the keys in the list that are strings, which it keeps alive */
  uint32_t capacity; /* of list, order and addresses */
} cursor;

typedef struct cl_traversals {
  cursor cursors[CURSORS];
  cursor *recent;
  double age;
  cl_key *keys;  /* room for the keys of a table while they are sorted, and as many for scratch */
  uint32_t room;
} cl_traversals;

/* What lies before the bytes of a string; less than 0 where that is not the same for all. */
static ptrdiff_t string_header;

static void learn_strings(lua_State *L) {
  static const char text[] = "a text that is too long to be held as a short string in any table";
  for (size_t length = 1; length < sizeof text; length += sizeof text - 2) {
    const char *bytes = lua_pushlstring(L, text, length);
    ptrdiff_t header = bytes - (const char *)lua_topointer(L, -1);
    string_header = length == 1 || header == string_header ? header : -1;
    lua_pop(L, 1);
  }
}

/* Stack slots, and upvalues of the iterator. Each cursor has a list: the table at 1, its keys
 * behind it. The values of a list are weak: a table that is gone is not mistaken for one that
 * took its address, and strings and numbers, which are values, stay. Memory is kept in userdata. */
enum { TABLE = 1, KEY = 2 };
enum { STATE = 1, WEAK, KEYS, LISTS, ORDERS = LISTS + CURSORS, END = ORDERS + CURSORS };

static int list_of(const cl_traversals *all, const cursor *c) {
  return lua_upvalueindex(LISTS + (int)(c - all->cursors));
}

static int first_unordered(lua_State *L, bool any) {
  lua_pushnil(L);
  return any ? cl_next_unordered(L) : 1;
}

/* Ends a traversal. What it sorted is kept if it is not much. */
static void release(lua_State *L, cl_traversals *all, cursor *c) {
  c->is_free = true;
  if (c->capacity <= SMALL) return;
  c->table = NULL;
  c->capacity = 0;
  lua_pushnil(L);
  lua_copy(L, -1, list_of(all, c));
  lua_replace(L, list_of(all, c) - CURSORS);
}

/* Does the cursor still belong to a table that exists? */
static bool is_alive(lua_State *L, const cl_traversals *all, const cursor *c) {
  lua_rawgeti(L, list_of(all, c), 1);
  const void *table = lua_topointer(L, -1);
  lua_pop(L, 1);
  return table == c->table;
}

/* One that is free or whose table was collected, else the one that is cheapest to lose. */
static cursor *take(lua_State *L, cl_traversals *all) {
  cursor *best = all->cursors;
  for (cursor *c = best + 1; c < all->cursors + CURSORS; c++) {
    if (c->is_free == best->is_free ? c->priority < best->priority : c->is_free) best = c;
  }
  for (cursor *c = all->cursors; !best->is_free && c < all->cursors + CURSORS; c++) {
    if (!is_alive(L, all, c)) release(L, all, c), best = c;
  }
  if (!best->is_free && best->priority > all->age) all->age = best->priority;
  release(L, all, best);
  best->table = NULL;
  return best;
}

/* Makes room for so many keys while they are sorted. What is too much to keep for the next table
 * is left on the stack. */
static cl_key *reserve_keys(lua_State *L, cl_traversals *all, uint32_t count) {
  if (count <= all->room) return all->keys;
  uint32_t room = count <= TINY ? TINY : count <= SMALL ? SMALL : count;
  cl_key *keys = lua_newuserdatauv(L, 2 * (size_t)room * sizeof *keys, 0);
  if (room > SMALL || room <= all->room) return keys;
  lua_replace(L, lua_upvalueindex(KEYS));
  all->room = room;
  return all->keys = keys;
}

/* A free cursor and memory, with room for so many keys. Allocating may run finalizers, and these
 * may use `pairs`: whatever they may have taken or replaced is read again behind it. */
static cursor *take_with_room(lua_State *L, cl_traversals *all, uint32_t count, cl_key **keys) {
  *keys = reserve_keys(L, all, count);
  cursor *c = take(L, all);
  if (c->capacity >= count) return c;
  uint32_t capacity = count <= TINY ? TINY : count <= SMALL ? SMALL : count;
  const void **addresses =
      lua_newuserdatauv(L, capacity * (sizeof *addresses + sizeof(uint32_t)), 0);
  lua_createtable(L, (int)capacity + 1, 0);
  lua_pushvalue(L, lua_upvalueindex(WEAK));
  lua_setmetatable(L, -2);
  if (count <= all->room) *keys = all->keys;
  c = take(L, all);
  lua_replace(L, list_of(all, c));
  lua_replace(L, list_of(all, c) - CURSORS);
  c->addresses = addresses;
  c->order = (uint32_t *)(addresses + capacity);
  c->capacity = capacity;
  return c;
}

/* Gives the first key from a position on that still has a value. */
static int advance(lua_State *L, cl_traversals *all, cursor *c, uint32_t position) {
  int list = list_of(all, c);
  for (; position < c->count; position++) {
    uint32_t place = c->order[position];
    lua_rawgeti(L, list, (lua_Integer)place + 1);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, TABLE) == LUA_TNIL) {
      lua_pop(L, 2);
      continue;
    }
    c->position = position;
    c->last = c->addresses[place - 1];
    c->priority = all->age + c->count;
    all->recent = c;
    return 2;
  }
  bool has_others = c->has_others;
  release(L, all, c);
  return first_unordered(L, has_others);
}

/* Sorts the keys, which are those in the cursor's list, and gives the first. */
static int begin(
    lua_State *L, cl_traversals *all, cursor *c, cl_key *keys, uint32_t count, bool others) {
  cl_sort_keys(keys, keys + count, count);
  for (uint32_t i = 0; i < count; i++) {
    bool has_address = keys[i].rank == STRING && string_header >= 0;
    c->order[i] = keys[i].place;
    c->addresses[keys[i].place - 1] = has_address ? keys[i].bytes - string_header : NULL;
  }
  lua_pushvalue(L, TABLE);
  lua_rawseti(L, list_of(all, c), 1);
  c->table = lua_topointer(L, TABLE);
  c->is_free = false;
  c->count = count;
  c->has_others = others;
  return advance(L, all, c, 0);
}

/* Has the table the keys that the cursor sorted before, in the same order of `next`? */
static bool has_same_keys(lua_State *L, cl_traversals *all, const cursor *c) {
  int list = list_of(all, c);
  uint32_t count = 0;
  if (c->has_others || !is_alive(L, all, c)) return false;
  lua_pushnil(L);
  while (lua_next(L, TABLE)) {
    if (count == c->count) return false;
    const void *address = c->addresses[count++];
    if (address != NULL) {
      if (lua_topointer(L, -2) != address) return false;
    } else {
      lua_rawgeti(L, list, (lua_Integer)count + 1);
      if (!lua_rawequal(L, -1, -3)) return false;
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  return count == c->count;
}

/* Starts with what an earlier traversal of the table sorted; NULL where there is nothing. */
static cursor *start_again(lua_State *L, cl_traversals *all) {
  const void *table = lua_topointer(L, TABLE);
  for (cursor *c = all->cursors; c < all->cursors + CURSORS; c++) {
    if (c->table != table || !c->is_free) continue;
    c->is_free = !has_same_keys(L, all, c);
    lua_settop(L, 2);
    return c->is_free ? NULL : c;
  }
  return NULL;
}

/* Walks over the table for the keys behind one, or for all: looks whether they are few, then
 * whether they are not many. The first step over a large table only looks for the first key: many
 * loops go no further. */
static int start(lua_State *L, cl_traversals *all, const cl_key *after) {
  bool others;
  cl_key *keys = NULL;
  cursor *c = NULL;
  uint32_t room = TINY, count = 0;
  for (;;) {
    c = take_with_room(L, all, room, &keys);
    if (room < SMALL && c->capacity >= SMALL && all->room >= SMALL) room = SMALL;
    count = cl_find_keys(L, after, list_of(all, c), keys, room, &others);
    if (count == 0) return first_unordered(L, others);
    if (count <= room) return begin(L, all, c, keys, count, others);
    if (room > SMALL)
      return luaL_error(L, "a finalizer added keys to the table that 'pairs' sorts");
    if (room == SMALL && after == NULL) break;
    room = room < SMALL ? SMALL : count;
  }
  lua_pushvalue(L, KEY);
  lua_pushvalue(L, KEY);
  lua_rawget(L, TABLE);
  return 2;
}

/* Did this cursor give the second argument as the last key of the first? */
static bool is_at_key(lua_State *L, cl_traversals *all, const cursor *c) {
  int list = list_of(all, c);
  if (c->table == NULL || c->is_free) return false;
  lua_rawgeti(L, list, 1);
  if (!lua_rawequal(L, -1, TABLE)) return false;
  if (c->last != NULL && c->last == lua_topointer(L, KEY)) return true;
  lua_rawgeti(L, list, (lua_Integer)c->order[c->position] + 1);
  return lua_rawequal(L, -1, KEY);
}

/* The cursor that gave the second argument, or NULL. Leaves values on the stack. */
static cursor *find(lua_State *L, cl_traversals *all) {
  if (is_at_key(L, all, all->recent)) return all->recent;
  const void *table = lua_topointer(L, TABLE);
  for (cursor *c = all->cursors; c < all->cursors + CURSORS; c++) {
    if (c->table == table && is_at_key(L, all, c)) return c;
  }
  return NULL;
}

static int next_in_order(lua_State *L) {
  cl_traversals *all = context(L)->traversals;
  if (lua_gettop(L) != 2) lua_settop(L, 2);
  cursor *c = find(L, all);
  if (c != NULL) return advance(L, all, c, c->position + 1);
  int type = lua_type(L, KEY);
  luaL_checktype(L, TABLE, LUA_TTABLE);
  luaL_checkstack(L, 2 * CURSORS + 8, NULL);
  lua_settop(L, 2);
  if (type == LUA_TNIL) {
    c = start_again(L, all);
    return c != NULL ? advance(L, all, c, 0) : start(L, all, NULL);
  }
  if (!cl_is_ordered(type)) return cl_next_unordered(L);
  if (type == LUA_TNUMBER && lua_tonumber(L, KEY) != lua_tonumber(L, KEY))
    return luaL_error(L, "invalid key to 'next'");
  lua_pushvalue(L, KEY); /* stays while its slot gets the least key */
  cl_key key = cl_describe(L, -1);
  return start(L, all, &key);
}

void cl_push_ordered_next(lua_State *L) {
  luaL_checkstack(L, END + 4, NULL);
  cl_traversals *all = lua_newuserdatauv(L, sizeof *all, 0);
  memset(all, 0, sizeof *all);
  context(L)->traversals = all;
  learn_strings(L);
  all->recent = all->cursors;
  for (int i = 0; i < CURSORS; i++) all->cursors[i].is_free = true;
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  for (int i = KEYS; i < END; i++) lua_pushnil(L);
  lua_pushcclosure(L, next_in_order, END - 1);
}
