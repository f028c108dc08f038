/* Lua's memory: the allocator with its accounting, a limit, and large values for Swift.
 *
 * NULL makes Lua collect, retry, and then raise "not enough memory", which is a longjmp. That is
 * fine while Lua runs. With a live Swift frame, small requests use the reserve of CMemory, and
 * large ones run in protected mode. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "CMemory.h"
#include "context.h"

/* How much a state may grow before the machine's memory is checked again. */
static const size_t look_step = 32 << 20;
static const size_t small = 1 << 20;

static atomic_bool over;

bool cl_is_over_memory(void) { return atomic_load_explicit(&over, memory_order_relaxed); }

/* Keeps the line that is running; nothing here allocates. */
static void note_place(cl_context *c) {
  lua_Debug ar;
  c->place[0] = 0;
  for (int level = 0; lua_getstack(c->current, level, &ar); level++) {
    lua_getinfo(c->current, "Sl", &ar);
    if (ar.currentline <= 0) continue;
    snprintf(c->place, sizeof c->place, "%s:%d", ar.short_src, ar.currentline);
    return;
  }
}

/* Garbage does not count, so a limit that is passed is looked at again when Lua has collected. It
 * cannot here: what is asked for is granted, up to `most`, and a hook collects before the next
 * line. What one line holds or a finalizer, which has no hooks, can be refused only. Then Lua
 * collects by itself and asks again at once, but for buffers of strings: these raise. */
static void pass_limit(cl_context *c) {
  c->refused = 0;
  atomic_store(&over, true);
  cl_stop(c);
}

void cl_begin_check(cl_context *c) {
  if (!c->is_checking) cl_keep_hooks(c->current, &c->hooks);
  c->is_checking = true;
  cl_stop(c);
}

static void end_check(cl_context *c) {
  if (c->is_checking) cl_restore_hooks(&c->hooks);
  c->is_checking = false;
}

void cl_check_memory(lua_State *L) {
  cl_context *c = context(L);
  bool was_refused = c->refused != 0; /* and not asked for again */
  end_check(c);
  if (!was_refused) {
    lua_gc(L, LUA_GCCOLLECT);
    size_t next = c->held + c->slack / 4;
    c->collect_at = next > c->limit ? next : c->limit;
    if (c->held <= c->limit) return;
    note_place(c);
  }
  pass_limit(c);
}

static bool refuse(cl_context *c, void *block, size_t size) {
  bool is_again = c->refused == size && c->refused_block == block;
  if (is_again) {
    pass_limit(c);
  } else if (!cl_is_over_memory()) {
    c->refused = size;
    c->refused_block = block;
    note_place(c);
    cl_begin_check(c);
  }
  return false;
}

bool cl_ask_room(cl_context *c, size_t bytes) {
  if (c->room == NULL) return true;
  bool patient = cm_set_patient(false);
  bool has_room = c->room(bytes);
  cm_set_patient(patient);
  return has_room;
}

/* May a block have this size, which is `more` than before? Called with no Swift frame live. */
static bool is_granted(cl_context *c, void *block, size_t size, size_t more) {
  if (c->held + more > c->most) return refuse(c, block, size);
  if (c->refused == size && c->refused_block == block) c->refused = 0;
  if (c->held + more > c->collect_at) cl_begin_check(c);
  if (c->grown + more <= look_step) return true;
  if (!cl_ask_room(c, more)) return false;
  c->grown = 0;
  return true;
}

/* Lua can continue without a larger string table, but retries, and collects, with every string: the
 * third request is met from the reserve. */
static void *reconsider(cl_context *c, void *block, size_t size) {
  c->times = block == c->wanted ? c->times + 1 : 1;
  c->wanted = block;
  return block != NULL && c->times > 2 ? cm_realloc_from_reserve(block, size) : NULL;
}

