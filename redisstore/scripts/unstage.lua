-- Ends a transaction at one row. KEYS: row, staged. ARGV: transaction, 1 if it
-- committed. The first one that committed makes the row.
local fields = redis.call('HGET', KEYS[2], ARGV[1])
if fields then
  if ARGV[2] == '1' and redis.call('EXISTS', KEYS[1]) == 0 then save(KEYS[1], cmsgpack.unpack(fields)) end
  redis.call('HDEL', KEYS[2], ARGV[1])
end
return {'ok'}
