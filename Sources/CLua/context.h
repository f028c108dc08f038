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
  cl_entry entry;
  cl_release release;
  cl_usage_source usage;
  int64_t stepped;    /* bytes allocated at the last collection of any kind */
  int64_t kept;       /* bytes alive after the last full collection */
  bool in_swift;      /* a Swift frame is live above the last protected call */
  cl_room_source room;
  size_t held;        /* bytes of Lua's own */
  size_t limit;       /* on these; SIZE_MAX where there is none */
  size_t most;        /* what garbage may bring them to before it is collected */
  size_t slack;       /* how much more than the limit that is */
  size_t collect_at;  /* when to look how much of them is garbage; at least the limit */
  bool is_checking;   /* a hook is set that looks */
  cl_hooks hooks;     /* in whose place it is */
  size_t grown;       /* since the machine was last asked for room */
  size_t given;       /* to all threads, when the machine was last asked after a call */
  void *wanted;       /* the block whose growth failed last, and how often in a row */
  int times;
  size_t refused;     /* the size of a request that was refused, so that Lua collects and asks
                         again; 0: none */
  void *refused_block;
  bool lacks_memory;  /* Swift could not have what it asked for: raised when it has returned */
  bool is_settling;   /* making room at the end of a call */
  struct cl_traversals *traversals; /* of `pairs` (ordered_next.c), which its iterator holds */
  char place[LUA_IDSIZE + 16]; /* where the limit was passed */
  int hook_switch;    /* the byte of lua_State that says whether hooks are called; 0: unknown */
} cl_context;

/* Each coroutine starts with a copy of the main state's extra space. */
static inline cl_context *context(lua_State *L) {
  return *(cl_context **)lua_getextraspace(L);
}

/* Runs the entry and, once it has returned, the collector's share. Returns as the entry. */
int cl_enter(lua_State *L, void *function);
/* Raises the error of a negative status. */
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

/* Stops everything the state runs while cl_interrupted says so. Signal-safe. */
void cl_stop(cl_context *c);
/* What loops of C that may take long call now and then: raises where the state is to stop. */
void cl_poll(lua_State *L);
/* Is this the turn to do so, of a loop that counts? */
static inline bool cl_is_turn(size_t count) { return (count & 0xFFFF) == 0xFFFF; }
/* The same for one coroutine, at its next line or call. */
void cl_stop_thread(lua_State *L);
/* The same also where Lua calls no hooks: in finalizers, and in message handlers. */
void cl_stop_anywhere(cl_context *c);
void cl_find_hook_switch(cl_context *c);
/* Has the limit of time passed? That of memory? */
bool cl_is_over(void);
/* Ends all limits, as the state is about to end. */
void cl_forget_limits(cl_context *c);
void cl_pause_limit(cl_limit_pause *pause);
void cl_resume_limit(lua_State *L, const cl_limit_pause *pause);
void cl_forget_memory_limit(cl_context *c);
bool cl_is_over_memory(void);
/* Has a hook look whether what is held is garbage, and it does: raises nothing, but may pass the
 * limit. */
void cl_begin_check(cl_context *c);
void cl_check_memory(lua_State *L);
/* Hooks of the main state and of L, which a limit replaces. */
void cl_keep_hooks(lua_State *L, cl_hooks *hooks);
void cl_restore_hooks(const cl_hooks *hooks);

/* The allocator (heap.c). */
bool cl_ask_room(cl_context *c, size_t bytes);
void *cl_allocate(void *user, void *block, size_t old, size_t size);

void cl_push_pairs(lua_State *L); /* pushes the function */
int cl_sort(lua_State *L);
int cl_error(lua_State *L);
int cl_resume(lua_State *L);
int cl_wrap(lua_State *L);
int cl_close_coroutine(lua_State *L);
#endif
