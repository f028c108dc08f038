/* A state: its libraries, loading text and calling under protection. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CMemory.h"
#include "context.h"

/* Addresses used as registry keys. */
static const char error_key = 'e', seed_key = 's';

static int panic(lua_State *L) {
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "unprotected error in Lua: %s\n", message ? message : "(not a string)");
  return 0; /* Lua aborts */
}

/* Warnings as in the stand-alone interpreter: a message may come in pieces, and "@on" and "@off",
 * in one piece, are for us. */
static void warn_off(void *user, const char *message, int to_continue);
static void warn_on(void *user, const char *message, int to_continue);

static bool steers(lua_State *L, const char *message, int to_continue) {
  if (to_continue || *message != '@') return false;
  if (strcmp(message, "@off") == 0) lua_setwarnf(L, warn_off, L);
  else if (strcmp(message, "@on") == 0) lua_setwarnf(L, warn_on, L);
  return true;
}

static void warn_on_inside(void *user, const char *message, int to_continue) {
  fflush(stdout);
  fputs(message, stderr);
  if (!to_continue) fputc('\n', stderr);
  fflush(stderr);
  lua_setwarnf(user, to_continue ? warn_on_inside : warn_on, user);
}

static void warn_on(void *user, const char *message, int to_continue) {
  if (steers(user, message, to_continue)) return;
  fputs("Lua warning: ", stderr);
  warn_on_inside(user, message, to_continue);
}

static void warn_off(void *user, const char *message, int to_continue) {
  steers(user, message, to_continue);
}

lua_State *cl_open(cl_entry entry, cl_release release) {
  cm_start();
  cl_context *c = calloc(1, sizeof *c);
  if (c == NULL) return NULL;
  c->limit = c->most = c->collect_at = SIZE_MAX;
  lua_State *L = lua_newstate(cl_allocate, c);
  if (L == NULL) {
    free(c);
    return NULL;
  }
  *(cl_context **)lua_getextraspace(L) = c;
  c->main = c->current = L;
  c->entry = entry;
  c->release = release;
  c->in_swift = true;
  lua_atpanic(L, panic);
  lua_setwarnf(L, warn_off, L);
  lua_gc(L, LUA_GCGEN, 0, 0);
  cl_find_hook_switch(c);
  return L;
}

/* Finalizers and pending variables run, and may call whatever a script may. */
static void close_state(cl_context *c) {
  cl_unwatch_interrupt(c->main);
  cl_forget_limits(c);
  c->current = c->main;
  c->in_swift = false;
  lua_close(c->main);
}

void cl_close(lua_State *L) {
  cl_context *c = context(L);
  close_state(c);
  free(c);
}

/* `os.exit`. The stock one closes the state without telling what watches it. */
static int exit_program(lua_State *L) {
  int status;
  if (lua_isboolean(L, 1)) status = lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
  else status = (int)luaL_optinteger(L, 1, EXIT_SUCCESS);
  if (lua_toboolean(L, 2)) close_state(context(L));
  exit(status);
}

lua_State *cl_current(lua_State *L) { return context(L)->current; }
const char *cl_lua_version(void) { return LUA_RELEASE; }

void cl_set_warnings(lua_State *L, bool on) { lua_setwarnf(L, on ? warn_on : warn_off, L); }

/* Runs under protection: opening a library may raise. */
static int open_libraries(lua_State *L) {
  if (lua_toboolean(L, 1)) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  luaL_openlibs(L);
  lua_getglobal(L, "os");
  lua_pushcfunction(L, exit_program);
  lua_setfield(L, -2, "exit");
  lua_pushcfunction(L, cl_error);
  lua_setglobal(L, "error");
  lua_createtable(L, 2, 0);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &error_key);
  lua_getglobal(L, "math");
  lua_getfield(L, -1, "randomseed");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &seed_key);
  return 0;
}

