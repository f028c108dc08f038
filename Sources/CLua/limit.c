/* A time limit for a state. The kernel's timer sends SIGALRM, whose handler acts like that of
 * Ctrl-C, so code within its limit is not slowed down; leaving the limit cancels it. Lua calls no
 * hook in finalizers, and in the handler that xpcall calls when the limit passes: these have one
 * second more, then hooks are turned on in them. A single call of a C function, such as a long
 * `string.find`, is not stopped; after two more seconds a line on standard error says so. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "context.h"

static const int64_t second = 1000000000;

static atomic_bool over;
static _Atomic int64_t deadline; /* nanoseconds of the monotonic clock; 0: no limit */
static cl_context *_Atomic limited;
static const char *_Atomic what; /* is limited; NULL once it was said to be stuck */
static pthread_t owner;

bool cl_is_over(void) { return atomic_load_explicit(&over, memory_order_relaxed); }

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* In a signal handler nothing but write may be called. */
static void say(const char *text) {
  ssize_t written = write(STDERR_FILENO, text, strlen(text));
  (void)written; /* there is nobody else to tell */
}

static void say_stuck(void) {
  const char *label = atomic_exchange(&what, NULL);
  if (label == NULL) return;
  say("apo-lua: ");
  say(label);
  say(" is out of time where it cannot be stopped: in one call of a compiled function, such as "
      "string.find. Ctrl-C twice ends the program\n");
}

/* A finalizer that calls `pcall` without end has no hooks again behind each of the calls. In the
 * end a signal comes between two of them, unless it always comes after the same time. */
static void repeat_soon(void) {
  static unsigned random;
  random = random * 1664525 + 1013904223;
  struct itimerval timer = {{0, 100}, {0, 1 + (suseconds_t)(random >> 27)}};
  setitimer(ITIMER_REAL, &timer, NULL);
}

/* A signal pending when its limit ended may arrive before the deadline of another. */
static void on_alarm(int number) {
  cl_context *c = atomic_load(&limited);
  if (c == NULL) return;
  if (!pthread_equal(pthread_self(), owner)) {
    pthread_kill(owner, number);
    return;
  }
  int64_t end = atomic_load(&deadline);
  if (end == 0 || now() < end) return;
  atomic_store(&over, true);
  cl_stop(c);
  if (now() - end < second) return;
  cl_stop_anywhere(c);
  repeat_soon();
  if (now() - end > 2 * second) say_stuck();
}

/* Requests the signal at the deadline, and again every 10 ms in case it came too early. */
static void set_timer(int64_t end) {
  struct itimerval timer = {{0, 0}, {0, 0}};
  if (end != 0) {
    int64_t left = end - now();
    if (left < 1000) left = 1000;
    timer.it_value.tv_sec = (time_t)(left / 1000000000);
    timer.it_value.tv_usec = (suseconds_t)(left % 1000000000 / 1000);
    timer.it_interval.tv_usec = 10000;
  }
  setitimer(ITIMER_REAL, &timer, NULL);
}

static void watch(lua_State *L) {
  struct sigaction action = {.sa_handler = on_alarm};
  sigemptyset(&action.sa_mask);
  sigaction(SIGALRM, &action, NULL);
  sigset_t set; /* a parent may have left it blocked */
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  owner = pthread_self();
  atomic_store(&limited, context(L));
}

void cl_keep_hooks(lua_State *L, cl_hooks *hooks) {
  lua_State *states[] = {context(L)->main, L};
  hooks->state = L;
  for (int i = 0; i < 2; i++) {
    hooks->of[i].function = (void (*)(void))lua_gethook(states[i]);
    hooks->of[i].mask = lua_gethookmask(states[i]);
    hooks->of[i].count = lua_gethookcount(states[i]);
  }
}

void cl_restore_hooks(const cl_hooks *hooks) {
  lua_State *states[] = {context(hooks->state)->main, hooks->state};
  for (int i = 0; i < 2; i++) {
    lua_sethook(states[i], (lua_Hook)hooks->of[i].function, hooks->of[i].mask, hooks->of[i].count);
  }
  if (cl_interrupted()) cl_stop(context(hooks->state));
}

void cl_begin_limit(lua_State *L, double seconds, const char *label, cl_limit *before) {
  cl_keep_hooks(L, &before->hooks);
  before->deadline = atomic_load(&deadline);
  before->label = atomic_load(&what);
  if (!(seconds < 1e9)) return;
  int64_t end = now() + (seconds > 0 ? (int64_t)(seconds * 1e9) : 0);
  if (before->deadline != 0 && before->deadline <= end) return;
  if (before->deadline == 0) watch(L);
  atomic_store(&what, label);
  atomic_store(&deadline, end);
  set_timer(end);
}

bool cl_end_limit(lua_State *L, const cl_limit *before) {
  bool was_over = cl_is_over();
  if (atomic_load(&deadline) != before->deadline) {
    atomic_store(&deadline, before->deadline);
    atomic_store(&what, before->label);
    set_timer(before->deadline);
    if (before->deadline == 0) atomic_store(&limited, NULL);
    atomic_store(&over, false);
  }
  (void)L;
  if (was_over) cl_restore_hooks(&before->hooks);
  return was_over;
}

void cl_forget_limits(cl_context *c) {
  atomic_store(&limited, NULL);
  atomic_store(&deadline, 0);
  set_timer(0);
  atomic_store(&over, false);
  cl_forget_memory_limit(c);
}

/* Cleanup may take longer than the function's limit. */
void cl_pause_limit(cl_limit_pause *pause) {
  pause->deadline = atomic_exchange(&deadline, 0);
  if (pause->deadline != 0) set_timer(0);
  pause->was_over = atomic_exchange(&over, false);
}

void cl_resume_limit(lua_State *L, const cl_limit_pause *pause) {
  if (pause->deadline == 0) return;
  if (now() > pause->deadline) atomic_store(&what, NULL); /* it was not stuck */
  atomic_store(&limited, context(L));
  atomic_store(&deadline, pause->deadline);
  if (pause->was_over) {
    atomic_store(&over, true);
    cl_stop(context(L));
  }
  set_timer(pause->deadline);
}
