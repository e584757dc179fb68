-- Removes events. KEYS: the events, then index sets. ARGV: for each event id, how
-- many indexes, and their places in KEYS. Returns how many were there.
local gone, a = 0, 1
while a <= #ARGV do
  local n = tonumber(ARGV[a + 1])
  for i = a + 2, a + 1 + n do redis.call('ZREM', KEYS[tonumber(ARGV[i])], ARGV[a]) end
  gone = gone + redis.call('HDEL', KEYS[1], ARGV[a])
  a = a + 2 + n
end
return {tostring(gone)}
