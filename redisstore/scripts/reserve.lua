-- KEYS: row, uses, order, staged, then where one server has them all: the index of
-- uses, and those of the row, with their members from ARGV[15] on.
local id, key, nonce, again = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local head, tail = ARGV[5], ARGV[6]
-- 'whole': judge and write, indexes included. 'judge': say 'go', write nothing.
-- 'write': the indexes have the use, and the row too if ARGV[8] is 1.
local mode, indexed, asked = ARGV[7], ARGV[8], ARGV[9]
local recorded = ARGV[10]

local f = row(KEYS[1])
if again == '1' then
  -- The answer to an earlier sending may have been lost.
  local mine = redis.call('HGET', KEYS[2], 'u' .. id)
  if mine then
    local n, used = string.match(mine, '^%a|%-?%d+|(%x*)|(%-?%d+)|')
    if n == nonce then
      if not f then f = {ARGV[11], ARGV[12], used, '0', '', ARGV[13], ARGV[14]} end
      f[3] = used
      redis.call('HSET', KEYS[2], 'u' .. id, mine) -- so that replicas are waited for
      return answer('won', f)
    end
  end
end

local fresh = false
if not f then
  local txs = waiting(KEYS[4], asked)
  if txs then return txs end
  if recorded == '1' then return {'unknown_pass'} end
  f = {ARGV[11], ARGV[12], '0', '0', '', ARGV[13], ARGV[14]}
  fresh = true
end
if f[5] ~= '' then return {'revoked'} end
if key ~= '' then
  local earlier = redis.call('HGET', KEYS[2], 'k' .. key)
  if earlier then return answer('duplicate', f, earlier, redis.call('HGET', KEYS[2], 'u' .. earlier)) end
end
local first = string.sub(f[2], 1, 1)
if first ~= '0' and first ~= '-' and not less(f[3], f[2]) then return {'spent'} end
if mode == 'whole' then -- the index has the uses of this pass too
  if #redis.call('ZRANGEBYLEX', KEYS[5], '[' .. id .. '\0', '(' .. id .. '\1', 'LIMIT', 0, 1) > 0 then return {'conflict'} end
elseif redis.call('HEXISTS', KEYS[2], 'u' .. id) == 1 then
  return {'conflict'}
end
if mode == 'judge' or (mode == 'write' and fresh and indexed == '0') then
  return {'go', fresh and '1' or '0'}
end

if fresh then
  f[3] = '1'
  save(KEYS[1], f)
else
  local used = redis.call('HINCRBY', KEYS[1], 'u', 1) -- first: it fails where the count would wrap round
  f[3] = used < 2^53 and string.format('%.0f', used) or redis.call('HGET', KEYS[1], 'u')
end
local use = head .. f[3] .. tail
if key ~= '' then
  redis.call('HSET', KEYS[2], 'u' .. id, use, 'k' .. key, id)
else
  redis.call('HSET', KEYS[2], 'u' .. id, use)
end
redis.call('ZADD', KEYS[3], 0, id)
if mode == 'whole' then
  redis.call('ZADD', KEYS[5], 0, ARGV[15])
  if fresh then enter(6, 16) end
end
return answer('won', f)
