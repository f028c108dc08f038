/* The program's arguments. */
#ifndef CPROCESS_H
#define CPROCESS_H

/* The arguments as bytes, the program's name first; their number. Swift's CommandLine reads them
 * from /proc, finds none without it, and repairs invalid UTF-8. */
char *const *cp_arguments(int *count);

#endif
