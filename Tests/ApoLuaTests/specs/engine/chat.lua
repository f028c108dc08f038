-- Chat templates as scripts see them; the template language itself is tested in ModelsTests.

local apo, check = require "apo", require "check"
local test, eq, raises = check.test, check.eq, check.raises

local template = [[
{{ bos_token }}{% for m in messages %}
{{ m.role[0] }}:{{ m.content }};
{%- endfor %}
{% if tools %}{{ tools | tojson }}{% endif %}
{% if enable_thinking is defined %}t={{ enable_thinking }}{% endif %}
{% if extra %}{{ extra.x }}{% endif %}
{%- if add_generation_prompt %}a:{% endif %}]]

local function tokenizer(text)
  local tok = apo.char_tokenizer{alphabet = "0123456789+=uas:;.", bos = "<s>"}
  if text ~= false then tok.chat_template = text or template end
  return tok
end

local function model(tok)
  return apo.new_model{
    model_type = "llama", hidden_size = 8, num_hidden_layers = 1, num_attention_heads = 2,
    intermediate_size = 8, max_position_embeddings = 64, tokenizer = tok, seed = 5,
    initializer_range = 0.3,
  }
end

local user, answer = {role = "user", content = "1+1"}, {role = "assistant", content = "=2. "}

test("messages become a text, or ids", function()
  local tok = tokenizer()
  eq(tok:apply_chat_template{user}, "<s>u:1+1;")
  eq(tok:apply_chat_template({user, answer}, {add_generation_prompt = true}),
    "<s>u:1+1;a:=2. ;a:")
  local text = tok:apply_chat_template({user}, {add_generation_prompt = true})
  local ids = tok:apply_chat_template({user}, {add_generation_prompt = true, tokenize = true})
  eq(ids, tok:encode(text, {add_special_tokens = false}))
  eq(tok:apply_chat_template('[{"role": "user", "content": "5"}]'), "<s>u:5;")
end)

test("variables reach the template", function()
  local tok = tokenizer()
  eq(tok:apply_chat_template({user}, {enable_thinking = false}), "<s>u:1+1;t=False")
  eq(tok:apply_chat_template({user}, {chat_template_kwargs = {extra = {x = 7}}}), "<s>u:1+1;7")
  local tool = {type = "function", ["function"] = {
    parameters = {properties = {}, type = "object"}, description = "é", name = "f"}}
  eq(tok:apply_chat_template({user}, {tools = {tool}}), [==[<s>u:1+1;[{"type": "function", "function": {"name": "f", "description": "é", "parameters": {"type": "object", "properties": {}}}}]]==])
  eq(tok:apply_chat_template({user}, {tools = '[{"z": 1, "a": {}}]'}),
    '<s>u:1+1;[{"z": 1, "a": {}}]')
end)

test("a last message that goes on", function()
  local tok = tokenizer()
  eq(tok:apply_chat_template({user, answer}, {continue_final_message = true}), "<s>u:1+1;a:=2. ")
  raises("options 'continue_final_message' and 'add_generation_prompt' exclude each other",
    tok.apply_chat_template, tok, {user},
    {continue_final_message = true, add_generation_prompt = true})
  raises("continue_final_message: the last message has no 'content'", tok.apply_chat_template, tok,
    {{role = "user"}}, {continue_final_message = true})
  local blind = tokenizer "{{ messages[0].role }}"
  raises("the template does not show the last message's content", blind.apply_chat_template, blind,
    {user}, {continue_final_message = true})
  local trims = tokenizer "{% for m in messages %}{{ m.content | trim }}.{% endfor %}"
  eq(trims:apply_chat_template({user, answer}, {continue_final_message = true}), "1+1.=2.")
end)

test("the template: set, given, a function, saved", function()
  local tok = tokenizer()
  eq(tok.chat_template, template)
  eq(tokenizer(false).chat_template, nil)
  eq(tok:apply_chat_template({user}, {chat_template = "{{ eos_token }}"}), "<eos>")
  local options = {chat_template = function(messages, options)
    assert(messages[1] == user)
    return messages[1].content .. tostring(options.add_generation_prompt)
  end, add_generation_prompt = true}
  eq(tok:apply_chat_template({user}, options), "1+1true")
  raises("the function 'chat_template' must return a text", tok.apply_chat_template, tok, {user},
    {chat_template = function() end})
  raises("boo", tok.apply_chat_template, tok, {user}, {chat_template = function() error("boo") end})
  model(tok):save(temporary .. "/chat")
  eq(apo.load(temporary .. "/chat").tokenizer.chat_template, template)
  raises("chat_template: line 2: the tag 'include' is not supported", function()
    tok.chat_template = "\n{% include 'x' %}"
  end)
end)

