/* Reading lines at a terminal with editing, history and completion, over libedit. */
#ifndef CLINEEDITOR_H
#define CLINEEDITOR_H
#include <stdbool.h>

/* Returns the completions of text one by one, each from malloc; NULL ends. The first call for a
 * text has state 0. */
typedef char *(*cle_generator)(const char *text, int state);

/* The line that is being completed, and where the word begins. */
const char *cle_line(int *start);

/* Sets the editor up. Words end at blanks and operators, not at `.` and `:`. */
void cle_open(const char *program, cle_generator generator);

/* A line from malloc without its newline; NULL at the end of input. Ctrl-C discards the line: then
 * the result is NULL and *interrupted is set. */
char *cle_read_line(const char *prompt, bool *interrupted);

/* History. A missing or unreadable file is an empty one. */
void cle_load_history(const char *path);
/* Adds a chunk to the history unless it repeats the last one; false if the file could not be
 * written. */
bool cle_remember(const char *chunk, const char *path);
#endif
