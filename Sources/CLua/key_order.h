/* The fixed order of keys: numbers by value, strings by byte, false, true. Keys of other types have
 * no reproducible order. */
#ifndef KEY_ORDER_H
#define KEY_ORDER_H
#include "context.h"

enum { SMALL = 1024 }; /* as many keys are not much to keep */

enum { NUMBER, STRING, FALSE, TRUE, UNORDERED };

typedef struct {
  uint64_t word; /* numbers: ordered as they are, rounded; strings: eight bytes */
  union {
    lua_Integer integer;
    const char *bytes;
  };
  uint32_t length;   /* of a string; longer ones compare as if they ended there */
  uint32_t place;    /* in the order of `next`, from 1 */
  uint8_t rank;      /* one of those above */
  bool is_float;     /* no integer has this value */
} cl_key;

/* The key at index. Strings are referred to: keep them alive. */
cl_key cl_describe(lua_State *L, int index);
/* Below, at or above 0. */
int cl_compare(const cl_key *a, const cl_key *b);
/* Sorts; the scratch has room for as many. */
void cl_sort_keys(cl_key *keys, cl_key *scratch, size_t count);

/* Walks (key_walk.c) over the table at stack slot 1. */
bool cl_is_ordered(int type);
/* The first unordered key after the key on top, which is popped: pushes it with its value and
 * returns 2, or pushes nil and returns 1. */
int cl_next_unordered(lua_State *L);
/* Looks at every key, and counts those with an order behind the given one. The first `room` of
 * them are put into the list, from 2 on, and into keys. If there are more, it ends there where the
 * room is less than SMALL, else the least of all replaces stack slot 2. Allocates nothing. */
uint32_t cl_find_keys(
    lua_State *L, const cl_key *after, int list, cl_key *keys, uint32_t room, bool *others);

/* Pushes the iterator of `pairs` (ordered_next.c). */
void cl_push_ordered_next(lua_State *L);

#endif
