/* `coroutine.resume`, `wrap` and `close` differ from the stock ones in one point: the context knows
 * which coroutine runs, and one that was interrupted stops the one that resumed it. */
#include "context.h"

/* Moves the arguments on top of L and runs co. Pushes the results, or the error value and
 * returns -1. */
static int run(lua_State *L, lua_State *co, int arguments) {
  cl_context *c = context(L);
  lua_State *previous = c->current;
  int results;
  if (!lua_checkstack(co, arguments)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, arguments);
  c->current = co;
  int status = lua_resume(co, L, arguments, &results);
  c->current = previous;
  if (cl_interrupted() || c->is_checking) cl_stop_thread(L);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, results);
  return results;
}

int cl_resume(lua_State *L) {
  luaL_argexpected(L, lua_isthread(L, 1), 1, "thread");
  int n = run(L, lua_tothread(L, 1), lua_gettop(L) - 1);
  int values = n < 0 ? 1 : n;
  lua_pushboolean(L, n >= 0);
  lua_insert(L, -(values + 1));
  return values + 1;
}

/* Runs what pending variables of co have for `__close`; gives its status. */
static int reset(lua_State *L, lua_State *co) {
  cl_context *c = context(L);
  lua_State *previous = c->current;
  c->current = co;
  if (cl_interrupted() || c->is_checking) cl_stop_thread(co);
#if LUA_VERSION_RELEASE_NUM >= 50406
  int status = lua_closethread(co, L); /* keeps count of how deep C calls are */
#else
  int status = lua_resetthread(co);
#endif
  c->current = previous;
  if (cl_interrupted() || c->is_checking) cl_stop_thread(L);
  return status;
}

/* Upvalue: the coroutine. */
static int call_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int n = run(L, co, lua_gettop(L));
  if (n >= 0) return n;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) {
    reset(L, co); /* closes its pending variables; leaves the error value */
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    cl_push_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

int cl_close_coroutine(lua_State *L) {
  luaL_argexpected(L, lua_isthread(L, 1), 1, "thread");
  lua_State *co = lua_tothread(L, 1);
  int status = lua_status(co);
  lua_Debug ar;
  bool is_suspended = status == LUA_YIELD || (status == LUA_OK && !lua_getstack(co, 0, &ar));
  if (co == L || (!is_suspended && status == LUA_OK)) {
    return luaL_error(L, "cannot close a %s coroutine", co == L ? "running" : "normal");
  }
  if (reset(L, co) == LUA_OK) {
    lua_pushboolean(L, true);
    return 1;
  }
  lua_pushboolean(L, false);
  lua_xmove(co, L, 1);
  return 2;
}

int cl_wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, call_wrapped, 1);
  return 1;
}
