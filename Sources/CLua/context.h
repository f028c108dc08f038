/* What the files of this target share: Lua itself and the context of a state. */
#ifndef CONTEXT_H
#define CONTEXT_H
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "CLua.h"

typedef struct {
  lua_State *main;
  lua_State *current; /* the coroutine that runs: kept by resume and wrap (coroutine.c) */
  void *owner;
  cl_entry entry;
  cl_release release;
  cl_usage_source usage;
  int64_t stepped;    /* bytes allocated at the last collection of any kind */
  int64_t kept;       /* bytes alive after the last full collection */
  bool in_swift;      /* a Swift frame is live above the last protected call */
} cl_context;

/* Each coroutine starts with a copy of the main state's extra space. */
static inline cl_context *context(lua_State *L) {
  return *(cl_context **)lua_getextraspace(L);
}

/* Runs the entry and, once it has returned, the collector's share. Returns as the entry. */
int cl_enter(lua_State *L, void *function);
/* Raises what a status below zero stands for. */
int cl_raise(lua_State *L, int status, const char *name);
/* Pushes "file:line: " of the script's innermost line from a level on, of the library's when there
 * is no other, or "" when that level is not Lua. */
void cl_push_where(lua_State *L, int level);
/* Pushes the calls from a level on, without the library's and what these called in C. */
void cl_push_script_traceback(lua_State *L, int level);
/* lua_pcall with the bookkeeping that every call from Swift needs. */
int cl_protected(lua_State *L, int arguments, int results, int handler);
/* The same for helpers in C, which hooks must not end: not a user's, not Ctrl-C's. */
int cl_undisturbed(lua_State *L, int arguments, int results);

/* Makes all that the state runs stop, as long as cl_interrupted says so. Signal-safe. */
void cl_stop(cl_context *c);
/* The same for one coroutine, at its next line or call. */
void cl_stop_thread(lua_State *L);
/* Has the limit of time passed? */
bool cl_is_over(void);
/* Ends all limits, as the state is about to end. */
void cl_forget_limits(void);
void cl_pause_limit(cl_limit_pause *pause);
void cl_resume_limit(lua_State *L, const cl_limit_pause *pause);

void cl_push_pairs(lua_State *L); /* pushes the function */
int cl_sort(lua_State *L);
int cl_error(lua_State *L);
int cl_resume(lua_State *L);
int cl_wrap(lua_State *L);
#endif
