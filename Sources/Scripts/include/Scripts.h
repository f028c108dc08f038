#ifndef SCRIPTS_H
#define SCRIPTS_H
#include <stddef.h>

/* The Lua files of the script library, embedded in the binary: `require "apo.train"` finds `train` here. */
typedef struct {
  const char *name;
  const unsigned char *text;
  size_t length;
} apo_script;

/* All scripts; the list ends with a null name. */
const apo_script *apo_scripts(void);
#endif
