-- KEYS[5]: this call's mark; KEYS[6]: where to call out. ARGV: key, version, end,
-- value, now, floor, mark's life in ms, the word for calling out, what to call.
local done = redis.call('GET', KEYS[5])
if done then return {'ok', done} end
local old = read(ARGV[1])
local version = over(old, ARGV[5]) and '0' or old.version
if version ~= ARGV[2] then return {'conflict'} end
version = write(old, ARGV[1], ARGV[3], ARGV[4], ARGV[6])
redis.call('SET', KEYS[5], version, 'PX', ARGV[7])
-- Who may write need not be allowed to publish: then pollers do without.
if ARGV[8] ~= '' then redis.pcall(ARGV[8], KEYS[6], ARGV[9]) end
return {'ok', version}
