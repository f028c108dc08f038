/* What of the C library Swift does not see: the program's arguments, and calls of Linux for sockets
 * that no child process inherits. */
#ifndef CPROCESS_H
#define CPROCESS_H

/* The arguments as bytes, the program's name first; their number. Swift's CommandLine reads them
 * from /proc, finds none without it, and repairs invalid UTF-8. */
char *const *cp_arguments(int *count);

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
