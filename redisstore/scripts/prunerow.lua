-- Removes a row whose KeepUntil has come, and rows of that age that no transaction
-- ever put into place. KEYS: row, staged. ARGV: now. Returns 'gone', 'none' or
-- 'kept'.
local function over(keep) return keep ~= '' and keep <= ARGV[1] end
local staged = redis.call('HGETALL', KEYS[2])
for i = 1, #staged, 2 do
  if over(cmsgpack.unpack(staged[i + 1])[7]) then redis.call('HDEL', KEYS[2], staged[i]) end
end
local keep = redis.call('HGET', KEYS[1], 'k')
if not keep then return {'none'} end
if not over(keep) then return {'kept'} end
redis.call('DEL', KEYS[1])
return {'gone'}
