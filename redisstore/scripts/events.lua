-- Writes events. KEYS: the events, and then what each index set is called. ARGV: how
-- many events there may be, then for each id, text, how many indexes, and their
-- places in KEYS. One that is there stays; without room for all none is written.
local fresh, a = 0, 2
while a <= #ARGV do
  if redis.call('HEXISTS', KEYS[1], ARGV[a]) == 0 then fresh = fresh + 1 end
  a = a + 3 + tonumber(ARGV[a + 2])
end
local limit = tonumber(ARGV[1])
if limit > 0 and fresh > 0 and redis.call('HLEN', KEYS[1]) + fresh > limit then return {'full'} end
a = 2
while a <= #ARGV do
  local id, n = ARGV[a], tonumber(ARGV[a + 2])
  if redis.call('HSETNX', KEYS[1], id, ARGV[a + 1]) == 1 then
    for i = a + 3, a + 2 + n do redis.call('ZADD', KEYS[tonumber(ARGV[i])], 0, id) end
  end
  a = a + 3 + n
end
return {'ok'}
