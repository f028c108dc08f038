-- Trains a real pretrained language model to write a certain kind of story, which a reward of a few
-- lines of Lua defines.
--
--   apo-lua examples/stories.lua MODEL_FOLDER [EPOCHS]
--
-- The model is stories260K (Karpathy's tinyllamas: 260,000 weights, trained on TinyStories). The
-- reward asks for an animal with a name and for a happy ending. In half a minute on two cores the
-- share of stories with both rises from 2 % to about a third (32 to 41 % in three runs), at a KL of
-- 6 nats, and the stories read as well as before. With beta = 1e-3 and lr = 1e-3 it is 88 %, at 218
-- nats, and they read like "the best of the best of friends".
local apo = require "apo"
apo.seed(1)

local policy      = apo.load(arg[1] or error("usage: stories.lua MODEL_FOLDER [EPOCHS]", 0))
local reference   = policy:clone():freeze()
local max_tokens, temperature = 112, 0.8

local function beginnings(places, kinds)
  local rows = {}
  for place in places:gmatch("[^,]+") do
    for kind in kinds:gmatch("%a+") do
      rows[#rows + 1] = {prompt = ("Once upon a time, %s, there was a %s"):format(place, kind)}
      rows[#rows + 1] = {prompt = ("One day, %s, there was a %s"):format(place, kind)}
    end
  end
  return apo.dataset(rows)
end
local train = beginnings("in a forest,near the sea,on a farm,in a big house,in the park,in a town",
  "small big brave funny sad kind")
-- held out
local test = beginnings("by a river,in the garden,far away,in a cave", "little happy lazy pretty")

-- the beginning and the completion, up to the last full sentence
local function story(completion)
  local text = completion.prompt .. completion.text
  return ((text:match('^.*[.!?]"?') or text):gsub("%s+", " "))
end

local animals = " dog cat bird bunny rabbit duck fish frog fox bear mouse monkey elephant lion "
  .. "turtle squirrel pig owl "
local happy   = {"happ", "smile", "laugh", "hug", "fun", "friends", "proud", "love"}
local sad     = {"sad", "cry", "scared", "n't", " not ", "unhapp"}

local function has_any(text, words)
  for _, word in ipairs(words) do if text:find(word, 1, true) then return true end end
  return false
end

local function reward(_, completion)                       -- two named rewards
  local text, named = story(completion), 0
  for kind in text:gmatch("(%l+) named %u%l+") do          -- "a dog named Max"
    if animals:find(" " .. kind .. " ", 1, true) then named = 1 end
  end
  local ending = text:match('[.!?]"? ([^.!?]+[.!?]"?)$') or ""   -- the last sentence
  return {animal = named, happy = has_any(ending, happy) and not has_any(ending, sad) and 1 or 0}
end
local weights = {animal = 0.5, happy = 0.5}

-- prints four of the 8 stories for each held-out beginning
local function show(title)
  local rollout = policy:generate(test, {n = 8, seed = 1, step = 0, max_tokens = max_tokens,
    temperature = temperature})
  local _, scores = apo.score(rollout, reward, {weights = weights})
  local both, kl = 0, (rollout:logprobs() - reference:logprobs(rollout)):mean():item()
  for _, parts in ipairs(scores.parts) do both = both + parts.animal * parts.happy / #rollout end
  print(("%s: named animal %.3f, happy ending %.3f, both %.3f; KL %.1f nats a story"):format(
    title, scores.means.animal.mean, scores.means.happy.mean, both, kl))
  for i = 1, #rollout, 83 do print("  " .. story(rollout[i])) end
end

show("Before")

local values = apo.estimate_values{                        -- stage 1
  model = reference, data = train, reward = reward, weights = weights, n = 8, beta = 0.5,
  max_tokens = max_tokens, temperature = temperature,
}
print(values)

apo.train{                                                 -- stage 2
  policy = policy, reference = reference, data = train, values = values, reward = reward,
  weights = weights,
  beta = 0.05, lr = 3e-4, schedule = "linear", warmup = 4, batch_size = 72,
  epochs = tonumber(arg[2]) or 40,
  max_tokens = max_tokens, temperature = temperature, log_every = 5,
}

show("After")
