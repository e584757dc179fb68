-- KEYS: row. ARGV: the new limit, at least 1.
local f = row(KEYS[1])
if not f then return {'not_found'} end
local first = string.sub(f[2], 1, 1)
if first ~= '0' and first ~= '-' and less(ARGV[1], f[2]) then f[2] = ARGV[1] end
redis.call('HSET', KEYS[1], 'm', f[2]) -- a repeat writes too, so that replicas are waited for
return answer('ok', f)
