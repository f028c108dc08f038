/* The C library's memory functions with a reserve: see memory.c. */
#ifndef CMEMORY_H
#define CMEMORY_H
#include <stdbool.h>
#include <stddef.h>

/* Takes the reserve and preallocates the stack, once, on the thread that runs scripts. */
void cm_start(void);

/* What the functions below read at every call from Lua; memory.c alone writes the first two. */
extern bool cm_short;
extern size_t cm_total;
extern __thread bool cm_patient;

/* As realloc and aligned_alloc, for callers that handle failure: NULL if out of memory, without
 * using the reserve. */
void *cm_try_realloc(void *block, size_t size);
void *cm_try_aligned(size_t alignment, size_t size);
/* May release the reserve; NULL if that does not suffice. */
void *cm_realloc_from_reserve(void *block, size_t size);
/* Writes that so many bytes are missing and ends the process with status 1: for callers that would
 * otherwise abort. */
_Noreturn void cm_exhausted(size_t size);
/* Are `size` more bytes available, with some to spare? */
bool cm_has_room(size_t size);

/* Was the reserve released? Then memory is short; small requests still succeed. */
static inline bool cm_is_short(void) { return __atomic_load_n(&cm_short, __ATOMIC_RELAXED); }
/* Takes the reserve again, if there is room for it and for a little more. */
bool cm_refill(void);

/* Does the calling thread run compiled code, which cannot handle a failed allocation, or
 * interpreted code and C, which can? Returns the previous setting. */
static inline bool cm_set_patient(bool can_do_without) {
  bool before = cm_patient;
  cm_patient = can_do_without;
  return before;
}
/* Bytes allocated by all threads since the start, in steps of a few megabytes. */
static inline size_t cm_given(void) { return __atomic_load_n(&cm_total, __ATOMIC_RELAXED); }
/* Freed bytes that malloc keeps. */
size_t cm_heap_bytes(void);

#endif