void *cl_allocate(void *user, void *block, size_t old, size_t size) {
  cl_context *c = user;
  size_t before = block != NULL ? old : 0; /* of a new block, `old` is the kind */
  if (size == 0) {
    c->held -= before;
    free(block);
    return NULL;
  }
  size_t more = size > before ? size - before : 0;
  bool is_tight = c->held + more > c->collect_at || c->grown + more > look_step || c->refused != 0;
  if (more > 0 && is_tight && !c->in_swift && !is_granted(c, block, size, more)) return NULL;
  /* Where the reserve was released, Lua must not use it up: it collects, and fails. */
  bool is_refused = more > 0 && !c->in_swift && cm_is_short() && !cm_refill();
  void *result = is_refused    ? NULL
                 : c->in_swift ? realloc(block, size)
                               : cm_try_realloc(block, size);
  if (result == NULL && !c->in_swift) result = reconsider(c, block, size);
  if (result == NULL) return NULL;
  c->held += size - before;
  c->grown += more;
  return result;
}

void cl_set_room(lua_State *L, cl_room_source source) { context(L)->room = source; }
bool cl_lacks_memory(lua_State *L) { return context(L)->lacks_memory || cm_is_short(); }

bool cl_has_room(lua_State *L, size_t bytes) {
  cl_context *c = context(L);
  if (bytes < small) return true;
  return cm_has_room(bytes) && cl_ask_room(c, bytes);
}

/* --- a limit --- */

static size_t sum(size_t a, size_t b) { return b < SIZE_MAX - a ? a + b : SIZE_MAX; }

void cl_begin_memory_limit(lua_State *L, size_t bytes, cl_memory_limit *before) {
  cl_context *c = context(L);
  before->limit = c->limit;
  before->most = c->most;
  before->slack = c->slack;
  before->collect_at = c->collect_at;
  cl_keep_hooks(L, &before->hooks);
  size_t limit = sum(c->held, bytes);
  if (limit >= c->limit) return;
  c->limit = c->collect_at = limit;
  c->slack = bytes > small ? bytes : small;
  size_t most = sum(limit, c->slack);
  if (most < c->most) c->most = most;
}

const char *cl_end_memory_limit(lua_State *L, const cl_memory_limit *before) {
  cl_context *c = context(L);
  if (c->limit == before->limit) return NULL; /* what may have passed is the enclosing one */
  c->limit = before->limit;
  c->most = before->most;
  c->slack = before->slack;
  c->collect_at = before->collect_at;
  bool was_over = cl_is_over_memory() || c->refused != 0;
  end_check(c);
  c->refused = 0;
  if (!was_over) return NULL;
  atomic_store(&over, false);
  cl_restore_hooks(&before->hooks);
  return c->place;
}

void cl_forget_memory_limit(cl_context *c) {
  c->limit = c->most = c->collect_at = SIZE_MAX;
  c->is_checking = false;
  c->refused = 0;
  atomic_store(&over, false);
}

/* --- large values that Swift asks for --- */

static int push_bytes(lua_State *L) {
  lua_pushlstring(L, lua_touserdata(L, 1), (size_t)lua_tointeger(L, 2));
  return 1;
}

static int push_table(lua_State *L) {
  lua_createtable(L, (int)lua_tointeger(L, 1), (int)lua_tointeger(L, 2));
  return 1;
}

/* Stack: ..., function, two arguments. Leaves the value, or nothing. */
static bool make(lua_State *L) {
  cl_context *c = context(L);
  if (cl_undisturbed(L, 2, 1) == LUA_OK) return true;
  lua_pop(L, 1);
  c->lacks_memory = true; /* raised when Swift has returned */
  return false;
}

void cl_push_string(lua_State *L, const char *bytes, size_t length) {
  if (length < small / 16) {
    lua_pushlstring(L, length ? bytes : "", length);
    return;
  }
  if (lua_checkstack(L, 4)) {
    lua_pushcfunction(L, push_bytes);
    lua_pushlightuserdata(L, (void *)bytes);
    lua_pushinteger(L, (lua_Integer)length);
    if (make(L)) return;
  }
  lua_pushliteral(L, "");
}

bool cl_new_table(lua_State *L, int array, int fields) {
  if (array < 4096 && fields < 1024) {
    lua_createtable(L, array, fields);
    return true;
  }
  if (lua_checkstack(L, 4)) {
    lua_pushcfunction(L, push_table);
    lua_pushinteger(L, array);
    lua_pushinteger(L, fields);
    if (make(L)) return true;
  }
  lua_createtable(L, 0, 0);
  return false;
}
