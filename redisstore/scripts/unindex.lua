-- KEYS: index sets. ARGV: the member to remove from each.
for i = 1, #KEYS do redis.call('ZREM', KEYS[i], ARGV[i]) end
return {'ok'}
