/* The script library, one array a file. A new file needs an array and a row of the table. */
#include "Scripts.h"

#pragma clang diagnostic ignored "-Wc23-extensions" /* #embed */

static const unsigned char apo[] = {
#embed "lua/apo.lua"
};
static const unsigned char batches[] = {
#embed "lua/batches.lua"
};
static const unsigned char csv[] = {
#embed "lua/csv.lua"
};
static const unsigned char dataset[] = {
#embed "lua/dataset.lua"
};
static const unsigned char score[] = {
#embed "lua/score.lua"
};
static const unsigned char shuffle[] = {
#embed "lua/shuffle.lua"
};

#define SCRIPT(name, text) {name, text, sizeof text}

static const apo_script scripts[] = {
    SCRIPT("apo", apo),
    SCRIPT("batches", batches),
    SCRIPT("csv", csv),
    SCRIPT("dataset", dataset),
    SCRIPT("score", score),
    SCRIPT("shuffle", shuffle),
    {0, 0, 0},
};

const apo_script *apo_scripts(void) { return scripts; }
