/* Ctrl-C. A hook that stays set raises on the next line of every function, so neither `pcall`
 * in a loop nor a coroutine escapes it; compiled loops poll cl_interrupted. An idle hook
 * would cost a third of the interpreter's speed, hence the signal handler sets it. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "context.h"

static atomic_bool interrupted;
static cl_context *_Atomic watched;
static pthread_t owner;
static struct sigaction before;

bool cl_interrupted(void) {
  return atomic_load_explicit(&interrupted, memory_order_relaxed) || cl_is_over();
}

/* Pushes the place of the innermost function that is Lua, the script's if there is one; in a hook,
 * level 0 is what runs. */
static void push_place(lua_State *L) {
  lua_Debug ar;
  lua_pushliteral(L, "");
  for (int level = 0; lua_rawlen(L, -1) == 0 && lua_getstack(L, level, &ar); level++) {
    lua_pop(L, 1);
    cl_push_where(L, level);
  }
}

static void stop(lua_State *L, lua_Debug *ar) {
  (void)ar;
  if (!cl_interrupted()) {
    lua_sethook(L, NULL, 0, 0);
    return;
  }
  push_place(L);
  lua_pushstring(L, atomic_load(&interrupted) ? "interrupted!" : "out of time");
  lua_concat(L, 2);
  lua_error(L);
}

/* May be called from a signal handler on the state's own thread (lua_sethook allows it). */
void cl_stop_thread(lua_State *L) {
  lua_sethook(L, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

void cl_stop(cl_context *c) {
  cl_stop_thread(c->main);
  if (c->current != c->main) cl_stop_thread(c->current);
}

void cl_interrupt(lua_State *L) {
  atomic_store(&interrupted, true);
  cl_stop(context(L));
}

/* The kernel may choose a worker thread to run this; the state belongs to one thread. */
static void on_signal(int number) {
  if (!pthread_equal(pthread_self(), owner)) {
    pthread_kill(owner, number);
    return;
  }
  cl_context *c = atomic_load(&watched);
  signal(number, SIG_DFL); /* the second one ends the process */
  if (c != NULL) cl_interrupt(c->main);
}

void cl_watch_interrupt(lua_State *L) {
  struct sigaction action = {.sa_handler = on_signal};
  if (atomic_load(&watched) == NULL) sigaction(SIGINT, NULL, &before);
  atomic_store(&interrupted, false);
  atomic_store(&watched, context(L));
  owner = pthread_self();
  sigset_t set; /* a parent may have left it blocked */
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

void cl_unwatch_interrupt(lua_State *L) {
  cl_context *c = context(L);
  if (atomic_load(&watched) == c) {
    sigaction(SIGINT, &before, NULL);
    atomic_store(&watched, NULL);
  }
  atomic_store(&interrupted, false);
}

int cl_undisturbed(lua_State *L, int arguments, int results) {
  lua_Hook hook = lua_gethook(L);
  int mask = lua_gethookmask(L), count = lua_gethookcount(L);
  if (hook != NULL) lua_sethook(L, NULL, 0, 0);
  int status = cl_protected(L, arguments, results, 0);
  if (hook != NULL) lua_sethook(L, hook, mask, count);
  if (cl_interrupted()) cl_stop_thread(L);
  return status;
}
