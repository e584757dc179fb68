-- KEYS: row, staged, then where one server has them all the index sets of the row.
-- ARGV: now, may create (as a row whose indexes are written, or are here), asked,
-- the tombstone's seven fields, members.
local f = row(KEYS[1])
if not f then
  local txs = waiting(KEYS[2], ARGV[3])
  if txs then return txs end
  if ARGV[2] ~= '1' then return {'go'} end
  f = {ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[1], ARGV[9], ARGV[10]}
  save(KEYS[1], f)
  enter(3, 11)
else
  if f[5] == '' then f[5] = ARGV[1] end
  redis.call('HSET', KEYS[1], 'v', f[5]) -- a repeat writes too, so that replicas are waited for
end
return answer('ok', f)
