#include "Scripts.h"

static const apo_script scripts[] = {
    {0, 0, 0},
};

const apo_script *apo_scripts(void) { return scripts; }
