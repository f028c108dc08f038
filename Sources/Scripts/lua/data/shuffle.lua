-- Reproducible shuffling: the order of epoch e under seed s is a pure function of (s, e), so a run
-- can stop after any step and resume with the same rows.
--
-- Fisher–Yates with the generator SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable
-- pseudorandom number generators"). `math.random` is left alone: it belongs to the script.

local golden = 0x9e3779b97f4a7c15

-- The finalizer of SplitMix64: 64 bits to 64 bits, every bit depends on every bit.
local function mix(x)
  x = (x ~ (x >> 30)) * 0xbf58476d1ce4e5b9
  x = (x ~ (x >> 27)) * 0x94d049bb133111eb
  return x ~ (x >> 31)
end

-- A permutation of 1 to n, determined by (seed, epoch).
local function order(n, seed, epoch)
  local state = mix(mix(seed + golden) ~ (epoch * golden))
  local positions = {}
  for i = 1, n do positions[i] = i end
  for i = n, 2, -1 do
    state = state + golden
    local j = (mix(state) >> 11) % i + 1  -- 53 random bits: the bias is below i / 2^53
    positions[i], positions[j] = positions[j], positions[i]
  end
  return positions
end

return order
