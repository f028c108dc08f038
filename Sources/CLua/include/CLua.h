/* The part of Lua that Swift may see.
 *
 * lua.h is not included, so nothing that raises can be named in Swift: a Lua error is a
 * longjmp, and over a Swift frame it leaks and corrupts. Unless a comment says otherwise a
 * function here never raises; the caller keeps room on the stack with cl_reserve. */
#ifndef CLUA_H
#define CLUA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lua_State lua_State;

/* Lua's type numbers. */
enum {
  CL_NONE = -1, CL_NIL, CL_BOOLEAN, CL_LIGHT_USERDATA, CL_NUMBER, CL_STRING,
  CL_TABLE, CL_FUNCTION, CL_USERDATA, CL_THREAD
};

/* What an entry returns instead of a count of results. The error is raised in C, after the
 * Swift frame is gone. */
enum {
  CL_RAISE = -1,    /* message on top; the position is put before it */
  CL_ARGUMENT = -2, /* message, index of the argument on top */
  CL_RETHROW = -3   /* error value on top, raised as it is */
};

/* Runs a bound function: the number of results on top of the stack, or a status above. */
typedef int (*cl_entry)(void *function, lua_State *L);
/* Drops the reference that a userdata holds. */
typedef void (*cl_release)(void *object);

/* Bytes of the engine's storage: alive now, and allocated since the start. */
typedef struct { int64_t live, allocated; } cl_usage;
typedef cl_usage (*cl_usage_source)(void);

/* State. cl_open gives NULL when memory is short. */
lua_State *cl_open(cl_entry entry, cl_release release);
void cl_close(lua_State *L);
lua_State *cl_current(lua_State *L);      /* the coroutine that runs now */
void cl_set_usage(lua_State *L, cl_usage_source source);
void cl_collect(lua_State *L);            /* a full collection */
size_t cl_heap_bytes(lua_State *L);
bool cl_open_libraries(lua_State *L, bool ignore_environment);
void cl_set_warnings(lua_State *L, bool on);
const char *cl_lua_version(void);

/* Loading (files may be compiled, texts not; pushes the chunk or the message) and calling (pops
 * function and arguments, pushes results or the error value). Both return 0 for success. */
int cl_load_file(lua_State *L, const char *path);   /* NULL: standard input */
int cl_load_text(lua_State *L, const char *text, size_t length, const char *name);
bool cl_is_incomplete(lua_State *L);      /* is the message on top about a missing end? */
int cl_call(lua_State *L, int arguments, int results);
enum { CL_ALL_RESULTS = -1 };
/* Text of the error value at index, pushed; `__tostring` is honoured. */
const char *cl_push_message(lua_State *L, int index, size_t *length);
/* Pushes the traceback taken when the error value on top was raised, or nil. */
void cl_push_traceback(lua_State *L);
/* Pops a traceback that belongs to the error value below it, which is about to be raised. */
void cl_set_traceback(lua_State *L);

/* Stack. */
int cl_top(lua_State *L);
void cl_set_top(lua_State *L, int top);
bool cl_reserve(lua_State *L, int slots);
void cl_copy(lua_State *L, int index);    /* pushes a copy */
void cl_replace(lua_State *L, int index); /* pops into index */
void cl_remove(lua_State *L, int index);
bool cl_same(lua_State *L, int a, int b);

/* Reading. */
int cl_type(lua_State *L, int index);
bool cl_is_integer(lua_State *L, int index);          /* a number with integer representation */
bool cl_boolean(lua_State *L, int index);
double cl_number(lua_State *L, int index);
int64_t cl_integer(lua_State *L, int index);
bool cl_is_float(lua_State *L, int index);
const char *cl_string(lua_State *L, int index, size_t *length);  /* NULL unless a string */
const char *cl_type_name(lua_State *L, int index);    /* honours __name */
const void *cl_address(lua_State *L, int index);
/* Text as `tostring` gives it, pushed; metamethods run, errors become text. */
const char *cl_push_display(lua_State *L, int index, size_t *length);

/* Pushing. */
void cl_push_nil(lua_State *L);
void cl_push_boolean(lua_State *L, bool value);
void cl_push_number(lua_State *L, double value);
void cl_push_integer(lua_State *L, int64_t value);
/* Too large: "", and an error later. */
void cl_push_string(lua_State *L, const char *bytes, size_t length);
void cl_push_globals(lua_State *L);
void cl_push_loaded(lua_State *L);        /* package.loaded */
void cl_push_preload(lua_State *L);       /* package.preload */

/* Tables, always raw. */
/* False: too large; an empty one is pushed. */
bool cl_new_table(lua_State *L, int array, int fields);
size_t cl_length(lua_State *L, int index);
int cl_get_field(lua_State *L, int index, const char *name);    /* pushes; returns the type */
int cl_get_index(lua_State *L, int index, int64_t n);
int cl_get(lua_State *L, int index);                             /* replaces the key on top */
void cl_set_field(lua_State *L, int index, const char *name);   /* pops the value */
void cl_set_index(lua_State *L, int index, int64_t n);          /* pops the value */
void cl_set(lua_State *L, int index);                            /* pops key and value */
bool cl_push_metatable(lua_State *L, int index);
void cl_set_metatable(lua_State *L, int index);                  /* pops the metatable */
/* Pushes a list of the table's keys in the order of `pairs`. */
void cl_push_keys(lua_State *L, int index);
/* Has the table at a positive index the keys 1, 2, … n in its array, maybe with gaps, and no
 * others? False also where that cannot be told at once. Uses two slots. */
