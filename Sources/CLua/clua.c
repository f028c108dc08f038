#include "CLua.h"
#include <lauxlib.h>
lua_State *cl_open(void) { return luaL_newstate(); }
