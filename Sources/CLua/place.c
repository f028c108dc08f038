/* Where an error happened, for script authors: script lines, skipping those of the library. */
#include <string.h>

#include "context.h"

/* Chunks of the script library, which are named `[apo] file.lua`. */
static bool is_library(const lua_Debug *ar) { return strncmp(ar->source, "=[apo]", 6) == 0; }

void cl_push_where(lua_State *L, int first) {
  lua_Debug ar;
  for (int level = first; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline > 0 && !is_library(&ar)) {
      lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
      return;
    }
    if (level == first && ar.currentline <= 0) break;
  }
  luaL_where(L, first);
}

/* Of a line of a traceback: is it a function of the library, is it one in C? */
static bool is_library_line(const char *line) { return strncmp(line, "\t[apo] ", 7) == 0; }
static bool is_compiled_line(const char *line) { return strncmp(line, "\t[C]:", 5) == 0; }

static const char *behind_line(const char *line) {
  const char *end = strchr(line, '\n');
  return end ? end + 1 : line + strlen(line);
}

void cl_push_script_traceback(lua_State *L, int level) {
  luaL_Buffer buffer;
  bool keep = true;
  luaL_traceback(L, L, NULL, level);
  int all = lua_gettop(L);
  luaL_buffinit(L, &buffer);
  for (const char *line = lua_tostring(L, all), *next; *line != 0; line = next) {
    next = behind_line(line);
    bool is_mark = strncmp(line, "\t(", 2) == 0; /* (...tail calls...): of the line before */
    if (!is_mark)
      keep = !is_library_line(line) && !(is_compiled_line(line) && is_library_line(next));
    if (keep) luaL_addlstring(&buffer, line, (size_t)(next - line));
  }
  luaL_pushresult(&buffer);
  lua_remove(L, all);
}

/* `error`, whose level may be that of a library function that called the script's. */
int cl_error(lua_State *L) {
  int level = (int)luaL_optinteger(L, 2, 1);
  lua_settop(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING && level > 0) {
    cl_push_where(L, level);
    lua_insert(L, 1);
    lua_concat(L, 2);
  }
  return lua_error(L);
}
