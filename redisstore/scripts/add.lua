-- KEYS[5]: this call's mark. ARGV: key, delta, limit, end of a new counter, now,
-- floor, mark's life in ms.
local done = redis.call('GET', KEYS[5])
if done then return {'ok', done} end
local old = read(ARGV[1])
local value, ends = old.value, old.ends
if over(old, ARGV[5]) then value, ends = '0', ARGV[4] end
local sign, digits = string.match(value, '^([+-]?)0*(%d+)$')
if not digits then return {'conflict'} end
value = (sign == '-' and digits ~= '0') and '-' .. digits or digits

local sum
if #digits <= 15 and #ARGV[2] <= 15 then
  sum = string.format('%.0f', tonumber(value) + tonumber(ARGV[2]))
else
  -- Only the server itself adds exactly here; the mark is where it does.
  redis.call('SET', KEYS[5], value, 'PX', ARGV[7])
  local valid = redis.pcall('INCRBY', KEYS[5], 0)
  local added = redis.pcall('INCRBY', KEYS[5], ARGV[2])
  sum = redis.call('GET', KEYS[5])
  redis.call('DEL', KEYS[5])
  if type(valid) == 'table' and valid.err then return {'conflict'} end
  if type(added) == 'table' and added.err then return {'no', value} end
end
if ARGV[3] ~= '0' and string.sub(sum, 1, 1) ~= '-' and
    (#sum > #ARGV[3] or (#sum == #ARGV[3] and sum > ARGV[3])) then
  return {'no', value}
end
write(old, ARGV[1], ends, sum, ARGV[6])
redis.call('SET', KEYS[5], sum, 'PX', ARGV[7])
return {'ok', sum}
