-- Numbers travel as decimal text: Lua's would lose what lies beyond 2^53. Times
-- are texts of 20 digits that sort as the times do; '' is none.

-- row returns b, m, u, r, v, e, k: the fixed part, MaxUses, Used, Refunds,
-- RevokedAt, ExpiresAt, KeepUntil.
local function row(key)
  local f = redis.call('HMGET', key, 'b', 'm', 'u', 'r', 'v', 'e', 'k')
  if not f[1] then return nil end
  return f
end

local function save(key, f)
  redis.call('HSET', key, 'b', f[1], 'm', f[2], 'u', f[3], 'r', f[4], 'v', f[5], 'e', f[6], 'k', f[7])
end

-- less compares decimal numbers that are not negative.
local function less(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end

-- waiting returns the transactions that may have brought this row, unless the
-- caller has asked about them.
local function waiting(key, asked)
  if asked == '1' then return nil end
  local txs = redis.call('HKEYS', key)
  if #txs == 0 then return nil end
  return {'staged', unpack(txs)}
end

-- enter puts members into index sets: KEYS from k on, each with ARGV from a on.
local function enter(k, a)
  for i = k, #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[a + i - k]) end
end

local function answer(word, f, ...)
  return {word, f[1], f[2], f[3], f[4], f[5], f[6], f[7], ...}
end
