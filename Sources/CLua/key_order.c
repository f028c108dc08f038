/* Sorting keys. Up to a few dozen by insertion, more by radix: a stable counting sort over each
 * byte of the words in which the keys differ at all. Remaining ties are compared in full. */
#include "key_order.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 32 };

static uint64_t highest_first(uint64_t word) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  return __builtin_bswap64(word);
#else
  return word;
#endif
}

/* Eight bytes from an offset, big-endian; zeros after the end. */
static inline uint64_t word_at(const cl_key *k, size_t offset) {
  uint64_t word = 0;
  size_t left = offset < k->length ? k->length - offset : 0;
  const char *bytes = k->bytes + offset;
  if (left >= 8) {
    memcpy(&word, bytes, 8);
    return highest_first(word);
  }
  for (size_t i = 0; i < left; i++) word |= (uint64_t)(uint8_t)bytes[i] << (56 - 8 * i);
  return word;
}

/* The bits of a double as an integer of the same order; -0 is 0. */
static uint64_t ordered_bits(double value) {
  uint64_t bits;
  value += 0.0;
  memcpy(&bits, &value, 8);
  return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

cl_key cl_describe(lua_State *L, int index) {
  cl_key k = {.rank = UNORDERED};
  switch (lua_type(L, index)) {
  case LUA_TNUMBER: {
    int exact;
    k.rank = NUMBER;
    k.integer = lua_tointegerx(L, index, &exact);
    k.is_float = !exact;
    k.word = ordered_bits(exact ? (double)k.integer : lua_tonumber(L, index));
    break;
  }
  case LUA_TSTRING: {
    size_t length;
    k.rank = STRING;
    k.bytes = lua_tolstring(L, index, &length);
    k.length = length < UINT32_MAX ? (uint32_t)length : UINT32_MAX;
    k.word = word_at(&k, 0);
    break;
  }
  case LUA_TBOOLEAN: k.rank = lua_toboolean(L, index) ? TRUE : FALSE; break;
  }
  return k;
}

static int order(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

static int compare_strings(const cl_key *a, const cl_key *b) {
  if (a->bytes == b->bytes) return 0;
  uint32_t shorter = a->length < b->length ? a->length : b->length;
  int difference = memcmp(a->bytes, b->bytes, shorter);
  return difference ? difference : order(a->length, b->length);
}

/* The words are equal. An integer that rounds to a float is below it: only 2^63 is no integer. */
static int compare_rest(const cl_key *a, const cl_key *b) {
  if (a->rank == STRING) return compare_strings(a, b);
  if (a->rank != NUMBER) return 0;
  if (a->is_float || b->is_float) return a->is_float - b->is_float;
  return (a->integer > b->integer) - (a->integer < b->integer);
}

int cl_compare(const cl_key *a, const cl_key *b) {
  if (a->rank != b->rank) return a->rank - b->rank;
  return a->word != b->word ? order(a->word, b->word) : compare_rest(a, b);
}

static int compare_any(const void *a, const void *b) { return cl_compare(a, b); }

static void insertion_sort(cl_key *keys, size_t count) {
  for (size_t i = 1; i < count; i++) {
    cl_key k = keys[i];
    size_t j = i;
    for (; j > 0 && cl_compare(&k, &keys[j - 1]) < 0; j--) keys[j] = keys[j - 1];
    keys[j] = k;
  }
}

static void sort_by_comparing(cl_key *keys, size_t count) {
  if (count <= FEW) insertion_sort(keys, count);
  else qsort(keys, count, sizeof *keys, compare_any);
}

/* Words of the strings after their common prefix. */
static size_t skip_prefix(cl_key *keys, size_t count) {
  size_t common = keys[0].length;
  for (size_t i = 1; i < count; i++) {
    if (keys[i].length < common) common = keys[i].length;
    size_t same = 0;
    while (same < common && keys[i].bytes[same] == keys[0].bytes[same]) same++;
    common = same;
  }
  for (size_t i = 0; common > 0 && i < count; i++) keys[i].word = word_at(&keys[i], common);
  return common;
}

/* Keys of one rank. A byte that all words share needs no pass. */
static void radix_sort(cl_key *keys, cl_key *scratch, size_t count) {
  uint32_t counts[8][256] = {{0}};
  cl_key *from = keys, *to = scratch;
  for (size_t i = 0; i < count; i++) {
    for (int b = 0; b < 8; b++) counts[b][keys[i].word >> 8 * b & 255]++;
  }
  for (int b = 0; b < 8; b++) {
    uint32_t sum = 0;
    if (counts[b][from[0].word >> 8 * b & 255] == count) continue;
    for (int value = 0; value < 256; value++) {
      uint32_t n = counts[b][value];
      counts[b][value] = sum;
      sum += n;
    }
    for (size_t i = 0; i < count; i++) to[counts[b][from[i].word >> 8 * b & 255]++] = from[i];
    cl_key *swap = from;
    from = to;
    to = swap;
  }
  if (from != keys) memcpy(keys, from, count * sizeof *keys);
}

static void sort_rank(cl_key *keys, cl_key *scratch, size_t count) {
  size_t common = keys[0].rank == STRING ? skip_prefix(keys, count) : 0;
  radix_sort(keys, scratch, count);
  for (size_t start = 0, end; start < count; start = end) {
    for (end = start + 1; end < count && keys[end].word == keys[start].word; end++) {}
    sort_by_comparing(keys + start, end - start);
  }
  for (size_t i = 0; common > 0 && i < count; i++) keys[i].word = word_at(&keys[i], 0);
}

void cl_sort_keys(cl_key *keys, cl_key *scratch, size_t count) {
  if (count <= FEW) {
    insertion_sort(keys, count);
    return;
  }
  size_t sizes[UNORDERED] = {0}, starts[UNORDERED], sum = 0;
  for (size_t i = 0; i < count; i++) sizes[keys[i].rank]++;
  for (int rank = 0; rank < UNORDERED; rank++) {
    starts[rank] = sum;
    sum += sizes[rank];
  }
  if (sizes[keys[0].rank] < count) {
    size_t ends[UNORDERED];
    memcpy(ends, starts, sizeof ends);
    memcpy(scratch, keys, count * sizeof *keys);
    for (size_t i = 0; i < count; i++) keys[ends[scratch[i].rank]++] = scratch[i];
  }
  for (int rank = NUMBER; rank <= STRING; rank++) {
    if (sizes[rank] > 1) sort_rank(keys + starts[rank], scratch, sizes[rank]);
  }
}