test("wrong messages", function()
  local tok = tokenizer()
  local function fails(expected, ...) raises(expected, tok.apply_chat_template, tok, ...) end
  fails("apply_chat_template: a list of messages expected, got an object (one message? Put it into a "
    .. "list: {message})", user)
  fails("message 2: field 'role' is missing (it has: content)", {user, {content = "x"}})
  fails("message 1: field 'role' must be a string", {{role = 5}})
  fails("message 1 must be a table with 'role' and 'content'", {5})
  fails("messages: a string that is not valid UTF-8 cannot be written as JSON (field '[1].content')",
    {{role = "user", content = "\xFF"}})
  fails("messages: not valid JSON at line 1", "[")
  fails("a function cannot be written as JSON", {{role = "user", content = print}})
  fails("unknown option 'add_generation'", {user}, {add_generation = true})
  fails("option 'tools' must be a list of tables", {user}, {tools = "[5]"})
  fails("there is no chat template 'rag' (there are: none)", {user}, {template = "rag"})
  fails("chat_template: line 1: Roles must alternate", {user},
    {chat_template = "{{ raise_exception('Roles must alternate') }}"})
  local none = tokenizer(false)
  raises("the tokenizer has no chat template (no chat_template.jinja", none.apply_chat_template, none,
    {user})
end)

test("prompts that are messages", function()
  local m = model(tokenizer())
  local options = {max_tokens = 3, seed = 1, step = 0}
  local rows = apo.dataset{{prompt = {user}, answer = "2"}, {prompt = {user, answer}}}
  local rollout = m:generate(rows, options)
  eq(rollout[1].prompt, "<s>u:1+1;a:")
  eq(rollout[1].prompt_ids, m.tokenizer:apply_chat_template({user},
    {add_generation_prompt = true, tokenize = true}))
  assert(rollout[1].row == rows[1])
  eq(rollout[2].prompt, "<s>u:1+1;a:=2. ")
  eq(m:generate({user}, options)[1].prompt, "<s>u:1+1;a:")
  eq(#m:generate({{user}, {user, answer}, "1+"}, options), 3)
  local row = {prompt = {user}, chat_template_kwargs = {enable_thinking = true}}
  eq(m:generate(row, options)[1].prompt, "<s>u:1+1;t=Truea:")
  raises("generate: prompt 1: chat template: the tokenizer has no chat template", function()
    model(tokenizer(false)):generate({user}, options)
  end)
  raises("generate: prompt 2: chat template: message 1: field 'role' must be a string", function()
    m:generate({row, {prompt = {{role = 1}}}}, options)
  end)
  raises("'prompt' must be a string, a list of token ids or a list of messages, got table",
    apo.dataset, {{prompt = {{content = "x"}}}})
  raises("a reward must be a finite number", apo.score, rollout, function() end)
end)

test("stop tokens end a completion before them", function()
  local m = model(tokenizer())
  local all = {}
  for id = 1, #m.tokenizer - 1 do all[id] = id end
  local free = m:generate("1+1", {max_tokens = 8, seed = 2, step = 0, ignore_eos = true})[1]
  local stop = free.ids[4]
  local completion = m:generate("1+1", {
    max_tokens = 8, seed = 2, step = 0, ignore_eos = true, stop_token_ids = {stop}})[1]
  local length = #completion.ids
  assert(length <= 4)
  eq(completion.ids, table.move(free.ids, 1, length, 1, {}))
  eq(completion.ids[length], stop)
  eq(completion.finish_reason, "stop")
  eq(completion.stop_reason, stop)
  eq(completion.text, m.tokenizer:decode(
    table.move(free.ids, 1, length - 1, 1, {}), {skip_special_tokens = true}))
  eq(#completion.logprobs, length)
  local ended = m:generate("1+1", {max_tokens = 8, seed = 2, step = 0, stop_token_ids = all})[1]
  eq(#ended.ids, 1)
  eq(ended.finish_reason, ended.ids[1] == 0 and "eos" or "stop")
  raises("option 'stop_token_ids'", m.generate, m, "1+1", {stop_token_ids = {1.5}})
  raises("generate: option 'stop_token_ids': -1 is outside of 0..", m.generate, m, "1+1", {stop_token_ids = {1, -1}})
end)

test("generation_config.json says what ends an answer", function()
  local m = model(tokenizer())
  local path = temporary .. "/ends"
  m:save(path)
  local plain = m:generate("1+1", {max_tokens = 8, seed = 2, step = 0, ignore_eos = true})[1]
  apo.json.write(path .. "/generation_config.json", {eos_token_id = {0, plain.ids[3]}})
  local completion = apo.load(path):generate("1+1", {max_tokens = 8, seed = 2, step = 0})[1]
  eq(completion.finish_reason, "eos")
  assert(#completion.ids <= 3)
end)
