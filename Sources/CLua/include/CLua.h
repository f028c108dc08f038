#ifndef CLUA_H
#define CLUA_H
typedef struct lua_State lua_State;
lua_State *cl_open(void);
#endif
