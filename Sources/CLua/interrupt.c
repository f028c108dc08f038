/* Signals that end a script: Ctrl-C, SIGTERM, SIGHUP, and SIGPIPE when standard output has no
 * reader. A hook that stays set raises on the next line of every function, so neither `pcall` in a
 * loop nor a coroutine escapes; compiled loops poll cl_interrupted. An idle hook would cost a third
 * of the interpreter's speed, so the signal handler sets it. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "context.h"

static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
enum { STOPPING = 3 };

static atomic_int interrupted; /* the signal, 0: none */
static atomic_int pending;     /* a signal that came while it was held back */
static atomic_int holds;
static _Atomic int64_t first; /* when the first signal came, nanoseconds; 0: none came */
static cl_context *_Atomic watched;
static pthread_t owner;
static struct sigaction before[STOPPING];
static atomic_bool reacted; /* the script has noticed */
static timer_t patience;
static bool has_patience;

bool cl_interrupted(void) {
  return atomic_load_explicit(&interrupted, memory_order_relaxed) != 0 || cl_is_over() ||
         cl_is_over_memory();
}

int cl_stop_signal(void) { return atomic_load(&interrupted); }

const char *cl_stop_reason(void) {
  switch (atomic_load(&interrupted)) {
    case SIGTERM: return "stopped by SIGTERM";
    case SIGHUP: return "stopped by SIGHUP";
    case SIGPIPE: return "standard output is closed";
    case 0:
      return cl_is_over() ? "out of time" : cl_is_over_memory() ? "out of memory" : "interrupted!";
    default: return "interrupted!";
  }
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
  if (context(L)->is_checking) cl_check_memory(L);
  if (!cl_interrupted()) {
    if (lua_gethook(L) == stop) lua_sethook(L, NULL, 0, 0);
    return;
  }
  atomic_store(&reacted, true);
  push_place(L);
  lua_pushstring(L, cl_stop_reason());
  lua_concat(L, 2);
  lua_error(L);
}

void cl_poll(lua_State *L) {
  if (cl_interrupted()) stop(L, NULL);
}

