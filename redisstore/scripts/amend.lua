-- KEYS: row, this call's mark, then where one server has it the index by KeepUntil.
-- ARGV: uses to add, new end, new KeepUntil, the mark's life in ms, member.
local f = row(KEYS[1])
if not f then return {'not_found'} end
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[4]) then -- else this call was answered, and the answer lost
  local first = string.sub(f[2], 1, 1)
  if first ~= '0' and first ~= '-' and ARGV[1] ~= '0' then
    local sum = redis.pcall('HINCRBY', KEYS[1], 'm', ARGV[1])
    if type(sum) == 'table' and sum.err then redis.call('HSET', KEYS[1], 'm', '9223372036854775807') end
  end
  if ARGV[2] ~= '' and f[6] ~= '' and f[6] <= ARGV[2] then
    redis.call('HSET', KEYS[1], 'e', ARGV[2])
    if ARGV[3] == '' or (f[7] ~= '' and f[7] <= ARGV[3]) then
      redis.call('HSET', KEYS[1], 'k', ARGV[3])
      if KEYS[3] then redis.call('ZADD', KEYS[3], 0, ARGV[5]) end
    end
  end
end
return answer('ok', row(KEYS[1]))
