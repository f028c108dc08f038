/* The C library's memory functions with a reserve.
 *
 * Swift aborts when malloc returns NULL, and it allocates everywhere. So some address space is held
 * in reserve. When the system has no more (`ulimit -v`), the reserve is released: the running call
 * finishes with it, and the bridge, then without live Swift frames, collects garbage, takes the
 * reserve again, or raises "not enough memory" (call.c of CLua). Everything that grows with a
 * script's data checks first (cm_has_room, cm_try_*), so the reserve only has to cover small
 * requests. Freeing is the C library's own. */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "CMemory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static const size_t megabyte = 1 << 20;
/* A block of the reserve: mapped, or, where free memory is in pieces, one of malloc's. */
typedef struct piece {
  struct piece *next;
  size_t mapped; /* bytes; 0: malloc's */
} piece;

static _Atomic(piece *) reserve;
static size_t reserve_size;
bool cm_short;
size_t cm_total;
__thread bool cm_patient;
static __thread size_t uncounted;

#ifdef SANITIZED
#define __libc_malloc malloc
#define __libc_calloc calloc
#define __libc_realloc realloc
#define __libc_memalign memalign
#else
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
#endif

/* --- the reserve --- */

/* What the process's limit of address space leaves; SIZE_MAX where there is none. */
static size_t left(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  FILE *file = fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  if (file == NULL) return SIZE_MAX;
  if (fscanf(file, "%lu", &pages) != 1) pages = 0;
  fclose(file);
  size_t used = pages * (size_t)sysconf(_SC_PAGESIZE);
  return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

static piece *map(size_t size) {
  piece *block = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (block == MAP_FAILED) return NULL;
  block->next = NULL;
  block->mapped = size;
  return block;
}

static void release(piece *block) {
  while (block != NULL) {
    piece *next = block->next;
    if (block->mapped > 0) munmap(block, block->mapped);
    else free(block);
    block = next;
  }
}

/* As many bytes in pieces of what malloc keeps; NULL if there are fewer. */
static piece *gather(size_t size) {
  static const size_t part = 256 << 10;
  piece *list = NULL;
  for (size_t have = 0; have < size; have += part) {
    piece *block = __libc_malloc(part);
    if (block == NULL) {
      release(list);
      return NULL;
    }
    *block = (piece){list, 0};
    list = block;
  }
  return list;
}

/* The kernel grows the stack on use, and kills the process if the limit is reached. */
static __attribute__((noinline)) void extend_stack(void) {
  struct rlimit limit;
  size_t size = 2 * megabyte;
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur < 2 * size || left() < 8 * size)
    return;
  volatile char *lowest = __builtin_alloca(size);
  *lowest = 0;
}

void cm_start(void) {
  static atomic_bool started;
  if (atomic_exchange(&started, true)) return;
  extend_stack();
  size_t rest = left();
  /* More under a limit, because growing Swift arrays (a tape of millions of operations) use it. */
  size_t most = rest == SIZE_MAX ? 64 * megabyte : 512 * megabyte;
  reserve_size = rest / 4 < most ? rest / 4 / megabyte * megabyte : most;
  if (reserve_size > 0) atomic_store(&reserve, map(reserve_size));
}

static void give_up(void) {
  piece *block = atomic_exchange(&reserve, NULL);
  __atomic_store_n(&cm_short, true, __ATOMIC_SEQ_CST);
  release(block);
}

/* Could so many bytes be had, in pieces? */
static bool has_some(size_t size) {
  piece *block = gather(size);
  release(block);
  return block != NULL || size == 0;
}

bool cm_refill(void) {
  if (!cm_is_short()) return true;
  malloc_trim(0);
  piece *block = reserve_size > 0 ? map(reserve_size) : NULL;
  if (block == NULL && reserve_size > 0) block = gather(reserve_size);
  if ((block == NULL && reserve_size > 0) || !has_some(reserve_size / 4)) {
    release(block);
    return false;
  }
  atomic_store(&reserve, block);
  __atomic_store_n(&cm_short, false, __ATOMIC_SEQ_CST);
  return true;
}

size_t cm_heap_bytes(void) { return mallinfo2().fordblks; }

/* --- the memory functions --- */

static inline void *counted(void *block, size_t size) {
  if (block == NULL || (uncounted += size) < 4 * megabyte) return block;
  __atomic_fetch_add(&cm_total, uncounted, __ATOMIC_RELAXED);
  uncounted = 0;
  return block;
}

void *cm_try_realloc(void *block, size_t size) {
  return counted(__libc_realloc(block, size), size);
}

void *cm_realloc_from_reserve(void *block, size_t size) {
  give_up();
  return counted(__libc_realloc(block, size), size);
}

void *cm_try_aligned(size_t alignment, size_t size) {
  return counted(__libc_memalign(alignment, size), size);
}

bool cm_has_room(size_t size) {
  if (size > PTRDIFF_MAX / 2) return false;
  size += 16 * megabyte;
  void *block = __libc_malloc(size);
  free(block);
  return block != NULL;
}

_Noreturn void cm_exhausted(size_t size) {
  char text[160];
  int length = snprintf(text, sizeof text, "apo-lua: out of memory: %zu more bytes are not there "
                        "and cannot be done without\n", size);
  ssize_t written = write(STDERR_FILENO, text, (size_t)length);
  (void)written;
  _exit(1);
}

#ifndef SANITIZED

/* Whether to retry. If not, a caller in compiled code would abort the process. */
static __attribute__((noinline, cold)) bool again(size_t size, bool *tried) {
  if (cm_patient || size > PTRDIFF_MAX) return false;
  if (!*tried) {
    *tried = true;
    give_up();
    return true;
  }
  cm_exhausted(size);
}

/* Runs an allocation until it succeeds or there is nothing left to do. */
#define ATTEMPT(size, allocation)                  \
  void *result = allocation;                       \
  bool tried = false;                              \
  while (__builtin_expect(result == NULL, 0) && (size) > 0 && again(size, &tried)) \
    result = allocation;                           \
  return counted(result, size)

void *malloc(size_t size) { ATTEMPT(size, __libc_malloc(size)); }

void *calloc(size_t number, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(number, size, &bytes)) bytes = SIZE_MAX;
  ATTEMPT(bytes, __libc_calloc(number, size));
}

void *realloc(void *block, size_t size) { ATTEMPT(size, __libc_realloc(block, size)); }

void *memalign(size_t alignment, size_t size) { ATTEMPT(size, __libc_memalign(alignment, size)); }

void *aligned_alloc(size_t alignment, size_t size) {
  ATTEMPT(size, __libc_memalign(alignment, size));
}

int posix_memalign(void **block, size_t alignment, size_t size) {
  if (alignment == 0 || alignment % sizeof(void *) || (alignment & (alignment - 1))) return EINVAL;
  void *result = memalign(alignment, size);
  if (result == NULL && size > 0) return ENOMEM;
  *block = result;
  return 0;
}

#endif
