-- Lays down a row that nobody sees until its transaction commits, or where ARGV[1]
-- is '' writes it at once. KEYS: row, staged. ARGV: transaction, asked, the row's
-- seven fields. Rows of earlier transactions go first.
if redis.call('EXISTS', KEYS[1]) == 1 then return {'ok'} end
local f = {ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]}
local txs = waiting(KEYS[2], ARGV[2])
if txs then return txs end
if ARGV[1] == '' then save(KEYS[1], f) else redis.call('HSET', KEYS[2], ARGV[1], cmsgpack.pack(f)) end
return {'ok'}