/* May be called from a signal handler on the state's own thread (lua_sethook allows it). */
void cl_stop_thread(lua_State *L) {
  lua_sethook(L, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

void cl_stop(cl_context *c) {
  cl_stop_thread(c->main);
  if (c->current != c->main) cl_stop_thread(c->current);
}

/* Lua turns hooks off in finalizers and in hooks, and has no function that turns them on. The byte
 * of lua_State that says so is looked for, when a state is opened, among those behind its header:
 * the one that is 1 outside of a hook and 0 inside. Should there not be just one, loops in
 * finalizers are not stopped. */
enum { HEADER = 8, HEAD = 16 };
static _Thread_local unsigned char inside[HEAD];

static void look(lua_State *L, lua_Debug *ar) {
  (void)ar;
  memcpy(inside, (const void *)L, HEAD);
}

static int nothing(lua_State *L) {
  (void)L;
  return 0;
}

void cl_find_hook_switch(cl_context *c) {
  unsigned char before[HEAD];
  lua_State *L = c->main;
  int count = 0;
  memset(inside, 1, HEAD);
  lua_pushcfunction(L, nothing);
  lua_sethook(L, look, LUA_MASKCALL, 0);
  memcpy(before, (const void *)L, HEAD);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) lua_pop(L, 1);
  lua_sethook(L, NULL, 0, 0);
  for (int i = HEADER; i < HEAD; i++) {
    unsigned char after = ((const unsigned char *)L)[i];
    if (before[i] != 1 || inside[i] != 0 || after != 1) continue;
    c->hook_switch = i;
    count++;
  }
  if (count != 1) c->hook_switch = 0;
}

void cl_stop_anywhere(cl_context *c) {
  if (c->hook_switch == 0) return;
  ((volatile unsigned char *)c->main)[c->hook_switch] = 1;
  ((volatile unsigned char *)c->current)[c->hook_switch] = 1;
}

/* SIGTERM is usually sent once, and a single C call cannot be stopped. */
static void on_stuck(int number) {
  int signalled = atomic_load(&interrupted);
  if (signalled == 0 || atomic_load(&reacted)) return;
  (void)number;
  signal(signalled, SIG_DFL);
  pthread_kill(owner, signalled);
}

static void begin_patience(void) {
  struct itimerspec time = {.it_value = {.tv_sec = 10}};
  atomic_store(&reacted, false);
  if (has_patience) timer_settime(patience, 0, &time, NULL);
}

static void interrupt(cl_context *c, int number) {
  if (number == SIGTERM || number == SIGHUP) begin_patience();
  atomic_store(&interrupted, number);
  cl_stop(c);
}

void cl_interrupt(lua_State *L) { interrupt(context(L), SIGINT); }

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Only async-signal-safe functions may be called in a signal handler; tcgetattr and write are
 * safe. */
static void say_finishing(void) {
  static const char text[] = "\napo-lua: finishing the step; once more ends at once\n";
  struct termios terminal;
  if (tcgetattr(STDERR_FILENO, &terminal) != 0) return;
  ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
  (void)written; /* there is nobody else to tell */
}

/* `timeout`, shells and service managers send a signal twice, or another right after it: signals
 * within a quarter of a second count as one request. A later one ends the process at once. */
static bool is_second(void) {
  int64_t time = now(), begin = atomic_load(&first);
  if (begin == 0) atomic_store(&first, time);
  return begin != 0 && time - begin > 250000000;
}

static void receive(int number) {
  cl_context *c = atomic_load(&watched);
  if (is_second() || c == NULL) {
    signal(number, SIG_DFL);
    raise(number); /* is delivered when the handler returns */
  } else if (atomic_load(&holds) > 0) {
    if (atomic_load(&pending) == 0) {
      atomic_store(&pending, number);
      if (number != SIGPIPE) say_finishing();
    }
  } else if (atomic_load(&interrupted) == 0) {
    interrupt(c, number);
  }
}

/* The kernel may choose a worker thread to run this; the state belongs to one thread. */
static void on_signal(int number) {
  if (pthread_equal(pthread_self(), owner)) receive(number);
  else pthread_kill(owner, number);
}

/* A closed standard output ends the script, as any program in a pipeline; for other pipes the write
 * fails. */
static void on_pipe(int number) {
  struct pollfd output = {.fd = STDOUT_FILENO};
  bool is_closed = poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
  if (!is_closed || atomic_load(&watched) == NULL) return;
  if (!pthread_equal(pthread_self(), owner)) pthread_kill(owner, number);
  else if (atomic_load(&first) == 0) receive(number);
}

static void on_size(int number) { (void)number; }

/* A parent may have left it blocked. */
static void unblock(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* An empty handler instead of SIG_IGN, which child processes would inherit. */
void cl_ignore_file_signals(void) {
  struct sigaction action = {.sa_handler = on_size, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGXFSZ, &action, NULL);
  action.sa_handler = on_pipe;
  sigaction(SIGPIPE, &action, NULL);
  unblock(SIGPIPE);
}

/* Signals ignored through `nohup` stay ignored. */
static void install(int i) {
  struct sigaction action = {.sa_handler = on_signal};
  if (atomic_load(&watched) == NULL) sigaction(stopping[i], NULL, &before[i]);
  if (before[i].sa_handler == SIG_IGN && stopping[i] != SIGINT) return;
  unblock(stopping[i]);
  sigemptyset(&action.sa_mask);
  for (int k = 0; k < STOPPING; k++) sigaddset(&action.sa_mask, stopping[k]);
  sigaction(stopping[i], &action, NULL);
}

static void make_patience(void) {
  struct sigaction action = {.sa_handler = on_stuck, .sa_flags = SA_RESTART};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM};
  if (has_patience) return;
  sigemptyset(&action.sa_mask);
  sigaction(SIGVTALRM, &action, NULL);
  unblock(SIGVTALRM);
  has_patience = timer_create(CLOCK_MONOTONIC, &event, &patience) == 0;
}

void cl_watch_interrupt(lua_State *L) {
  make_patience();
  atomic_store(&interrupted, 0);
  atomic_store(&pending, 0);
  atomic_store(&first, 0);
  owner = pthread_self();
  for (int i = 0; i < STOPPING; i++) install(i);
  atomic_store(&watched, context(L));
}

void cl_unwatch_interrupt(lua_State *L) {
  cl_context *c = context(L);
  if (atomic_load(&watched) == c) {
    for (int i = 0; i < STOPPING; i++) sigaction(stopping[i], &before[i], NULL);
    atomic_store(&watched, NULL);
  }
  atomic_store(&interrupted, 0);
}

void cl_hold_stop(void) { atomic_fetch_add(&holds, 1); }

void cl_release_stop(lua_State *L) {
  if (atomic_fetch_sub(&holds, 1) != 1) return;
  int number = atomic_exchange(&pending, 0);
  if (number != 0) interrupt(context(L), number);
}

void cl_pause_stop(cl_pause *pause) {
  cl_hold_stop();
  atomic_store(&reacted, true);
  cl_pause_limit(&pause->limit);
  pause->signal = atomic_exchange(&interrupted, 0);
}

void cl_resume_stop(lua_State *L, const cl_pause *pause) {
  cl_resume_limit(L, &pause->limit);
  if (pause->signal != 0) interrupt(context(L), pause->signal);
  cl_release_stop(L);
}

int cl_undisturbed(lua_State *L, int arguments, int results) {
  cl_context *c = context(L);
  bool was_checking = c->is_checking;
  lua_Hook hook = lua_gethook(L);
  int mask = lua_gethookmask(L), count = lua_gethookcount(L);
  if (hook != NULL) lua_sethook(L, NULL, 0, 0);
  int status = cl_protected(L, arguments, results, 0);
  if (hook != NULL) lua_sethook(L, hook, mask, count);
  if (c->is_checking && !was_checking) {
    c->is_checking = false; /* what it kept was not the hook of before */
    cl_begin_check(c);
  } else if (cl_interrupted() || c->is_checking) {
    cl_stop_thread(L);
  }
  return status;
}
