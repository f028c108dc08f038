#ifndef SCRIPTS_H
#define SCRIPTS_H

/* The Lua files of the script library, embedded in the binary: `require "apo.train.options"` finds
 * `train.options` here. */
typedef struct {
  const char *name;
  const unsigned char *text; /* ends with a zero */
} apo_script;

/* All scripts; the list ends with a null name. */
const apo_script *apo_scripts(void);
#endif
