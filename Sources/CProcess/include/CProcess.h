/* What the program was started with. */
#ifndef CPROCESS_H
#define CPROCESS_H

/* The arguments as bytes, the program's name first; how many. Swift's CommandLine reads them from
 * /proc, finds none where that is missing, and repairs what is no UTF-8. */
char *const *cp_arguments(int *count);

#endif
