-- Removes a row whose KeepUntil has come, and rows that no transaction ever
-- committed. KEYS: row, staged. ARGV: now. Returns 'gone', 'none' or 'kept'.
local function over(keep) return keep ~= '' and keep <= ARGV[1] end
local keep = redis.call('HGET', KEYS[1], 'k')
if keep then
  if not over(keep) then return {'kept'} end
  redis.call('DEL', KEYS[1])
  return {'gone'}
end
local staged = redis.call('HGETALL', KEYS[2])
for i = 1, #staged, 2 do
  if over(cmsgpack.unpack(staged[i + 1])[7]) then redis.call('HDEL', KEYS[2], staged[i]) end
end
return {'none'}