bool cl_is_list(lua_State *L, int table);
/* Copies numbers from positions 1...count; stops at one that is not a number and
 * returns how many were copied. */
size_t cl_read_floats(lua_State *L, int index, float *out, size_t count);
size_t cl_read_doubles(lua_State *L, int index, double *out, size_t count);
/* Pushes a list. */
bool cl_push_floats(lua_State *L, const float *values, size_t count);
bool cl_push_integers(lua_State *L, const int64_t *values, size_t count);

/* References: a value kept out of the collector's reach until cl_drop. */
int cl_keep(lua_State *L);                /* pops the value */
void cl_push_kept(lua_State *L, int reference);
void cl_drop(lua_State *L, int reference);

/* Functions. The name is for messages and must outlive the state. */
void cl_push_function(lua_State *L, void *function, const char *name);
/* Pops a Lua function; pushes one that runs the entry (which may rewrite the arguments)
 * and then calls the Lua function with what is on the stack. */
void cl_push_checked(lua_State *L, void *function, const char *name);

/* Classes. A tag is any address that stands for the class. */
void cl_new_class(lua_State *L, const void *tag, const char *name); /* pushes metatable, methods */
void cl_finish_class(lua_State *L, const void *tag);  /* see object.c */
void *cl_object(lua_State *L, int index, const void *tag); /* NULL: another type, or freed */
/* The same for what was found to be an object of some class before. */
void *cl_checked_object(lua_State *L, int index, const void *tag);
bool cl_is_freed(lua_State *L, int index, const void *tag);
bool cl_was_freed(lua_State *L, int index);
bool cl_push_object(lua_State *L, const void *tag, void *object); /* false: unknown class */
void cl_set_user_value(lua_State *L, int index);      /* pops the value */
int cl_push_user_value(lua_State *L, int index);
/* Key under which a light userdata is put into a getters table. */
void cl_push_pointer(lua_State *L, void *pointer);

/* Ctrl-C, SIGTERM, SIGHUP. The first signal stops every loop of the state; a second one, at least a
 * quarter of a second later, ends the process. */
void cl_watch_interrupt(lua_State *L);    /* install the handlers, forget an earlier signal */
void cl_unwatch_interrupt(lua_State *L);
bool cl_interrupted(void);                /* for compiled loops; any thread */
void cl_interrupt(lua_State *L);          /* as if Ctrl-C was typed */
int cl_stop_signal(void);                 /* which signal stops the script, 0: none */
const char *cl_stop_reason(void);         /* in words */
/* Makes writing to a closed pipe, or beyond the file-size limit, an error of the write. */
void cl_ignore_file_signals(void);
/* While it is held, a first signal waits. Holds are counted. */
void cl_hold_stop(void);
void cl_release_stop(lua_State *L);

/* A time limit, after which running code is stopped as by Ctrl-C; one state at a time, and nested
 * limits end with the outer one. The struct saves the previous limit. The label must live until the
 * end: standard error names it if a C call cannot be stopped. */
typedef struct {
  lua_State *state;
  struct { void (*function)(void); int mask, count; } of[2];
} cl_hooks;
typedef struct {
  int64_t deadline;
  const char *label;
  cl_hooks hooks;
} cl_limit;
void cl_begin_limit(lua_State *L, double seconds, const char *label, cl_limit *before);
bool cl_end_limit(lua_State *L, const cl_limit *before); /* had it passed? */

/* For cleanup after a stopped function: nothing is stopped until it is resumed. */
typedef struct {
  int64_t deadline;
  bool was_over;
} cl_limit_pause;
typedef struct {
  int signal;
  cl_limit_pause limit;
} cl_pause;
void cl_pause_stop(cl_pause *pause);
void cl_resume_stop(lua_State *L, const cl_pause *pause);

/* A limit on additional memory held by Lua; nested limits can only lower it. Code that exceeds it
 * is stopped as by Ctrl-C. Returns where, else NULL. */
typedef struct {
  size_t limit, most, slack, collect_at; /* see context.h */
  cl_hooks hooks;
} cl_memory_limit;
void cl_begin_memory_limit(lua_State *L, size_t bytes, cl_memory_limit *before);
const char *cl_end_memory_limit(lua_State *L, const cl_memory_limit *before);

/* The machine's memory. Once per 32 MB Lua asks the source whether that many more bytes are
 * available. A call after which memory is short raises "not enough memory" unless a collection
 * helps. */
typedef bool (*cl_room_source)(size_t bytes);
void cl_set_room(lua_State *L, cl_room_source source);
bool cl_has_room(lua_State *L, size_t bytes); /* for a copy of something, or the like */
bool cl_lacks_memory(lua_State *L);           /* is that error on its way? */

/* Seeds math.random. */
void cl_seed(lua_State *L, int64_t seed);
/* Where math.random is in its sequence; false: unknown to this release of Lua. */
typedef struct { uint64_t words[4]; } cl_random;
bool cl_random_state(lua_State *L, cl_random *state, bool set);
/* Replaces pairs, table.sort and the coroutine functions; see pairs.c, sort.c,
 * coroutine.c. */
bool cl_open_deterministic(lua_State *L);

#endif