bool cl_open_libraries(lua_State *L, bool ignore_environment) {
  lua_pushcfunction(L, open_libraries);
  lua_pushboolean(L, ignore_environment);
  if (cl_undisturbed(L, 1, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}

static int open_deterministic(lua_State *L) {
  cl_push_pairs(L);
  lua_setglobal(L, "pairs");
  lua_getglobal(L, "table");
  lua_pushcfunction(L, cl_sort);
  lua_setfield(L, -2, "sort");
  lua_getglobal(L, "coroutine");
  lua_pushcfunction(L, cl_resume);
  lua_setfield(L, -2, "resume");
  lua_pushcfunction(L, cl_wrap);
  lua_setfield(L, -2, "wrap");
  lua_pushcfunction(L, cl_close_coroutine);
  lua_setfield(L, -2, "close");
  return 0;
}

bool cl_open_deterministic(lua_State *L) {
  lua_pushcfunction(L, open_deterministic);
  if (cl_undisturbed(L, 0, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}

void cl_seed(lua_State *L, int64_t seed) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &seed_key) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    return;
  }
  lua_pushinteger(L, seed);
  if (cl_undisturbed(L, 1, 0) != LUA_OK) lua_pop(L, 1);
}

/* The functions of `math` that draw and seed have a userdata with the generator in common. Its
 * words are copied out, or in where `set`; false if it is not there. */
bool cl_random_state(lua_State *L, cl_random *state, bool set) {
  int top = lua_gettop(L);
  bool is_there = lua_rawgetp(L, LUA_REGISTRYINDEX, &seed_key) == LUA_TFUNCTION &&
                  lua_getupvalue(L, -1, 1) != NULL && lua_type(L, -1) == LUA_TUSERDATA &&
                  lua_rawlen(L, -1) == sizeof *state;
  if (is_there) {
    void *words = lua_touserdata(L, -1);
    if (set) memcpy(words, state, sizeof *state);
    else memcpy(state, words, sizeof *state);
  }
  lua_settop(L, top);
  return is_there;
}

/* Loading reports through a status and may run the collector only. */
int cl_load_file(lua_State *L, const char *path) { return luaL_loadfilex(L, path, NULL); }

int cl_load_text(lua_State *L, const char *text, size_t length, const char *name) {
  return luaL_loadbufferx(L, length ? text : "", length, name, "t");
}

/* The parser puts the token at which it gave up last. */
bool cl_is_incomplete(lua_State *L) {
  static const char mark[] = "<eof>";
  size_t length;
  const char *message = lua_tolstring(L, -1, &length);
  size_t tail = sizeof mark - 1;
  return message && length >= tail && strcmp(message + length - tail, mark) == 0;
}

int cl_protected(lua_State *L, int arguments, int results, int handler) {
  cl_context *c = context(L);
  lua_State *current = c->current;
  bool in_swift = c->in_swift;
  c->current = L;
  c->in_swift = false;
  bool patient = cm_set_patient(true);
  int status = lua_pcall(L, arguments, results, handler);
  cm_set_patient(patient);
  c->in_swift = in_swift;
  c->current = current;
  return status;
}

/* The last error value and its traceback are at 1 and 2 of a table under error_key, which is
 * weak: it must not keep alive what a script threw. */
static int last_error(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &error_key);
  return lua_gettop(L);
}

/* Message handler: keeps the traceback beside the error value. A value that Swift passes on
 * from an inner call keeps the traceback of the place where it was raised first. */
static int remember(lua_State *L) {
  lua_settop(L, 1);
  int last = last_error(L);
  lua_rawgeti(L, last, 1);
  if (lua_isnil(L, -1) || !lua_rawequal(L, 1, -1)) {
    cl_push_script_traceback(L, 1);
    lua_rawseti(L, last, 2);
    lua_pushvalue(L, 1);
    lua_rawseti(L, last, 1);
  }
  lua_settop(L, 1);
  return 1;
}

int cl_call(lua_State *L, int arguments, int results) {
  int base = lua_gettop(L) - arguments;
  lua_pushcfunction(L, remember);
  lua_insert(L, base);
  int status = cl_protected(L, arguments, results, base);
  lua_remove(L, base);
  return status;
}

void cl_push_traceback(lua_State *L) {
  int last = last_error(L);
  lua_rawgeti(L, last, 1);
  bool known = lua_rawequal(L, -1, last - 1);
  lua_pop(L, 1);
  lua_pushnil(L); /* one error, one traceback */
  lua_rawseti(L, last, 1);
  if (known) lua_rawgeti(L, last, 2);
  else lua_pushnil(L);
  lua_remove(L, last);
}

void cl_set_traceback(lua_State *L) {
  int last = last_error(L);
  lua_insert(L, -2);
  lua_rawseti(L, last - 1, 2);
  lua_pushvalue(L, last - 2);
  lua_rawseti(L, last - 1, 1);
  lua_pop(L, 1);
}

static int message_of(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING || lua_type(L, 1) == LUA_TNUMBER) {
    lua_tostring(L, 1);
    return 1;
  }
  if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
  lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  return 1;
}

static int display_of(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

static const char *push_text(lua_State *L, lua_CFunction f, int index, size_t *length) {
  index = lua_absindex(L, index);
  lua_pushcfunction(L, f);
  lua_pushvalue(L, index);
  cl_undisturbed(L, 1, 1);
  if (lua_type(L, -1) != LUA_TSTRING) {
    lua_pop(L, 1);
    lua_pushliteral(L, "?");
  }
  return lua_tolstring(L, -1, length);
}

const char *cl_push_message(lua_State *L, int index, size_t *length) {
  return push_text(L, message_of, index, length);
}

const char *cl_push_display(lua_State *L, int index, size_t *length) {
  return push_text(L, display_of, index, length);
}
