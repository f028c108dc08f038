/* Sockets with SOCK_CLOEXEC from the start: a child process that starts between two calls must not
 * inherit them. */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CProcess.h"

int cp_socket(void) { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

int cp_accept(int listener) {
  return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

long cp_peer_user(int connection) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? (long)peer.uid : -1;
}

int cp_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

/* Neither fails: the count cannot overflow before it is cleared. */
void cp_signal_event(int event) {
  uint64_t one = 1;
  ssize_t written = write(event, &one, sizeof one);
  (void)written;
}

void cp_clear_event(int event) {
  uint64_t count;
  ssize_t got = read(event, &count, sizeof count);
  (void)got;
}
