-- Writes uses that were counted elsewhere. KEYS: for each its pass's uses and
-- order, and where one server has them all the index of uses. ARGV: how many keys
-- each has, then for each id, text, member. One that is there stays.
local n, k = tonumber(ARGV[1]), 1
for a = 2, #ARGV, 3 do
  local id = ARGV[a]
  local there = redis.call('HEXISTS', KEYS[k], 'u' .. id) == 1
  if not there and n == 3 then
    there = #redis.call('ZRANGEBYLEX', KEYS[k + 2], '[' .. id .. '\0', '(' .. id .. '\1', 'LIMIT', 0, 1) > 0
  end
  if not there then
    redis.call('HSET', KEYS[k], 'u' .. id, ARGV[a + 1])
    redis.call('ZADD', KEYS[k + 1], 0, id)
    if n == 3 then redis.call('ZADD', KEYS[k + 2], 0, ARGV[a + 2]) end
  end
  k = k + n
end
return {'ok'}
