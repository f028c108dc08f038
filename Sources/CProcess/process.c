/* The loader gives constructors what main gets (glibc, macOS). */
#include "CProcess.h"

static int argument_count;
static char **argument_values;

__attribute__((constructor)) static void keep_arguments(int count, char **values) {
  argument_count = count;
  argument_values = values;
}

char *const *cp_arguments(int *count) {
  *count = argument_count;
  return argument_values;
}
