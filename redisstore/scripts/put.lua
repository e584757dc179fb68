-- Writes rows, all in this one step. KEYS: for each its row and its index sets.
-- ARGV: for each the number of index sets, the row's seven fields, the members.
local k, a = 1, 1
while a <= #ARGV do
  local n = tonumber(ARGV[a])
  if redis.call('EXISTS', KEYS[k]) == 0 then
    save(KEYS[k], {ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5], ARGV[a + 6], ARGV[a + 7]})
    for i = 1, n do redis.call('ZADD', KEYS[k + i], 0, ARGV[a + 7 + i]) end
  end
  k, a = k + 1 + n, a + 8 + n
end
return {'ok'}
