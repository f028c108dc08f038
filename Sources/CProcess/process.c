#define _GNU_SOURCE /* posix_spawn_file_actions_addclosefrom_np */
#include "CProcess.h"

#include <signal.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* The loader gives constructors what main gets (glibc, macOS). */
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

bool cp_end_with(pid_t parent) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
  return getppid() == parent;
}

void cp_close_files(posix_spawn_file_actions_t *actions) {
#ifdef __GLIBC__
  posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
}
