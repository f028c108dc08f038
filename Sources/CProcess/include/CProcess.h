/* What of the C library Swift does not see: the program's arguments, calls of Linux for
 * sockets that no child process inherits, and what concerns child processes. */
#ifndef CPROCESS_H
#define CPROCESS_H

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

/* The arguments as bytes, the program's name first; their number. Swift's CommandLine reads them
 * from /proc, finds none without it, and repairs invalid UTF-8. */
char *const *cp_arguments(int *count);

/* Has the kernel send SIGTERM to this process when `parent` ends, however it ends; false if it has
 * ended already. (prctl is variadic, which Swift does not call.) */
bool cp_end_with(pid_t parent);

/* Has a program that is started inherit no files but its standard ones: files that a script has
 * open would stay open for as long as it runs. (Swift does not see glibc's own function.) */
void cp_close_files(posix_spawn_file_actions_t *actions);

/* A stream socket of the machine; -1 and errno. Like all below it does not block. */
int cp_socket(void);
/* The next connection of a socket that listens; -1 and errno. */
int cp_accept(int listener);
/* The user of the process at the other end; -1 if unknown. */
long cp_peer_user(int connection);
/* Something to wait for with poll: readable once it was signalled, until it is cleared. */
int cp_event(void);
void cp_signal_event(int event);
void cp_clear_event(int event);

#endif
