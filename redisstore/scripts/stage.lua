-- Lays down a row that nobody sees until its transaction commits. KEYS: row,
-- staged. ARGV: transaction, the row's seven fields.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[2], ARGV[1], cmsgpack.pack({ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]}))
end
return {'ok'}
