/* The memory functions of the C library, with something in reserve: see memory.c. */
#ifndef CMEMORY_H
#define CMEMORY_H
#include <stdbool.h>
#include <stddef.h>

/* Takes the reserve and makes room for the stack, once; on the thread that runs scripts. */
void cm_start(void);

/* What the functions below read at every call from Lua; memory.c alone writes the first two. */
extern bool cm_short;
extern size_t cm_total;
extern __thread bool cm_patient;

/* As realloc and aligned_alloc, for callers that can do without: NULL where there is no memory,
 * and the reserve is left alone. */
void *cm_try_realloc(void *block, size_t size);
void *cm_try_aligned(size_t alignment, size_t size);
/* Gives the reserve up at once; NULL where that does not suffice. */
void *cm_realloc_from_reserve(void *block, size_t size);
/* Could `size` more bytes be had now, with some room to spare? */
bool cm_has_room(size_t size);

/* Was the reserve given up? Then memory is short; what is small still succeeds. */
static inline bool cm_is_short(void) { return __atomic_load_n(&cm_short, __ATOMIC_RELAXED); }
/* Takes the reserve again, if there is room for it and for a little more. */
bool cm_refill(void);

/* Does the calling thread run compiled code that cannot do without what it asks for, or
 * interpreted code and C, which can? Gives what was set before. */
static inline bool cm_set_patient(bool can_do_without) {
  bool before = cm_patient;
  cm_patient = can_do_without;
  return before;
}
/* Bytes that all threads were given since the start, in steps of some megabytes. */
static inline size_t cm_given(void) { return __atomic_load_n(&cm_total, __ATOMIC_RELAXED); }
/* Bytes that were freed and that malloc keeps for later. */
size_t cm_heap_bytes(void);

#endif
