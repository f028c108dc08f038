/* libedit's readline interface. Ctrl-C at the prompt leaves readline by longjmp, which crosses only
 * C frames: it is disabled while a completion runs in Swift. */
#include "CLineEditor.h"

#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdio.h>
#include <editline/readline.h>

enum { HISTORY_SIZE = 2000 };

static cle_generator generator;
static sigjmp_buf leave;
static volatile sig_atomic_t can_leave;
static volatile sig_atomic_t pending;

static void on_interrupt(int number) {
  (void)number;
  pending = 1;
  if (can_leave) siglongjmp(leave, 1);
}

/* The terminal gets its own settings back before the signal ends the process. */
static void on_end(int number) {
  rl_deprep_terminal();
  signal(number, SIG_DFL);
  raise(number);
}

/* Ignored signals stay so, as under nohup. */
static void catch_end(int number, struct sigaction *before) {
  struct sigaction action = {.sa_handler = on_end};
  sigemptyset(&action.sa_mask);
  sigaction(number, NULL, before);
  if (before->sa_handler != SIG_IGN) sigaction(number, &action, NULL);
}

/* Is the cursor inside a string, where file names are wanted? */
static bool in_string(int start) {
  char quote = 0;
  for (int i = 0; i < start && rl_line_buffer[i]; i++) {
    char c = rl_line_buffer[i];
    if (quote && c == '\\' && rl_line_buffer[i + 1]) i++;
    else if (quote ? c == quote : c == '"' || c == '\'') quote = quote ? 0 : c;
  }
  return quote != 0;
}

static int word_start;

static char **complete(const char *text, int start, int end) {
  (void)end;
  rl_completion_append_character = 0;
  word_start = start;
  can_leave = 0;
  char **matches = rl_completion_matches(text, generator);
  can_leave = 1;
  /* In a string for which there are no words, libedit completes file names. */
  rl_attempted_completion_over = matches != NULL || !in_string(start);
  return matches;
}

const char *cle_line(int *start) {
  *start = word_start;
  return rl_line_buffer;
}

void cle_open(const char *program, cle_generator next) {
  generator = next;
  /* The editor handles whole characters only if it knows the encoding. */
  setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8");
  rl_readline_name = program;
  rl_completer_word_break_characters = "\t\r\n !\"#$%&'()*+,-/;<=>?@[\\]^`{|}~";
  rl_attempted_completion_function = complete;
  rl_catch_signals = 0;
  using_history();
  stifle_history(HISTORY_SIZE);
}

char *cle_read_line(const char *prompt, bool *interrupted) {
  struct sigaction action = {.sa_handler = on_interrupt}, before, terminate, hang_up;
  char *volatile line = NULL;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before);
  catch_end(SIGTERM, &terminate);
  catch_end(SIGHUP, &hang_up);
  pending = 0;
  if (sigsetjmp(leave, 1) == 0) {
    can_leave = 1;
    line = readline(prompt);
    can_leave = 0;
  } else {
    can_leave = 0;
    rl_deprep_terminal();
    fputs("^C\n", stdout);
    fflush(stdout);
  }
  *interrupted = pending;
  sigaction(SIGINT, &before, NULL);
  sigaction(SIGTERM, &terminate, NULL);
  sigaction(SIGHUP, &hang_up, NULL);
  if (pending && line) {
    free(line);
    line = NULL;
  }
  return line;
}

/* No history from a pipe, which could block, or a device, which has no end. */
static bool is_file(const char *path) {
  struct stat status;
  return stat(path, &status) != 0 || S_ISREG(status.st_mode);
}

void cle_load_history(const char *path) {
  if (is_file(path)) read_history(path);
}

/* The file is made readable by its owner only: chunks may hold what is private. */
bool cle_remember(const char *chunk, const char *path) {
  HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
  if (last && last->line && strcmp(last->line, chunk) == 0) return true;
  add_history(chunk);
  if (path == NULL || !is_file(path)) return true;
  mode_t mask = umask(077);
  int status = write_history(path);
  umask(mask);
  return status == 0;
}
