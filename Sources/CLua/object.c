/* Swift objects in Lua: a userdata that holds one reference, and its metatable.
 *
 * The metatable of a class lies in the registry under the class's tag. A script cannot reach
 * it (`__metatable` is the class's name); the completer finds the methods under `__methods`. */
#include "CMemory.h"
#include "context.h"

typedef struct {
  const void *tag;
  void *object; /* NULL once freed */
} box;

/* The box at index if it belongs to the class. The size guards against foreign userdata; that of
 * light userdata is 0. */
static box *box_at(lua_State *L, int index, const void *tag) {
  box *b = lua_touserdata(L, index);
  return b != NULL && lua_rawlen(L, index) == sizeof(box) && b->tag == tag ? b : NULL;
}

void *cl_object(lua_State *L, int index, const void *tag) {
  box *b = box_at(L, index, tag);
  return b ? b->object : NULL;
}

void *cl_checked_object(lua_State *L, int index, const void *tag) {
  box *b = lua_touserdata(L, index);
  return b != NULL && b->tag == tag ? b->object : NULL;
}

bool cl_is_freed(lua_State *L, int index, const void *tag) {
  box *b = box_at(L, index, tag);
  return b && b->object == NULL;
}

/* The same for an object of any class, which its own metatable in the registry tells. */
bool cl_was_freed(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || lua_rawlen(L, index) != sizeof(box)) return false;
  box *b = lua_touserdata(L, index);
  if (!lua_checkstack(L, 2) || !lua_getmetatable(L, index)) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, b->tag);
  bool is_object = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is_object && b->object == NULL;
}

/* The reference is dropped after the box is emptied: a deinit may come back here. */
static void empty(lua_State *L, box *b) {
  cl_context *c = context(L);
  void *object = b->object;
  if (object == NULL) return;
  bool in_swift = c->in_swift;
  b->object = NULL;
  c->in_swift = true;
  bool patient = cm_set_patient(false);
  c->release(object);
  cm_set_patient(patient);
  c->in_swift = in_swift;
}

/* `free`, `__close` and `__gc`. Upvalue: tag. */
static int release(lua_State *L) {
  const void *tag = lua_touserdata(L, lua_upvalueindex(1));
  box *b = box_at(L, 1, tag);
  if (b) {
    empty(L, b);
    lua_pushnil(L);
    lua_setiuservalue(L, 1, 1);
  }
  return 0;
}

/* First the box, then the metatable, last the reference: whatever fails between, `__gc`
 * finds an empty box. Uses two slots. */
bool cl_push_object(lua_State *L, const void *tag, void *object) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, tag) != LUA_TTABLE) {
    lua_pop(L, 1);
    return false;
  }
  box *b = lua_newuserdatauv(L, sizeof *b, 1);
  b->tag = tag;
  b->object = NULL;
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
  b->object = object;
  return true;
}

void cl_set_user_value(lua_State *L, int index) { lua_setiuservalue(L, index, 1); }
int cl_push_user_value(lua_State *L, int index) { return lua_getiuservalue(L, index, 1); }

/* Upvalues: methods, getters (name -> function), what serves other names, and other keys.
 * A method is found without leaving C; the rest is Swift's. */
static int index_object(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lua_settop(L, 2);
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(2));
    void *getter = lua_touserdata(L, -1);
    lua_settop(L, 2);
    if (getter != NULL) {
      int n = cl_enter(L, getter);
      return n >= 0 ? n : cl_raise(L, n, "index");
    }
  }
  int other = lua_type(L, 2) == LUA_TSTRING ? 3 : 4;
  int n = cl_enter(L, lua_touserdata(L, lua_upvalueindex(other)));
  return n >= 0 ? n : cl_raise(L, n, "index");
}

/* Upvalues: setters, what serves other names, and other keys. A setter sees self and the value. */
static int assign_object(lua_State *L) {
  void *setter = NULL;
  lua_settop(L, 3);
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    setter = lua_touserdata(L, -1);
    lua_settop(L, 3);
    if (setter != NULL) lua_remove(L, 2);
  }
  int other = lua_type(L, 2) == LUA_TSTRING ? 2 : 3;
  int n = cl_enter(L, setter ? setter : lua_touserdata(L, lua_upvalueindex(other)));
  return n >= 0 ? n : cl_raise(L, n, "assignment");
}

/* On return the metatable and the table of methods are on the stack. */
void cl_new_class(lua_State *L, const void *tag, const char *name) {
  static const char *const releasing[] = {"__gc", "__close"};
  lua_createtable(L, 0, 16);
  lua_createtable(L, 0, 32);
  lua_pushvalue(L, -1);
  cl_set_field(L, -3, "__methods");
  lua_pushstring(L, name);
  cl_set_field(L, -3, "__name");
  lua_pushstring(L, name);
  cl_set_field(L, -3, "__metatable");
  for (int i = 0; i < 2; i++) {
    lua_pushlightuserdata(L, (void *)tag);
    lua_pushcclosure(L, release, 1);
    cl_set_field(L, -3, releasing[i]);
  }
  lua_pushlightuserdata(L, (void *)tag);
  lua_pushcclosure(L, release, 1);
  cl_set_field(L, -2, "free");
}

/* Stack: metatable, methods, getters, setters, and what serves reading and assigning of other
 * names, then of other keys. Pops all and makes the class known. */
void cl_finish_class(lua_State *L, const void *tag) {
  int metatable = lua_gettop(L) - 7;
  lua_pushvalue(L, metatable + 2);
  cl_set_field(L, metatable, "__getters");
  lua_pushvalue(L, metatable + 3); /* setters, assignment */
  lua_pushvalue(L, metatable + 5);
  lua_pushvalue(L, metatable + 7);
  lua_pushcclosure(L, assign_object, 3);
  cl_set_field(L, metatable, "__newindex");
  lua_pushvalue(L, metatable + 1); /* methods, getters, index */
  lua_pushvalue(L, metatable + 2);
  lua_pushvalue(L, metatable + 4);
  lua_pushvalue(L, metatable + 6);
  lua_pushcclosure(L, index_object, 4);
  cl_set_field(L, metatable, "__index");
  lua_settop(L, metatable);
  lua_rawsetp(L, LUA_REGISTRYINDEX, tag);
}
