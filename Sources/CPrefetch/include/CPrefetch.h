#ifndef CPREFETCH_H
#define CPREFETCH_H

/* Asks the processor to bring the cache line at p into its caches; has no other effect, whatever p
 * is. */
static inline void prefetch(const void *p) { __builtin_prefetch(p); }

#endif
